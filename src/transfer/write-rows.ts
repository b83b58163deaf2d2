import { type SQL, sql } from 'drizzle-orm';
import { makePgArray } from 'drizzle-orm/pg-core';
import {
  documentChunks,
  documents,
  installation,
  memories,
  memoriesArchive,
  toolEmbeddings,
} from '../../schema/index.ts';
import type { Transaction } from '../database/transaction.ts';
import { movedNames } from '../store/memory-archive.ts';
import type { Incoming } from './incoming.ts';

/** The vectors of a text, as pgvector writes them, with their models. */
export interface MadeEmbedding {
  vector: string | null;
  model: string | null;
  next: string | null;
  nextModel: string | null;
}

/** A row to write, with the vectors that were made for it and for its chunks. */
export interface Writable {
  row: Incoming;
  /** What was made of the text. */
  made: MadeEmbedding | undefined;
  /** What was made of the chunks, by their index. */
  chunksMade: readonly (MadeEmbedding | undefined)[];
}

/** Chunks in one statement. */
const chunksOfStatement = 200;

/**
 * Finds which of these rows the database has, in one statement. Memories are known by their idempotency key or their origin, live
 * or archived; documents by their origin or their bytes; tools by their name. Rows of this database are known by their id, if the row
 * with that id was made at that time.
 * @returns their indexes in `rows`.
 */
export async function findKnown(tx: Transaction, rows: readonly Incoming[]): Promise<Set<number>> {
  const keys = rows.map(({ kind, userId, origin, idempotencyKey, ownId, ownCreatedAt, contentHash }, n) => ({
    n,
    kind,
    user: userId,
    origin,
    key: idempotencyKey,
    own: ownId,
    made: ownCreatedAt ?? null,
    hash: contentHash,
  }));
  const memoryIn = (table: SQL) => sql`
    exists (select from ${table} as t where t.user_id = k."user" and t.idempotency_key = k.key)
    or exists (select from ${table} as t where t.user_id = k."user" and t.origin = k.origin)
    or exists (select from ${table} as t where t.user_id = k."user" and t.id = k.own and t.created_at = k.made)`;
  const found = await tx.execute<{ n: number }>(sql`
    select k.n from json_to_recordset(${JSON.stringify(keys)}::text::json)
      as k(n int, kind text, "user" text, origin text, key text, own bigint, made timestamptz, hash text)
    where case k.kind
      when 'memory' then ${memoryIn(sql`${memories}`)} or ${memoryIn(sql`${memoriesArchive}`)}
      when 'document' then
        exists (select from ${documents} as t where t.user_id = k."user" and t.origin = k.origin)
        or exists (select from ${documents} as t where t.user_id = k."user" and t.content_hash = k.hash)
        or exists (select from ${documents} as t where t.user_id = k."user" and t.id = k.own and t.created_at = k.made)
      else exists (select from ${toolEmbeddings} as t where t.tool_name = k.origin) end`);
  return new Set(found.map(({ n }) => n));
}

/**
 * Inserts rows in their order, each kind by one statement, and leaves those out that the database has got meanwhile.
 * @returns the indexes of the rows that were inserted.
 */
export async function insertRows(tx: Transaction, rows: readonly Writable[]): Promise<Set<number>> {
  const inserted = new Set<number>();
  const ofKind = (kind: Incoming['kind']) =>
    rows.flatMap((writable, n) => (writable.row.kind === kind ? [{ ...writable, n }] : []));
  for (const { n } of await insertMemories(tx, ofKind('memory'))) inserted.add(n);
  for (const n of await insertDocuments(tx, ofKind('document'))) inserted.add(n);
  for (const n of await insertTools(tx, ofKind('tool'))) inserted.add(n);
  return inserted;
}

type Numbered = Writable & { n: number };

/** A list of rows as one parameter. `line` is what the file has of a row. */
function payload(rows: readonly { json: string; fields: Record<string, unknown> }[]): SQL {
  const parts = rows.map(({ json, fields }) => `${JSON.stringify(fields).slice(0, -1)},"line":${json}}`);
  return sql`${`[${parts.join(',')}]`}::text::json`;
}

const payloadOf = (rows: readonly Numbered[]) =>
  payload(
    rows.map(({ row, made, n }) => ({
      json: row.json,
      fields: { n, user: row.userId, origin: row.origin, ...made },
    })),
  );
const payloadColumns = sql.raw(
  'as p(n int, "user" text, origin text, vector text, model text, next text, "nextModel" text, line json)',
);

/** The fields of all rows that have an embedding, and of memories. */
const embeddedFields =
  '"embedding" text, "embeddingModel" text, "embeddingSource" text, "embeddingError" text';

/** The model that searches compare when the row is written. They may have been switched to the next model since it was embedded. */
const installed = sql`coalesce((select embedding_model from ${installation}), p.model)`;

/** The embedding columns of a row: the file's vector, or the one that was made by the model that searches compare, or none yet. */
const embeddingValues = sql`
  coalesce(case ${installed} when p.model then p.vector when p."nextModel" then p.next end, r."embedding")::vector,
  case when r."embedding" is not null then r."embeddingModel"
    when ${installed} = p.model and p.vector is not null then p.model
    when ${installed} = p."nextModel" and p.next is not null then p."nextModel" end,
  case when r."embedding" is not null then coalesce(r."embeddingSource", 'CLIENT') else 'FUNES' end,
  r."embeddingError",
  case when ${installed} = p.model then p.next end::vector,
  case when ${installed} = p.model and p.next is not null then p."nextModel" end`;
const embeddingNames = sql.raw(
  'embedding, embedding_model, embedding_source, embedding_error, next_embedding, next_embedding_model',
);

async function insertMemories(tx: Transaction, rows: readonly Numbered[]): Promise<readonly Numbered[]> {
  if (rows.length === 0) return [];
  const stored = await tx.execute<{ id: string; user: string; origin: string }>(sql`
    insert into ${memories} (user_id, content, content_summary, source, session_id, importance_score, metadata, idempotency_key,
      idempotency_fields, origin, created_at, updated_at, ${embeddingNames})
    select p."user", r."content", r."contentSummary", coalesce(r."source", 'chat'), r."sessionId", coalesce(r."importanceScore", 0.5),
      coalesce(r."metadata", '{}'), r."idempotencyKey", r."idempotencyFields", p.origin, coalesce(r."createdAt", now()),
      coalesce(r."updatedAt", now()), ${embeddingValues}
    from json_to_recordset(${payloadOf(rows)}) ${payloadColumns}
    cross join lateral json_to_record(p.line -> 'row') as r("content" text, "contentSummary" text, "source" text, "sessionId" text,
      "importanceScore" float8, "metadata" jsonb, "idempotencyKey" text, "idempotencyFields" jsonb, "createdAt" timestamptz,
      "updatedAt" timestamptz, ${sql.raw(embeddedFields)})
    order by p.n on conflict do nothing returning id, user_id as "user", origin`);
  const byName = new Map(rows.map((row) => [JSON.stringify([row.row.userId, row.row.origin]), row]));
  const taken = await deleteArchivedMeanwhile(tx, stored);
  const inserted = stored.flatMap(({ id, user, origin }) => {
    const row = taken.has(id) ? undefined : byName.get(JSON.stringify([user, origin]));
    return row ? [{ ...row, id }] : [];
  });
  const archived = inserted.filter(({ row }) => row.archivedAt !== null);
  if (archived.length > 0) await moveToArchive(tx, archived);
  return inserted;
}

/**
 * Deletes memories that this transaction has inserted, if the archive has them: another transaction may have archived them since they
 * were looked for. The insertion waited for it, so this statement sees what it did. Returns their ids.
 */
async function deleteArchivedMeanwhile(
  tx: Transaction,
  stored: readonly { id: string }[],
): Promise<Set<string>> {
  if (stored.length === 0) return new Set();
  const has = (column: SQL) => sql`exists (
    select from ${memoriesArchive} as a where a.user_id = t.user_id and a.${column} = t.${column})`;
  const deleted = await tx.execute<{ id: string }>(sql`
    delete from ${memories} as t where t.id = any(${makePgArray(stored.map(({ id }) => id))}::bigint[])
      and (${has(sql`origin`)} or ${has(sql`idempotency_key`)})
    returning t.id`);
  return new Set(deleted.map(({ id }) => id));
}

/** An archived memory is inserted as a live one, which gives it an id that no other memory has. */
async function moveToArchive(tx: Transaction, rows: readonly (Numbered & { id: string })[]): Promise<void> {
  const times = rows.map(({ id, row }) => ({ memory: id, user: row.userId, at: row.archivedAt }));
  await tx.execute(sql`
    with at as materialized (
      select * from json_to_recordset(${JSON.stringify(times)}::text::json) as at(memory bigint, "user" text, at timestamptz)
    ), moved as (
      delete from ${memories} using at where id = at.memory and user_id = at."user" returning ${movedNames}, at.at
    )
    insert into ${memoriesArchive} (${movedNames}, archived_at) select ${movedNames}, at from moved`);
}

async function insertDocuments(tx: Transaction, rows: readonly Numbered[]): Promise<number[]> {
  if (rows.length === 0) return [];
  const stored = await tx.execute<{ id: string; user: string; origin: string }>(sql`
    insert into ${documents} (user_id, filename, file_path, file_type, file_size, content_hash, total_chunks, metadata, origin,
      created_at, processed_at, updated_at)
    select p."user", r."filename", r."filePath", r."fileType", r."fileSize", r."contentHash", r."totalChunks",
      coalesce(r."metadata", '{}'), p.origin, coalesce(r."createdAt", now()), coalesce(r."processedAt", now()),
      coalesce(r."updatedAt", now())
    from json_to_recordset(${payloadOf(rows)}) ${payloadColumns}
    cross join lateral json_to_record(p.line -> 'row') as r("filename" text, "filePath" text, "fileType" text, "fileSize" bigint,
      "contentHash" text, "totalChunks" int, "metadata" jsonb, "createdAt" timestamptz, "processedAt" timestamptz,
      "updatedAt" timestamptz)
    order by p.n on conflict do nothing returning id, user_id as "user", origin`);
  const ids = new Map(stored.map(({ id, user, origin }) => [JSON.stringify([user, origin]), id]));
  const inserted = rows.flatMap((row) => {
    const id = ids.get(JSON.stringify([row.row.userId, row.row.origin]));
    return id === undefined ? [] : [{ ...row, id }];
  });
  const chunks = inserted.flatMap(({ row, id, chunksMade }) =>
    row.chunks.map(({ json }, index) => ({
      json,
      fields: {
        user: row.userId,
        document: id,
        index,
        total: row.chunks.length,
        ...chunksMade[index],
      },
    })),
  );
  for (let start = 0; start < chunks.length; start += chunksOfStatement)
    await insertChunks(tx, payload(chunks.slice(start, start + chunksOfStatement)));
  return inserted.map(({ n }) => n);
}

async function insertChunks(tx: Transaction, rows: SQL): Promise<void> {
  await tx.execute(sql`
    insert into ${documentChunks} (user_id, document_id, chunk_index, total_chunks, content, content_summary, chunk_size, overlap_size,
      start_offset, end_offset, metadata, created_at, ${embeddingNames})
    select p."user", p.document, p.index, p.total, r."content", r."contentSummary", r."chunkSize", coalesce(r."overlapSize", 0),
      r."startOffset", r."endOffset", coalesce(r."metadata", '{}'), coalesce(r."createdAt", now()), ${embeddingValues}
    from json_to_recordset(${rows}) as p("user" text, document bigint, index int, total int, vector text, model text, next text,
      "nextModel" text, line json)
    cross join lateral json_to_record(p.line -> 'row') as r("content" text, "contentSummary" text, "chunkSize" int, "overlapSize" int,
      "startOffset" int, "endOffset" int, "metadata" jsonb, "createdAt" timestamptz, ${sql.raw(embeddedFields)})
    order by p.document, p.index`);
}

async function insertTools(tx: Transaction, rows: readonly Numbered[]): Promise<number[]> {
  if (rows.length === 0) return [];
  const stored = await tx.execute<{ name: string }>(sql`
    insert into ${toolEmbeddings} (tool_name, tool_description, tool_parameters, usage_count, last_used, created_at, updated_at,
      ${embeddingNames})
    select r."toolName", r."toolDescription", r."toolParameters", coalesce(r."usageCount", 0), r."lastUsed",
      coalesce(r."createdAt", now()), coalesce(r."updatedAt", now()), ${embeddingValues}
    from json_to_recordset(${payloadOf(rows)}) ${payloadColumns}
    cross join lateral json_to_record(p.line -> 'row') as r("toolName" text, "toolDescription" text, "toolParameters" jsonb,
      "usageCount" int, "lastUsed" timestamptz, "createdAt" timestamptz, "updatedAt" timestamptz, ${sql.raw(embeddedFields)})
    order by p.n on conflict do nothing returning tool_name as name`);
  const names = new Set(stored.map(({ name }) => name));
  return rows.filter(({ row }) => names.has(row.origin)).map(({ n }) => n);
}
