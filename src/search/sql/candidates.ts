import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { PlannedSource, RankingPlan, SearchPlan } from '../plan.ts';
import type { SearchTable } from '../tables.ts';
import { comparableEmbedding } from './comparable.ts';
import { distanceTo } from './distance.ts';
import { keyOf, nameOf, withRow } from './keys.ts';
import { newestOf, roundOf } from './keyset.ts';
import { bm25, keywordSteps, keywordTerms, wordBasis } from './keyword.ts';
import { nearest } from './nearest.ts';
import { nearestDocuments } from './nearest-documents.ts';
import { column, cte } from './pipeline.ts';
import { plainTsv } from './plain-tsv.ts';
import type { Operands } from './queries.ts';
import { candidateReport } from './report-columns.ts';
import { bestRows, scoringSteps } from './scoring.ts';
import { neighbours } from './session-context.ts';

/**
 * A parenthesised subselect of the best rows of the plan's one source, with the columns of its key, `distance`, `score`, `parts`
 * and, for `diversity`, `alike` (cosine similarity to each of the rows, in their order).
 *
 * Candidates come from the vector index and from the words, in one statement. Every candidate then gets its distance and its BM25,
 * so both count for a row that only one of the lists found.
 */
export function ranked(plan: SearchPlan, ranking: RankingPlan, operands: Operands): SQL {
  const [source] = plan.sources as [PlannedSource];
  const { table } = source;
  const key = keyOf(table);
  const ctes = [
    ...(ranking.words && operands.text
      ? [keywordTerms(source, operands.text, plan.after?.basis?.words?.[0])]
      : []),
    ...candidateSteps(plan, ranking, source, operands),
    ...scoringSteps(plan, ranking, { key, size: source.candidates }),
  ];
  const group = table.group && nameOf(table.group);
  return bestRows(ctes, plan, ranking, {
    columns: key,
    rows: group
      ? sql`(select distinct on (${group}) * from ${cte.scored} order by ${group}, ${column.round}, ${column.score} desc, ${column.id}) best`
      : sql`${cte.scored} best`,
    tieBreak: group ?? column.id,
    sources: [{ newest: newestOf(source), words: wordBasis }],
    report: candidateReport(ranking),
    embedded: sql`select ${cte.chosen}.*, ${comparableEmbedding(table, plan.model)} as ${column.embedding} from ${cte.chosen} join ${table.table} using (${key})`,
  });
}

/**
 * CTEs up to `features`: the candidates, with `context` also their neighbours, each with its `round`, `distance` and `bm25`.
 * Where words count, `terms` and `corpus` come before them.
 */
export function candidateSteps(
  plan: SearchPlan,
  ranking: RankingPlan,
  source: PlannedSource,
  { vector }: Operands,
): SQL[] {
  const { table, rows, candidates, wanted } = source;
  const session = source.lends ? table.session : undefined;
  const key = keyOf(table);
  const search = { operand: vector, k: wanted, rows };
  const lists = [
    ...(ranking.near
      ? [
          {
            name: cte.near,
            steps: sql`${cte.near} as materialized (select *, row_number() over (order by ${column.distance}, ${column.id}) as ${column.rank}
      from ${
        table.group
          ? sql`(select best.*, ${column.chunkId} as ${column.id} from ${nearestDocuments(plan, search)} best)`
          : nearest(table, plan, search)
      } near)`,
          },
        ]
      : []),
    ...(ranking.words ? [{ name: cte.worded, steps: wordedSteps(source) }] : []),
  ];
  const found = lists.map(
    ({ name }) =>
      sql`select ${key}, ${roundOf(column.rank, candidates, plan.after)} as ${column.round} from ${name}`,
  );
  return [
    ...lists.map(({ steps }) => steps),
    sql`${cte.candidates} as materialized (select ${key}, min(${column.round}) as ${column.round}
      from (${sql.join(found, sql` union all `)}) found group by ${key})`,
    ...(session ? [neighbours(plan, ranking, source, session)] : []),
    session
      ? sql`pool as materialized (select ${key}, bool_or(${column.candidate}) as ${column.candidate}, min(${column.round}) as ${column.round} from (
      select ${key}, true as ${column.candidate}, ${column.round} from ${cte.candidates}
      union all select ${key}, false, ${column.round} from ${cte.turns}) seen group by ${key})`
      : sql`pool as materialized (select ${key}, true as ${column.candidate}, ${column.round} from ${cte.candidates})`,
    features(plan, ranking, table, vector),
  ];
}

/** The CTE `worded` and the CTEs that it reads: the `wanted` best rows by BM25, one row for each group. */
function wordedSteps(source: PlannedSource): SQL {
  const group = source.table.group && nameOf(source.table.group);
  const best = group
    ? sql`(select distinct on (${group}) * from ${cte.scoredWords} order by ${group}, ${column.bm25} desc, ${column.id}) best_words`
    : cte.scoredWords;
  return sql`${keywordSteps(source)},
    ${cte.worded} as materialized (select *, row_number() over (order by ${column.bm25} desc, ${column.id}) as ${column.rank}
      from ${best} where ${column.bm25} > 0 order by ${column.bm25} desc, ${column.id} limit ${source.wanted})`;
}

function features(
  { metric, model, after }: SearchPlan,
  { words, weights }: RankingPlan,
  table: SearchTable,
  vector: SQLWrapper,
): SQL {
  const worth =
    table.worth && weights
      ? sql`, ${recency(table.worth.createdAt, weights.halfLifeDays, after?.basis?.at)} as ${column.recency},
    ${table.worth.importance} as ${column.importance}`
      : sql``;
  const text = words
    ? sql`, ${plainTsv(table)} as ${column.tsv}, ${table.length} as ${column.length}`
    : sql``;
  const columns = sql`${distanceTo(sql`(${comparableEmbedding(table, model)})`, metric, vector)} as ${column.distance}${text}${worth}`;
  return sql`${cte.features} as materialized (
    select pool.*, row.*, ${words ? bm25(sql`row.${column.tsv}`, sql`row.${column.length}`) : sql`0::float8`} as ${column.bm25}
    from ${withRow(table, sql`pool`, columns, sql`row`)})`;
}

/** Recency: 1 for a row stored at `at` (or now), half of that for each half-life since the row was stored. */
function recency(createdAt: PgColumn, halfLifeDays: number, at: string | undefined): SQL {
  const now = at === undefined ? sql`now()` : sql`${at}::timestamptz`;
  // After a thousand half-lives recency is practically 0; for longer times PostgreSQL raises an underflow error.
  return sql`power(0.5::float8, least(greatest(extract(epoch from ${now} - ${createdAt})::float8, 0) / (86400 * ${halfLifeDays}::float8), 1000))`;
}
