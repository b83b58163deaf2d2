import { and, type SQL, sql } from 'drizzle-orm';
import { documentChunks } from '../../../schema/index.ts';
import { chunksFor, passingByIndex } from '../plan.ts';
import { documentChunkTable } from '../tables.ts';
import { isComparable } from './comparable.ts';
import { distanceTo } from './distance.ts';
import { behindDistance } from './keyset.ts';
import { type NearestPlan, type NearestQuery, nearest } from './nearest.ts';
import { column } from './pipeline.ts';
import { andReport } from './report-columns.ts';

/**
 * A parenthesised subselect of the `k` documents nearest to `operand`. A document is as near as its best chunk. Columns: `chunk_id`
 * and `distance` of that chunk, `document_id`, `user_id`. If the nearest chunks belong to fewer than k documents, `completed`
 * compares every chunk: see `nearest`.
 */
export function nearestDocuments(plan: NearestPlan, query: NearestQuery): SQL {
  const { operand, rows, k, after } = query;
  const past = after && behindDistance(after, column.documentId);
  const everyDocument = (guard: SQL | undefined, completes: SQL) => sql`select * from (
      select distinct on (${column.documentId}) ${column.id} as ${column.chunkId}, ${column.documentId}, ${column.userId},
        ${distanceTo(documentChunks.embedding, plan.metric, operand)} as ${column.distance}${andReport(plan, { candidates: sql`count(*) over ()`, completed: completes })}
      from ${documentChunks} where ${and(guard, isComparable(documentChunkTable, plan.model), passingByIndex(rows))}
      order by ${column.documentId}, ${column.distance}, ${column.id}) every_document${past ? sql` where ${past}` : sql``}
    order by ${column.distance}, ${column.documentId} limit ${k}`;
  if (plan.exact) return sql`(${everyDocument(undefined, sql`false`)})`;
  const chunks = nearest(documentChunkTable, plan, {
    ...{ operand, rows },
    k: chunksFor((after?.seen ?? 0) + k),
  });
  const enough = sql`(select count(*) from best${past ? sql` where ${past}` : sql``}) >= ${k}`;
  return sql`(with best as materialized (
      select distinct on (${column.documentId}) ${column.id} as ${column.chunkId}, ${column.documentId}, ${column.userId}, ${column.distance}${andReport(plan, { candidates: column.candidates, completed: column.completed })}
      from ${chunks} chunks order by ${column.documentId}, ${column.distance}, ${column.id}),
    completed as materialized (${everyDocument(sql`not ${enough}`, sql`true`)})
    (select * from best where ${and(enough, past)} order by ${column.distance}, ${column.documentId} limit ${k})
    union all select * from completed)`;
}
