import { and, asc, eq, inArray, type SQL, sql } from 'drizzle-orm';
import { vectorLiteral } from '../../../schema/columns/vector.ts';
import { documentChunks, documents, memories, toolEmbeddings } from '../../../schema/index.ts';
import type { Transaction } from '../../database/transaction.ts';
import {
  type ChunkRow,
  chunkColumns,
  type DocumentRow,
  documentColumns,
  memoryColumns,
  toolColumns,
} from '../../store/rows.ts';
import type { Viewer } from '../../viewer.ts';
import type { KindName, RecalledRow } from '../kinds.ts';
import type { PlannedSource, SearchPlan } from '../plan.ts';
import type { QueryBatch } from '../query.ts';
import type { RowTable } from '../tables.ts';
import { ranked } from './candidates.ts';
import { documentsByMean } from './document-means.ts';
import { type Hit, hitColumns, hitOrder, whileCurrent, withinDistance } from './hits.ts';
import { keptStatement } from './kept-statements.ts';
import { nearest } from './nearest.ts';
import { nearestDocuments } from './nearest-documents.ts';
import { alias, column } from './pipeline.ts';
import {
  type CompiledQueries,
  documentQueries,
  exampleColumns,
  exampleDocuments,
  exampleQueries,
  exampleRows,
  hitsOfExamples,
  type Operands,
  rowQueries,
  vectorQueries,
} from './queries.ts';
import { nearestOfAll, rankedOfAll } from './recall.ts';

// The whole statement of a search: the queries, the hits of each by LATERAL, and the rows that the hits stand for. It is one statement,
// however many queries and kinds there are. `pipeline.ts` has a drawing.

/** A statement, ready to be sent. */
export interface SearchStatement<Found> {
  /** The `Hit.key` of each query, in the order of the queries. */
  keys: readonly string[];
  /** Sends the statement. @throws FunesError for unknown or PENDING examples. */
  select(tx: Transaction): Promise<Hit[]>;
  /** Returns the row of a hit, and whatever else a match of its kind has. */
  found(hit: Hit): Found;
}

/** The statement that searches in a table whose rows are matches themselves. */
export function rowStatement<Row>(
  plan: SearchPlan,
  viewer: Viewer,
  table: RowTable<Row>,
  batch: QueryBatch,
): SearchStatement<{ row: Row }> {
  const found = ({ row }: Hit & { row?: unknown }) => ({ row: row as Row });
  const sameRow = and(
    ...table.key.map((keyColumn) => eq(keyColumn, sql`${alias.hit}.${sql.identifier(keyColumn.name)}`)),
  );
  if (batch.by === 'examples') {
    const { examples } = batch;
    const [{ kind }] = plan.sources as [PlannedSource];
    const queries = exampleQueries(plan, exampleRows(viewer, table, examples), examples);
    return {
      keys: queries.keys,
      select: async (tx) => {
        const rows = await tx
          .select({ ...exampleColumns, ...hitColumns(queries.key, plan), row: table.columns })
          .from(queries.from(rowHits(plan, queries.operands)))
          .leftJoin(table.table, sameRow)
          .orderBy(hitOrder(plan), asc(table.id));
        return hitsOfExamples(rows, examples, kind.label);
      },
      found,
    };
  }
  const select = (
    tx: Transaction,
    plan: SearchPlan,
    from: SQL,
    { key, where }: Pick<CompiledQueries, 'key' | 'where'>,
  ) =>
    tx
      .select({ ...hitColumns(key, plan), row: table.columns })
      .from(from)
      .innerJoin(table.table, sameRow)
      .where(and(where, withinDistance(plan), whileCurrent(plan)))
      .orderBy(asc(key), hitOrder(plan), asc(table.id));
  if (batch.by === 'vectors' && batch.queries.length === 1 && !plan.ranking) {
    const [query] = batch.queries;
    if (query && query.except === undefined) {
      const key = sql`1::bigint`;
      const operands = { vector: sql`${sql.placeholder('vector')}::vector`, text: undefined };
      const { statement, values } = keptStatement(table, plan, (builder, kept) =>
        select(builder, kept, sql`${rowHits(kept, operands)} as ${alias.hit}`, { key }),
      );
      const vector = vectorLiteral(query.vector);
      const model = batch.model.name;
      return {
        keys: ['1'],
        select: (tx) => statement(tx, { ...values, vector, model }) as Promise<Hit[]>,
        found,
      };
    }
  }
  const queries =
    batch.by === 'rows' ? rowQueries(plan, viewer, table, batch.ids) : vectorQueries(batch.queries);
  return {
    keys: queries.keys,
    select: async (tx) => select(tx, plan, queries.from(rowHits(plan, queries.operands)), queries),
    found,
  };
}

/** The statement that searches for documents by their chunks. Each match has the nearest chunk of its document. */
export function documentStatement(
  plan: SearchPlan,
  viewer: Viewer,
  batch: QueryBatch,
): SearchStatement<{ row: DocumentRow; chunk: ChunkRow }> {
  const found = (hit: Hit & { row?: unknown; chunk?: unknown }) => ({
    row: hit.row as DocumentRow,
    chunk: hit.chunk as ChunkRow,
  });
  const columns = { row: documentColumns, chunk: chunkColumns };
  const itsChunk = and(
    eq(documentChunks.id, sql`${alias.hit}.${column.chunkId}`),
    eq(documentChunks.userId, sql`${alias.hit}.${column.userId}`),
  );
  const itself = and(
    eq(documents.id, sql`${alias.hit}.${column.documentId}`),
    eq(documents.userId, sql`${alias.hit}.${column.userId}`),
  );
  if (batch.by === 'examples') {
    const { examples } = batch;
    const queries = exampleQueries(plan, exampleDocuments(viewer, examples), examples);
    return {
      keys: queries.keys,
      select: async (tx) => {
        const rows = await tx
          .select({ ...exampleColumns, ...hitColumns(queries.key, plan), ...columns })
          .from(queries.from(documentHits(plan, queries.operands)))
          .leftJoin(documentChunks, itsChunk)
          .leftJoin(documents, itself)
          .orderBy(hitOrder(plan), asc(documents.id));
        return hitsOfExamples(rows, examples, 'document');
      },
      found,
    };
  }
  const queries =
    batch.by === 'rows' ? documentQueries(plan, viewer, batch.ids) : vectorQueries(batch.queries);
  return {
    keys: queries.keys,
    select: (tx) =>
      tx
        .select({ ...hitColumns(queries.key, plan), ...columns })
        .from(queries.from(documentHits(plan, queries.operands)))
        .innerJoin(documentChunks, itsChunk)
        .innerJoin(documents, itself)
        .where(and(withinDistance(plan), whileCurrent(plan)))
        .orderBy(asc(queries.key), hitOrder(plan), asc(documents.id)),
    found,
  };
}

/** The statement that searches in all sources of the plan. */
export function recallStatement(
  plan: SearchPlan,
  _viewer: Viewer,
  batch: QueryBatch,
): SearchStatement<{ row: RecalledRow }> {
  if (batch.by !== 'vectors') throw new TypeError('A recall is searched by texts and vectors alone.');
  const queries = vectorQueries(batch.queries);
  const hits = plan.ranking
    ? rankedOfAll(plan, plan.ranking, queries.operands)
    : nearestOfAll(plan, queries.operands);
  const isOf = (...kinds: KindName[]): SQL =>
    inArray(
      sql`${alias.hit}.${column.kind}`,
      kinds.filter((name) => plan.sources.some(({ kind }) => kind.name === name)),
    );
  return {
    keys: queries.keys,
    select: (tx) =>
      tx
        .select({
          ...hitColumns(queries.key, plan),
          kind: sql<KindName>`${alias.hit}.${column.kind}`,
          id: sql<string>`${alias.hit}.${column.rowId}::text`,
          memory: memoryColumns,
          chunk: chunkColumns,
          document: documentColumns,
          tool: toolColumns,
        })
        .from(queries.from(hits))
        .leftJoin(
          memories,
          and(
            isOf('MEMORY'),
            eq(memories.id, sql`${alias.hit}.${column.rowId}`),
            eq(memories.userId, sql`${alias.hit}.${column.userId}`),
          ),
        )
        .leftJoin(
          documentChunks,
          and(
            isOf('CHUNK', 'DOCUMENT'),
            eq(documentChunks.id, sql`${alias.hit}.${column.chunkId}`),
            eq(documentChunks.userId, sql`${alias.hit}.${column.userId}`),
          ),
        )
        .leftJoin(
          documents,
          and(
            isOf('DOCUMENT'),
            eq(documents.id, sql`${alias.hit}.${column.rowId}`),
            eq(documents.userId, sql`${alias.hit}.${column.userId}`),
          ),
        )
        .leftJoin(toolEmbeddings, and(isOf('TOOL'), eq(toolEmbeddings.id, sql`${alias.hit}.${column.rowId}`)))
        .where(and(withinDistance(plan), whileCurrent(plan)))
        .orderBy(
          asc(queries.key),
          hitOrder(plan),
          sql`${alias.hit}.${column.kind}`,
          sql`${alias.hit}.${column.rowId}`,
        ),
    found: (hit) => ({ row: hit as unknown as RecalledRow }),
  };
}

function rowHits(plan: SearchPlan, operands: Operands): SQL {
  if (plan.ranking) return ranked(plan, plan.ranking, operands);
  const [{ table, rows }] = plan.sources as [PlannedSource];
  const { k, after } = plan;
  return nearest(table, plan, { operand: operands.vector, k, rows, after });
}

function documentHits(plan: SearchPlan, operands: Operands): SQL {
  if (plan.means) return documentsByMean(plan, operands);
  if (plan.ranking)
    return sql`(select best.*, ${column.id} as ${column.chunkId} from ${ranked(plan, plan.ranking, operands)} best)`;
  const [{ rows }] = plan.sources as [PlannedSource];
  const { k, after } = plan;
  return nearestDocuments(plan, { operand: operands.vector, k, rows, after });
}
