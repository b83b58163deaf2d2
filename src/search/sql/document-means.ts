import { type SQL, sql } from 'drizzle-orm';
import type { PlannedSource, RankingPlan, SearchPlan } from '../plan.ts';
import { comparableEmbedding } from './comparable.ts';
import { distanceTo } from './distance.ts';
import { behindInRounds, newestOf, roundOf } from './keyset.ts';
import { nearestDocuments } from './nearest-documents.ts';
import { column, cte } from './pipeline.ts';
import type { Operands } from './queries.ts';
import { reportColumns } from './report-columns.ts';
import { bestRows, scoringSteps } from './scoring.ts';

/**
 * A parenthesised subselect of documents by the distance of their chunks' means to the query, or by score. Candidates are the
 * documents of the chunks nearest to the query. On later pages candidates come in rounds (`cursor.ts`), because the order by best chunk
 * is not the order by mean.
 */
export function documentsByMean(plan: SearchPlan, { vector }: Operands): SQL {
  const { k, after } = plan;
  const [{ table, rows }] = plan.sources as [PlannedSource];
  const { size, wanted } = plan.means as NonNullable<SearchPlan['means']>;
  const candidates = nearestDocuments(plan, { rows, operand: vector, k: wanted });
  const found = plan.report
    ? sql`, candidate.${column.candidates}, candidate.${column.completed}, false as ${column.capped}`
    : sql``;
  const means = sql`select candidate.${column.chunkId}, candidate.${column.documentId}, candidate.${column.userId}, mean.vector as ${column.embedding},
      ${roundOf(sql`candidate.${column.rank}`, size, after)} as ${column.round},
      ${distanceTo(sql`mean.vector`, plan.metric, vector)} as ${column.distance}${found}
    from (select *, row_number() over (order by ${column.distance}, ${column.documentId}) as ${column.rank} from ${candidates} nearest) candidate
    cross join lateral (select avg(${comparableEmbedding(table, plan.model, sql`member`)}) as vector from document_chunks member
      where member.document_id = candidate.${column.documentId} and member.user_id = candidate.${column.userId}) mean`;
  if (plan.ranking) return rankedMeans(plan, plan.ranking, means);
  const id = column.documentId;
  const past = after
    ? sql` where ${behindInRounds(after, 'distance', { column: id, behind: sql`${after.id}::bigint` })}`
    : sql``;
  return sql`(select * from (${means}) by_mean${past} order by ${after ? sql`${column.round}, ` : sql``}${column.distance}, ${column.documentId} limit ${k})`;
}

function rankedMeans(plan: SearchPlan, ranking: RankingPlan, means: SQL): SQL {
  const [source] = plan.sources as [PlannedSource];
  const id = column.documentId;
  const features = sql`${cte.features} as materialized (
    select by_mean.*, true as ${column.candidate}, 0::float8 as ${column.bm25} from (${means}) by_mean)`;
  return bestRows([features, ...scoringSteps(plan, ranking, { key: id })], plan, ranking, {
    columns: sql`${column.chunkId}, ${column.documentId}, ${column.userId}`,
    rows: sql`${cte.scored} best`,
    tieBreak: id,
    sources: [{ newest: newestOf(source), words: sql`null` }],
    report: reportColumns({
      candidates: sql`max(${column.candidates}) over ()`,
      completed: sql`bool_or(${column.completed}) over ()`,
      capped: sql`false`,
    }),
    embedded: sql`select ${cte.chosen}.*, ${cte.features}.${column.embedding} from ${cte.chosen} join ${cte.features} using (${column.documentId})`,
  });
}
