import { and, eq, type SQL, sql } from 'drizzle-orm';
import { makePgArray, type PgUpdateSetSource } from 'drizzle-orm/pg-core';
import { vectorLiteral } from '../../schema/columns/vector.ts';
import { documentChunks, documents } from '../../schema/index.ts';
import type { Transaction } from '../database/transaction.ts';
import type { EmbeddingColumns } from './embeddings.ts';
import { type Claimed, readClaimedChunks, timeIn } from './pending.ts';
import type { DocumentRow } from './rows.ts';

/**
 * The values of a chunk that is written. Its index in the list of chunks becomes its `chunkIndex`. A chunk with a vector of the
 * client's own has an embedding; each other chunk waits for one.
 */
export interface ChunkValues extends Partial<EmbeddingColumns> {
  content: string;
  chunkSize: number;
  overlapSize: number;
  startOffset: number;
  endOffset: number;
  /** Where it stands in the document, such as its page. */
  metadata: Record<string, unknown>;
}

/** Chunks that replace those of a document. */
export interface NewChunks {
  chunks: readonly ChunkValues[];
  /** The model whose embeddings of old chunks are taken over by new chunks with equal texts. */
  model: string;
  /** How long the caller may take to embed the rest. Until then nobody else does; undefined if the caller does not. */
  leaseMs: number | undefined;
}

// Rows in one INSERT. The embedding of a row takes about 4 kB as text.
const CHUNKS_PER_STATEMENT = 200;

/** Inserts the chunks of a new document. Returns those that the caller embeds; none without `leaseMs`. */
export async function insertChunks(
  tx: Transaction,
  document: DocumentRow,
  chunks: readonly ChunkValues[],
  leaseMs: number | undefined,
): Promise<Claimed[]> {
  const rows = chunks.map((chunk, chunkIndex) => ({
    ...chunk,
    chunkIndex,
    userId: document.userId,
    documentId: document.id,
    totalChunks: chunks.length,
    ...(leaseMs !== undefined && !chunk.embedding && { embeddingRetryAt: timeIn(leaseMs) }),
  }));
  for (let start = 0; start < rows.length; start += CHUNKS_PER_STATEMENT) {
    await tx.insert(documentChunks).values(rows.slice(start, start + CHUNKS_PER_STATEMENT));
  }
  return leaseMs === undefined ? [] : readClaimedChunks(tx, document);
}

/**
 * Replaces all chunks of a document in one statement, because its old chunks refer to the old number of chunks, and its new chunks
 * take the embeddings of the old ones. A new chunk whose embedded text an old chunk had gets that chunk's embedding, so it need not be
 * embedded again.
 * @param changes the new columns of the document, among them its number of chunks.
 */
export async function replaceChunks(
  tx: Transaction,
  { id, userId }: Pick<DocumentRow, 'id' | 'userId'>,
  changes: PgUpdateSetSource<typeof documents>,
  { chunks, model, leaseMs }: NewChunks,
): Promise<void> {
  const chunksOfDocument = and(eq(documentChunks.documentId, id), eq(documentChunks.userId, userId));
  const deletion = tx.delete(documentChunks).where(chunksOfDocument).returning({ id: documentChunks.id });
  const update = tx
    .update(documents)
    .set(changes)
    .where(and(eq(documents.id, id), eq(documents.userId, userId)))
    .returning({ id: documents.id });
  const list = (type: SQL, value: (chunk: ChunkValues) => string | number | null) =>
    sql`${makePgArray(chunks.map(value))}::${type}[]`;
  const fresh = sql`unnest(
    ${list(sql`text`, (chunk) => chunk.content)}, ${list(sql`int`, (chunk) => chunk.chunkSize)},
    ${list(sql`int`, (chunk) => chunk.overlapSize)}, ${list(sql`int`, (chunk) => chunk.startOffset)},
    ${list(sql`int`, (chunk) => chunk.endOffset)}, ${list(sql`text`, (chunk) => JSON.stringify(chunk.metadata))},
    ${list(sql`text`, ({ embedding }) => (embedding ? vectorLiteral(embedding) : null))},
    ${list(sql`text`, (chunk) => chunk.embeddingModel ?? null)}, ${list(sql`text`, (chunk) => chunk.embeddingSource ?? 'FUNES')}
  ) with ordinality as fresh (content, chunk_size, overlap_size, start_offset, end_offset, metadata, embedding, embedding_model,
    embedding_source, number)`;
  const retryAt =
    leaseMs === undefined
      ? sql`null`
      : sql`case when fresh.embedding is null and old.embedding is null then ${timeIn(leaseMs)} end`;
  // Equal contents behind equal headers of tables are equal texts for the model; see `chunkText`.
  await tx.execute(sql`
    with old as materialized (
      select distinct on (c.content, c.metadata -> 'tableHeader')
        c.content, c.metadata -> 'tableHeader' as header, c.embedding, c.embedding_model, c.next_embedding, c.next_embedding_model
      from ${documentChunks} as c
      where c.document_id = ${id} and c.user_id = ${userId} and c.embedding_source = 'FUNES' and c.embedding is not null
        and ${model} in (c.embedding_model, c.next_embedding_model)
    ), gone as ${deletion}, changed as ${update}
    insert into ${documentChunks} (user_id, document_id, chunk_index, total_chunks, content, chunk_size, overlap_size, start_offset,
      end_offset, metadata, embedding, embedding_model, embedding_source, next_embedding, next_embedding_model, embedding_retry_at)
    select ${userId}, ${id}, fresh.number - 1, ${chunks.length}, fresh.content, fresh.chunk_size, fresh.overlap_size,
      fresh.start_offset, fresh.end_offset, fresh.metadata::jsonb, coalesce(fresh.embedding::vector, old.embedding),
      coalesce(fresh.embedding_model, old.embedding_model), fresh.embedding_source, old.next_embedding, old.next_embedding_model,
      ${retryAt}
    -- The old chunks are gone before the first new one comes: their indexes in the document are the same.
    from (select count(*) from gone) as gone cross join ${fresh}
    left join old on fresh.embedding is null and old.content = fresh.content
      and old.header is not distinct from fresh.metadata::jsonb -> 'tableHeader'
    order by fresh.number`);
}
