import { type SQL, sql } from 'drizzle-orm';

/**
 * The statement of a search, from the query to the matches.
 *
 *     statement.ts    queries (vector, text, n)  |  rows `source`  |  mean of examples `source`
 *                        |
 *                        +-- cross join lateral ------------------------------ for each query:
 *                        |
 *      ordered by distance alone                 ordered by score
 *      nearest.ts: near, completed               candidates.ts: everything below, in one WITH
 *      documents.ts: best, completed                |
 *                        |                          |
 *                        +--------- hit ------------+
 *                        |
 *                     join with the tables: the rows that matches show
 *
 * The CTEs of a list ordered by score. KEY is the primary key of the table, and the group where rows have one.
 *
 *     CTE            columns                                             made by          read by
 *     sample         tsv, length                                         keyword.ts       found, corpus
 *     words          query, lexeme, counted                              keyword.ts       found
 *     found          query, lexeme, documents                            keyword.ts       corpus, terms
 *     corpus         documents, length                                   keyword.ts       terms, bm25()
 *     terms          query, idf, chosen                                  keyword.ts       rare, common, bm25()
 *     near           KEY, distance, rank, candidates, completed          candidates.ts    candidates, based (fusion by rank)
 *     rare, common   KEY, tsv, length                                    keyword.ts       scored_words
 *     scored_words   KEY, bm25                                           keyword.ts       worded
 *     worded         KEY, bm25, rank                                     candidates.ts    candidates, based (fusion by rank)
 *     candidates     KEY, round                                          candidates.ts    pool, beside
 *     beside         id, round, other, user_id, share                    neighbours.ts    turns, shares
 *     turns          id, user_id, round                                  neighbours.ts    pool
 *     shares         id, other, share, round                             neighbours.ts    loans
 *     pool           KEY, candidate, round                               candidates.ts    features
 *     features       KEY, candidate, round, distance, bm25,              candidates.ts    moments, based
 *                    recency, importance
 *     moments        mean, spread, word_mean, word_spread                scoring.ts       based
 *     based          features and base                                   scoring.ts       loans, relevant
 *     loans          id, lent                                            scoring.ts       relevant
 *     relevant       based and lent                                      scoring.ts       scored
 *     scored         relevant and score                                  scoring.ts       bestRows()
 *     chosen, placed what `diversity` chooses among                      scoring.ts       hit
 *
 * A recall has the CTEs of each kind up to `features` inside one CTE a kind (`memory_rows`, ...), with what all kinds know of the
 * words (`words_1`, ..., `rarities`) before them. recall.ts makes `features`, `near`, `worded` and `shares` of those anew, over
 * all kinds together; scoring.ts then goes on as above. A list of documents by means has its `features` from documents.ts.
 */

/** The names of FROM items that one file makes and another reads: a query by text or vector, the rows that are a query, a hit. */
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
  /** What a query in `query` or `source` consists of, and the row that is no match for it. */
  ...named('vector', 'text', 'excepted'),
  ...named('distance', 'bm25', 'recency', 'importance'),
  /** The rank of a row in `near` or `worded`, from 1; the round it is in; whether it is a candidate or the neighbour of one. */
  ...named('rank', 'round', 'candidate'),
  /** Of `shares`: the other turn, and the share of its score. */
  ...named('other', 'share'),
  /** Of `moments`. */
  ...named('mean', 'spread'),
  wordMean: sql.raw('word_mean'),
  wordSpread: sql.raw('word_spread'),
  /** What a row is worth by itself, what its neighbours lend it, and both with all weights. */
  ...named('base', 'lent', 'score'),
  /** What a report says of how the rows were found, see `SearchReport`. */
  ...named('candidates', 'completed', 'capped'),
  /** What the matches of a ranked list carry: parts of the score, the `Basis` of a cursor, likeness to each other. */
  ...named('parts', 'basis', 'alike'),
};

function named<Name extends string>(...names: readonly Name[]): Readonly<Record<Name, SQL>> {
  return Object.fromEntries(names.map((name) => [name, sql.raw(name)])) as Record<Name, SQL>;
}
