import { and, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { WordBasis } from '../cursor.ts';
import { type PlannedSource, passing } from '../plan.ts';
import { arrayLiteral } from './array-literal.ts';
import { keyOf, nameOf } from './keys.ts';
import { MOST_OWN, ownIdsWithWords, ownRows, ownShare, sharePortion } from './own-rows.ts';
import { column, cte } from './pipeline.ts';
import { plainTsv } from './plain-tsv.ts';
import { sampled, sampleScale } from './sample.ts';

/** The text-search configuration of the generated columns. Queries must use this one, too. */
const CONFIGURATION = sql.raw("'english'");

/** BM25's constants, the usual ones: Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009, section 3.4. */
const K1 = sql.raw('1.2::float8');
const B = sql.raw('0.75::float8');

/** The most distinct words of a query that count. Longer words come first, because short words are common. */
const MOST_WORDS = sql.raw('64');
/** The rows of a word are counted up to this number. Beyond it the number is estimated. */
const MOST_COUNTED = sql.raw('1000');
/** The most rows that get a BM25; rows with the rarest words come first. */
const MOST_SCORED = sql.raw('1000');

/**
 * `ts_rank` of one word with equal weights is `sum(1 / i^2 for i = 1..tf) / (pi^2 / 6)`, so the number of times that a word is in
 * a tsvector follows from it. Unnesting the tsvector would be fifty times the work for long texts. The steps are distinguished up
 * to 32 occurrences, beyond which BM25 hardly changes.
 */
const frequencySteps = sql.raw(
  `array[${Array.from({ length: 32 }, (_, i) => {
    let sum = 0;
    for (let n = 1; n <= i + 1; n++) sum += 1 / n ** 2;
    return ((sum * 6) / Math.PI ** 2 - 1e-5).toFixed(7);
  }).join(',')}]::float8[]`,
);

/** An order of words that does not depend on the stored rows. */
const longestFirst = sql.raw('order by length(lexeme) desc, lexeme');

/** A FROM item: the words of a text that count. */
function lexemesOf(text: SQLWrapper): SQL {
  return sql`(select lexeme from unnest(tsvector_to_array(to_tsvector(${CONFIGURATION}, ${text}))) lexeme
        ${longestFirst} limit ${MOST_WORDS})`;
}

/** A lexeme as a query for it alone. */
const lexemeQuery = sql`('''' || replace(replace(lexeme, '\\', '\\\\'), '''', '''''') || '''')::tsquery`;

/**
 * CTEs, without the word `with`: `found (query, lexeme, documents)`, one row a word of `text` that occurs, with the number of rows that
 * have it, and `corpus (documents, length)`, the number of rows and their mean length. Only rows that pass scope and filters count:
 * what others store neither changes a user's list nor shows in its scores.
 */
function wordCounts(source: PlannedSource, text: SQLWrapper): SQL {
  return source.rows.scope === undefined ? countsOfAll(source, text) : countsOfOwner(source, text);
}

/** `wordCounts` for the rows of all users. A sample of the table's pages tells how many rows a common word has. */
function countsOfAll({ table: { table, tsv, length }, rows }: PlannedSource, text: SQLWrapper): SQL {
  const conditions = passing(rows);
  const counted = sql`select count(*) from (select from ${table}
    where ${and(sql`${tsv} @@ word.query`, conditions)} limit ${MOST_COUNTED}) counted`;
  return sql`sample as materialized (
      select ${tsv} as tsv, ${length} as length from ${sampled(table)} where ${conditions ?? sql`true`}),
    words as materialized (
      select word.query, word.lexeme, (${counted}) as counted
      from (select lexeme, ${lexemeQuery} as query from ${lexemesOf(text)} word) word),
    found as materialized (
      select query, lexeme, case when counted < ${MOST_COUNTED} then counted else
        greatest(counted, (select count(*) from sample where tsv @@ query) * ${sampleScale(table)}) end::float8 as documents
      from words where counted > 0),
    corpus as materialized (
      select greatest(count(*) * ${sampleScale(table)}, (select max(documents) from found), 1)::float8 as documents,
        greatest(coalesce(avg(length), 1), 1)::float8 as length from sample)`;
}

/**
 * `wordCounts` for the rows of one user. Up to `MOST_OWN` rows of the user everything is counted. Of more rows, `share` reads those
 * that come first by a hash of their ids: a random share of the user's rows, which an index finds.
 */
function countsOfOwner(source: PlannedSource, text: SQLWrapper): SQL {
  const { table, length } = source.table;
  const { scope, among, filters } = source.rows;
  const all = sql`(select rows <= ${MOST_OWN} from own)`;
  const estimated = sql`(select count(*) from share where passes) * (select scale from portion)`;
  const passed = filters
    ? sql`passed as materialized (select count(*) as rows, avg(${length}) as length from ${table} where ${and(all, scope, among, filters)}),`
    : sql`passed as materialized (select rows, length from own),`;
  return sql`own as materialized (${ownRows(source.table, scope)}),
    share as materialized (${ownShare(source.table, scope, filters, sql`not ${all}`)}),
    portion as materialized (${sharePortion}),
    ${passed}
    words as materialized (
      select word.query, word.lexeme, counted.*
      from (select lexeme, ${lexemeQuery} as query from ${lexemesOf(text)} word) word cross join lateral (${ownRowsOfWord(source, all)}) counted),
    found as materialized (select * from (
      select query, lexeme, case when complete then counted else
        greatest(counted, (select count(*) from share where passes and tsv @@ query) * (select scale from portion)) end::float8 as documents
      from words) counted_word where documents > 0),
    corpus as materialized (
      select greatest(case when ${all} then rows else ${estimated} end, (select max(documents) from found), 1)::float8 as documents,
        greatest(coalesce(case when ${all} then length else (select avg(length) from share where passes) end, 1), 1)::float8 as length from passed)`;
}

/** Selects how many of the user's rows have `word.query` (`counted`), and whether all of them were counted (`complete`). */
function ownRowsOfWord({ table, rows, behindPolicy }: PlannedSource, all: SQL): SQL {
  const most = sql`(case when ${all} then ${MOST_OWN} else ${MOST_COUNTED} end)`;
  const counts = (from: SQL, limit: SQL) =>
    sql`select count(*) as counted, count(*) < ${limit} as complete from ${from} own_word`;
  if (!behindPolicy) {
    const having = and(sql`${table.tsv} @@ word.query`, rows.scope, rows.filters);
    return counts(sql`(select from ${table.table} where ${having} limit ${most})`, most);
  }
  const { ids, rest } = ownIdsWithWords(table, sql`word.query`, rows.filters, () => most);
  if (rest === undefined) return counts(ids, most);
  return sql`with own_ids as materialized (select id from ${ids} id)
      select (select count(*) from ${table.table} where ${and(sql`${table.id} in (select id from own_ids)`, rows.scope, rest)}) as counted,
        (select count(*) from own_ids) < ${most} as complete`;
}

/** The CTEs of `wordCounts` with the numbers of the first page, which its cursor kept. */
function countedBefore({ documents, length, counts }: WordBasis, text: SQLWrapper): SQL {
  return sql`words as materialized (select ${lexemeQuery} as query, lexeme from ${lexemesOf(text)} word),
    found as materialized (select query, lexeme, documents
      from (select *, row_number() over (${longestFirst}) as n from words) word
      join unnest(${arrayLiteral(counts.map(String))}::float8[]) with ordinality as counted (documents, n) using (n)
      where documents > 0),
    corpus as materialized (select ${documents}::float8 as documents, ${length}::float8 as length)`;
}

/** The `WordBasis` with the numbers of `keywordTerms`. */
export const wordBasis = sql`(select jsonb_build_object('documents', documents, 'length', length, 'counts',
  (select coalesce(jsonb_agg(coalesce(found.documents, 0) ${longestFirst}), '[]')
    from words left join found using (lexeme))) from corpus)`;

/**
 * The CTE `terms`: the weight of each word, and whether rows are looked up by it. `rarity` has the number of rows of each word
 * (`documents`), `total` the number of all rows.
 */
function termWeights(rarity: SQL, total: SQL): SQL {
  return sql`terms as materialized (
      select found.query, ln(1 + (total.documents - rarity.documents + 0.5) / (rarity.documents + 0.5)) as idf,
        sum(found.documents) over rarest <= ${MOST_SCORED} or row_number() over rarest = 1 as chosen
      from found join ${rarity} rarity using (lexeme), ${total} total
      window rarest as (order by found.documents, lexeme rows unbounded preceding))`;
}

/**
 * CTEs, without the word `with`, that others build on: `terms (query, idf, chosen)`, one row a word of `text` that
 * occurs, and `corpus (documents, length)`, the number of rows and their mean length. How rare a word is counts among the rows that
 * pass scope and filters only.
 * @param before the numbers of the first page, on a later page; nothing is then counted again.
 */
export function keywordTerms(source: PlannedSource, text: SQLWrapper, before: WordBasis | undefined): SQL {
  return sql`${before ? countedBefore(before, text) : wordCounts(source, text)}, ${termWeights(sql`found`, sql`corpus`)}`;
}

/**
 * `keywordTerms` for several tables, which makes their BM25 comparable: a word is as rare as it is in all tables together, as shards of
 * one index share their statistics. Each table has its own mean length and its own choice of words.
 * @returns the CTEs before all others, for each table the CTEs of its own `with`, and for each table its `WordBasis`.
 */
export function sharedKeywordTerms(
  sources: readonly PlannedSource[],
  text: SQLWrapper,
  before: readonly WordBasis[] | undefined,
): { shared: SQL; own: SQL[]; bases: SQL[] } {
  const names = sources.map((_, i) => sql.raw(`words_${i + 1}`));
  const counts = sources.map(
    (
      source,
      i,
    ) => sql`${names[i]} as materialized (with ${before?.[i] ? countedBefore(before[i], text) : wordCounts(source, text)}
      select lexeme, found.query, found.documents, corpus.documents as rows, corpus.length
      from corpus left join (words left join found using (lexeme)) on true)`,
  );
  const every = sql.join(
    names.map(
      (name) => sql`select lexeme, documents, null::float8 as rows from ${name} where documents is not null
      union all select null, null, max(rows) from ${name}`,
    ),
    sql` union all `,
  );
  const shared = sql`${sql.join(counts, sql`, `)},
    rarities as materialized (select lexeme, sum(documents) as documents, sum(rows) as rows
      from (${every}) every group by lexeme)`;
  const own = names.map(
    (
      name,
    ) => sql`found as materialized (select query, lexeme, documents from ${name} where documents is not null),
      corpus as materialized (select rows as documents, length from ${name} limit 1),
      ${termWeights(sql`rarities`, sql`(select rows as documents from rarities where lexeme is null)`)}`,
  );
  const bases = names.map(
    (
      name,
    ) => sql`(select jsonb_build_object('documents', max(rows), 'length', max(length), 'counts', coalesce(
      jsonb_agg(coalesce(documents, 0) ${longestFirst}) filter (where lexeme is not null), '[]')) from ${name})`,
  );
  return { shared, own, bases };
}

/**
 * The BM25 of a row for the words in `terms`, 0 if the row has none of them. Each word reads `tsv`, so pass one that `plainTsv` has
 * read.
 */
export function bm25(tsv: SQLWrapper, length: SQLWrapper): SQL<number> {
  return sql<number>`(select coalesce(sum(idf * tf * (${K1} + 1) / (tf + ${K1} * (1 - ${B} + ${B} * ${length} / corpus.length))), 0)
    from corpus, (select idf, width_bucket(ts_rank('{1,1,1,1}', ${tsv}, query)::float8, ${frequencySteps}) as tf
      from terms where ${tsv} @@ query) term)::float8`;
}

/** For a report: whether words or rows were left out, because at most `MOST_SCORED` rows get a BM25. */
export const capped = sql`(exists (select from terms where not chosen)
  or (select count(*) from ${cte.scoredWords}) >= ${MOST_SCORED})`;

/**
 * CTEs up to `scored_words`: rows that have one of the chosen (rarest) words, with their `bm25`, in no order. If these are fewer than
 * `wanted` rows (or groups), rows that have only common words are added.
 */
export function keywordSteps(source: PlannedSource): SQL {
  const { table, wanted } = source;
  const query = (chosen: SQL) =>
    sql`(select string_agg(query::text, ' | ')::tsquery from terms where ${chosen})`;
  const few = sql`(select count(${table.group ? sql`distinct ${nameOf(table.group)}` : sql`*`}) from rare) < ${wanted}`;
  const rare = query(sql`chosen`);
  return sql`rare as materialized (${rowsWithWords(source, rare)}),
    common as materialized (${rowsWithWords(source, query(sql`not chosen`), { except: rare, guard: few })}),
    ${cte.scoredWords} as materialized (select ${keyOf(table)}, ${bm25(sql`matching.tsv`, sql`matching.length`)} as ${column.bm25}
      from (select * from rare union all select * from common) matching)`;
}

/** Selects at most `MOST_SCORED` rows that match `words` and not `except`, if `guard` holds. */
function rowsWithWords(
  { table, rows, behindPolicy }: PlannedSource,
  words: SQL,
  { except, guard }: { except?: SQL; guard?: SQL } = {},
): SQL {
  const select = (
    matching: SQL | undefined,
    filters: SQL | undefined,
  ) => sql`select ${sql.join([...table.key], sql`, `)},
        ${plainTsv(table)} as tsv, ${table.length} as length
      from ${table.table} where ${and(guard, matching, rows.scope, filters, rows.others)}`;
  if (!behindPolicy) {
    const matching = and(
      sql`${table.tsv} @@ ${words}`,
      except === undefined ? undefined : sql`not ${table.tsv} @@ ${except}`,
    );
    return sql`${select(matching, rows.filters)} limit ${MOST_SCORED} offset 0`;
  }
  // What the function does not check can leave out any of the ids, so all are needed. In the order of ids, every page takes the same
  // rows of them.
  const { ids, rest } = ownIdsWithWords(
    table,
    except === undefined ? words : sql`${words} && !! ${except}`,
    rows.filters,
    (unchecked) => (unchecked === undefined ? MOST_SCORED : sql`null`),
  );
  const order = rest === undefined ? sql`` : sql` order by ${table.id}`;
  return sql`${select(sql`${table.id} in (select ${ids})`, rest)}${order} limit ${MOST_SCORED} offset 0`;
}
