import { type SQL, sql } from 'drizzle-orm';

// The statement of a search, from the queries to the matches.
//
//     queries.ts      queries by text or vector: `query`   |   stored rows, or the mean of examples: `source`
//                        |
//                     cross join lateral, for each query:
//                        |
//                        +-- ordered by distance alone
//                        |      nearest.ts             rows, chunks
//                        |      nearest-documents.ts   documents by their best chunk
//                        |      document-means.ts      documents by the mean of their chunks
//                        |      recall.ts              rows of several kinds
//                        |
//                        +-- ordered by score
//                        |      candidates.ts          rows, chunks, documents by their best chunk
//                        |      document-means.ts      documents by the mean of their chunks
//                        |      recall.ts              rows of several kinds
//                        |
//                     `hit` (hits.ts)
//                        |
//     statement.ts    join with the tables: the rows that matches show
//
// The CTEs of a list ordered by score. KEY is the primary key of the table, and the group if its rows have one. In brackets:
// columns that only some searches have. REPORT is candidates and completed, for a report alone.
//
//     CTE            columns                                    made by              read by
//     sample         tsv, length                                keyword.ts           found, corpus
//     own            rows, length                               own-rows.ts          share, passed, words, found, corpus
//     share          hash, tsv, length, passes                  own-rows.ts          portion, found, corpus
//     portion        scale                                      own-rows.ts          found, corpus
//     passed         rows, length                               keyword.ts           corpus
//     words          lexeme, query, [counted, complete]         keyword.ts           found, basis
//     found          query, lexeme, documents                   keyword.ts           corpus, terms, basis
//     corpus         documents, length                          keyword.ts           terms, bm25(), basis
//     terms          query, idf, chosen                         keyword.ts           rare, common, bm25(), capped
//     near           KEY, distance, rank, [REPORT]              candidates.ts        candidates, based by rank, the report
//     rare           KEY, tsv, length                           keyword.ts           common, scored_words
//     common         KEY, tsv, length                           keyword.ts           scored_words
//     scored_words   KEY, bm25                                  keyword.ts           worded, the report, capped
//     worded         KEY, bm25, rank                            candidates.ts        candidates, based by rank
//     candidates     KEY, round                                 candidates.ts        pool, beside
//     beside         id, user_id, round, other, share           session-context.ts   turns, shares
//     turns          id, user_id, round                         session-context.ts   pool
//     shares         id, other, share, round                    session-context.ts   loans
//     pool           KEY, candidate, round                      candidates.ts        features
//     features       KEY, candidate, round, distance, bm25,     candidates.ts        moments, based, the percentile
//                    [tsv, length], [recency, importance]
//     moments        mean, spread, word_mean, word_spread       fusion.ts            based, basis
//     based          features, base                             fusion.ts            loans, relevant
//     loans          id, lent                                   session-context.ts   relevant
//     relevant       based, lent                                session-context.ts   scored, basis
//     scored         relevant, score                            scoring.ts           bestRows()
//     chosen         the columns of a hit                       scoring.ts           placed
//     placed         chosen, embedding                          scoring.ts           alike, hit
//
// `candidates` is also the name of a report's column. A search in the rows of one user has `own`, `share`, `portion` and `passed`; one in
// the rows of all users has `sample` instead. On a later page the first page's basis replaces these, the counting of `words` and
// the averages in `moments`. Without `diversity` there is neither `chosen` nor `placed`; without `context` neither
// `beside`, `turns`, `shares` nor `loans`.
//
// A list of documents by means has only `features` and what follows; document-means.ts makes its `features`, with `embedding`.
//
// A recall has the CTEs from `near` or `found` to `features` once for each kind, inside one CTE a kind (`memory_rows`, ...).
// keyword.ts makes what all kinds know of the words (`words_1`, ..., `rarities`) before them. After them come, over all kinds
// together, `features` (recall.ts), `near` and `worded` (fusion.ts) and `shares` (session-context.ts), then `moments` and the rest.

/** FROM items that one file makes and another reads: a query by text or vector, the stored rows that are a query, a hit. */
export const alias = named('query', 'source', 'hit');

/** The CTEs that one file makes and another reads. */
export const cte = {
  ...named(
    'near',
    'worded',
    'candidates',
    'turns',
    'shares',
    'features',
    'moments',
    'based',
    'relevant',
    'scored',
    'chosen',
  ),
  scoredWords: sql.raw('scored_words'),
};

/** The columns that one file makes and another reads. */
export const column = {
  ...named('id', 'kind', 'embedding', 'tsv', 'length'),
  documentId: sql.raw('document_id'),
  userId: sql.raw('user_id'),
  /** The row that a hit of several kinds stands for. */
  rowId: sql.raw('row_id'),
  /** The best chunk of a document. */
  chunkId: sql.raw('chunk_id'),
  /** Of `query` and `source`: what to search for, and the row that must not be a match. */
  ...named('vector', 'text', 'excepted'),
  ...named('distance', 'bm25', 'recency', 'importance'),
  /** The rank in `near` or `worded`, from 1; the round; whether the row is a candidate and not just the neighbour of one. */
  ...named('rank', 'round', 'candidate'),
  /** Of `shares`: the other turn, and the share of its score. */
  ...named('other', 'share'),
  /** Of `moments`. */
  ...named('mean', 'spread'),
  wordMean: sql.raw('word_mean'),
  wordSpread: sql.raw('word_spread'),
  /** What a row is worth by itself, what its neighbours lend it, and the score that both make. */
  ...named('base', 'lent', 'score'),
  /** The numbers of a report: see `report-columns.ts`. */
  ...named('candidates', 'completed', 'capped'),
  /** Of a scored hit: the parts of its score, the `Basis` of its cursor, its similarity to the other hits. */
  ...named('parts', 'basis', 'alike'),
};

function named<Name extends string>(...names: readonly Name[]): Readonly<Record<Name, SQL>> {
  return Object.fromEntries(names.map((name) => [name, sql.raw(name)])) as Record<Name, SQL>;
}
