import { type SQL, sql } from 'drizzle-orm';
import type { Position } from '../cursor.ts';
import type { Kind } from '../kinds.ts';
import type { PlannedSource, RankingPlan, SearchPlan } from '../plan.ts';
import { candidateSteps } from './candidates.ts';
import { comparableEmbedding } from './comparable.ts';
import { listsByRank } from './fusion.ts';
import { newestOf, positionAmong } from './keyset.ts';
import { sharedKeywordTerms } from './keyword.ts';
import { nearest } from './nearest.ts';
import { nearestDocuments } from './nearest-documents.ts';
import { column, cte } from './pipeline.ts';
import type { Operands } from './queries.ts';
import { candidateReport, reportColumns } from './report-columns.ts';
import { bestRows, scoringSteps } from './scoring.ts';
import { memberOfAll, packedShares, sharesOfAll } from './session-context.ts';

const list = (parts: readonly SQL[], separator: SQL = sql`, `) => sql.join([...parts], separator);
const unionAll = sql` union all `;

/**
 * A parenthesised subselect of the k nearest rows of all the sources, with columns `kind`, `row_id`, `user_id`, `chunk_id`,
 * `distance`.
 */
export function nearestOfAll(plan: SearchPlan, { vector }: Operands): SQL {
  const parts = plan.sources.map(({ kind, table, rows }) => {
    const after = plan.after && positionAmong(kind.name, plan.after);
    const query = { operand: vector, k: plan.k, rows, after };
    const found = table.group ? nearestDocuments(plan, query) : nearest(table, plan, query);
    // Every row of a kind has the number of the kind: only the first row counts.
    const how = sql`, case when row_number() over () = 1 then ${column.candidates} else 0 end as ${column.candidates}, ${column.completed}`;
    return sql`select ${literal(kind.name)} as ${column.kind}, ${hitRow(kind, table.group !== undefined)}, ${column.distance}${plan.report ? how : sql``}
      from ${found} ${sql.raw(kind.label)}`;
  });
  const totals = reportColumns({
    candidates: sql`sum(${column.candidates}) over ()`,
    completed: sql`bool_or(${column.completed}) over ()`,
  });
  const every = plan.report ? sql`${hitColumns}, ${column.distance}, ${totals}` : sql`*`;
  return sql`(select ${every} from (${list(parts, unionAll)}) every_kind order by ${column.distance}, ${column.kind}, ${column.rowId} limit ${plan.k})`;
}

/**
 * A parenthesised subselect of the k best rows of all the sources by score. It has the columns of `nearestOfAll`, `score`, `parts`
 * and, for `diversity`, `alike`.
 *
 * Scores of different tables are comparable because the sources share what scores are made of: a word is as rare as it is in all
 * sources together, and means, spreads, percentiles and ranks are those of all candidates together. If each source were scored by
 * itself, its best row would be as good as the best row of any other, even if it has nothing to do with the text.
 */
export function rankedOfAll(plan: SearchPlan, ranking: RankingPlan, operands: Operands): SQL {
  const { after, sources } = plan;
  const keywords =
    ranking.words && operands.text
      ? sharedKeywordTerms(sources, operands.text, after?.basis?.words ?? undefined)
      : undefined;
  const found = sources.map((source, i) => {
    const steps = [
      ...(keywords?.own[i] ? [keywords.own[i]] : []),
      ...candidateSteps(plan, ranking, source, operands),
    ];
    return sql`${rowsOf(source)} as materialized (with ${list(steps)} ${candidatesOf(source, plan, ranking)})`;
  });
  const every = sources.map((source) => sql`select * from ${rowsOf(source)}`);
  const ctes = [
    ...(keywords ? [keywords.shared] : []),
    ...found,
    // From here on `id` numbers the candidates of all kinds, in the order of equal scores.
    sql`${cte.features} as materialized (select row_number() over (order by ${column.kind}, ${column.rowId}, ${column.chunkId}) as ${column.id}, every_kind.*
      from (${list(every, unionAll)}) every_kind)`,
    ...(ranking.base === 'RANK' ? [listsByRank] : []),
    ...(ranking.context === undefined ? [] : [sharesOfAll]),
    ...scoringSteps(plan, ranking, { key: column.id, member: memberOfAll }),
  ];
  return bestRows(ctes, plan, ranking, {
    columns: sql`${column.id}, ${hitColumns}`,
    rows: sources.some(({ table }) => table.group)
      ? sql`(select distinct on (${column.kind}, ${column.rowId}) * from ${cte.scored} order by ${column.kind}, ${column.rowId}, ${column.round}, ${column.score} desc, ${column.id}) best`
      : sql`${cte.scored} best`,
    tieBreak: column.id,
    behind: (after) => ({ column: column.rowId, behind: idBehind(sources, after) }),
    sources: sources.map((source, i) => ({
      newest: newestOf(source),
      words: keywords?.bases[i] ?? sql`null`,
    })),
    report: reportColumns({
      candidates: sql`(select sum(${column.candidates}) from ${cte.features})`,
      completed: sql`(select bool_or(${column.completed}) from ${cte.features})`,
      capped: sql`(select bool_or(${column.capped}) from ${cte.features})`,
    }),
    embedded: sql`select ${cte.chosen}.*, case ${column.kind} ${list(
      sources.map((source) => embeddingOf(source, plan.model)),
      sql` `,
    )} end as ${column.embedding} from ${cte.chosen}`,
  });
}

/** The columns of `hitRow`, and the kind before them. */
const hitColumns = sql`${column.kind}, ${column.rowId}, ${column.userId}, ${column.chunkId}`;

/**
 * The row that a hit of this kind stands for, in columns that all kinds have.
 * @param grouped whether the hit stands for its group already, and has a column for the chunk.
 */
function hitRow({ hit }: Kind, grouped: boolean): SQL {
  const userId = hit.userId ?? sql`null::varchar as ${column.userId}`;
  const chunkId = grouped ? column.chunkId : sql`${hit.chunkId ?? sql`null::bigint`} as ${column.chunkId}`;
  return sql`${hit.rowId} as ${column.rowId}, ${userId}, ${chunkId}`;
}

const literal = (kind: string) => sql.raw(`'${kind}'`);

/** The CTE of the candidates of one kind. */
const rowsOf = ({ kind }: PlannedSource) => sql.raw(`${kind.label}_rows`);

/** For each kind, the id behind which a row with the score of `position` is behind `position`. */
function idBehind(sources: readonly PlannedSource[], position: Position): SQL {
  const ids = sources.map(
    ({ kind }) => sql`when ${literal(kind.name)} then ${positionAmong(kind.name, position).id}::bigint`,
  );
  return sql`case ${column.kind} ${list(ids, sql` `)} end`;
}

/** Selects the candidates of one source, in columns that all kinds have. */
function candidatesOf({ kind, lends }: PlannedSource, { report }: SearchPlan, ranking: RankingPlan): SQL {
  const worth = ranking.weights ? sql`, ${column.recency}, ${column.importance}` : sql``;
  const how = report
    ? sql`, case when row_number() over () = 1 then ${column.candidates} else 0 end as ${column.candidates}, ${column.completed}, ${column.capped}`
    : sql``;
  const reported = report
    ? sql`${cte.features} cross join (select ${candidateReport(ranking)}) found`
    : cte.features;
  const shares = packedShares(lends);
  return sql`select ${literal(kind.name)} as ${column.kind}, ${hitRow(kind, false)}, ${column.candidate}, ${cte.features}.${column.round}, ${column.distance}, ${column.bm25}, ${shares.columns}${worth}${how} from ${reported}${shares.join}`;
}

function embeddingOf({ kind, table }: PlannedSource, model: SQL): SQL {
  const { id, userId } = table;
  const compared = kind.hit.chunkId ? column.chunkId : column.rowId;
  const owner = userId ? sql` and ${column.userId} = ${cte.chosen}.${column.userId}` : sql``;
  return sql`when ${literal(kind.name)} then (select ${comparableEmbedding(table, model)} from ${table.table} where ${id} = ${cte.chosen}.${compared}${owner})`;
}
