import { type SQL, sql } from 'drizzle-orm';
import { makePgArray, type PgTable } from 'drizzle-orm/pg-core';
import { vectorLiteral } from '../../schema/columns/vector.ts';
import {
  documentChunks,
  installation,
  memories,
  memoriesArchive,
  toolEmbeddings,
} from '../../schema/index.ts';
import type { Transaction } from '../database/transaction.ts';
import type { RowModels, TextVectors } from '../generations.ts';
import { chunkText, toolText } from './embedded-text.ts';

/** The tables whose rows have embeddings. */
export const embeddedKinds = ['memories', 'chunks', 'tools', 'archive'] as const;
export type EmbeddedKind = (typeof embeddedKinds)[number];

/** How a row is embedded. In the SQL, `t` is the row. */
export interface Source {
  table: PgTable;
  /** The owner of the row. It is in the key of all tables but that of tools. */
  owner: SQL;
  /** All that the embedding is made of, as jsonb. An embedding that was made of other parts is not stored. */
  parts: SQL;
  /** The length of the text in characters. */
  length: SQL;
  /** Makes the text to embed from the parts. */
  textOf(parts: TextParts): string;
}

/** The parts of any row; a row has some of them. */
export interface TextParts {
  content: string;
  metadata: Record<string, unknown>;
  toolName: string;
  toolDescription: string;
}

const content = {
  owner: sql`t.user_id`,
  parts: sql`jsonb_build_object('content', t.content)`,
  length: sql`length(t.content)`,
  textOf: (parts: TextParts) => parts.content,
};

/** How the rows of each kind are embedded. */
export const sources: Readonly<Record<EmbeddedKind, Source>> = {
  memories: { table: memories, ...content },
  chunks: {
    ...content,
    table: documentChunks,
    parts: sql`jsonb_build_object('content', t.content, 'metadata', t.metadata)`,
    textOf: chunkText,
  },
  archive: { table: memoriesArchive, ...content },
  tools: {
    table: toolEmbeddings,
    owner: sql`''::varchar`,
    parts: sql`jsonb_build_object('toolName', t.tool_name, 'toolDescription', t.tool_description)`,
    length: sql`length(t.tool_description)`,
    textOf: toolText,
  },
};

/** The condition of the partial indexes, for the row `t`, and that its embedding is the server's to make. */
const isWaiting = sql`t.embedding is null and t.embedding_error is null and t.embedding_source = 'FUNES'`;

/** A row that waits for its embedding, and that nobody else embeds until the lease ends. */
export interface Claimed {
  kind: EmbeddedKind;
  id: string;
  /** Empty for a tool. */
  userId: string;
  text: string;
  /** The parts of the text, as the database writes them. */
  parts: string;
  /** How often embedding this row has failed. */
  attempts: number;
  /** When the lease ends, to the microsecond. It tells a claim from every other claim of the row. */
  lease: string;
}

/** How much to claim. */
export interface ClaimSize {
  rows: number;
  /** Characters of all rows together, but for the first row. */
  characters: number;
  /** How long nobody else may claim the rows. */
  leaseMs: number;
}

/**
 * Claims rows that wait for their embedding, the oldest first, and skips those that another transaction changes. The claim is in the
 * row (`embedding_retry_at`), not in a lock, because the one connection of the embedded database cannot hold a transaction open
 * while the model computes. If the process is killed, the lease ends by itself.
 */
export async function claimPending(tx: Transaction, kind: EmbeddedKind, size: ClaimSize): Promise<Claimed[]> {
  const { table, owner, length } = sources[kind];
  const rows = await tx.execute<ClaimedRow>(sql`
    with due as materialized (
      select t.id, ${owner} as owner, ${length} as characters from ${table} as t
      where ${isWaiting} and (t.embedding_retry_at is null or t.embedding_retry_at <= now())
      order by t.id limit ${size.rows} for update skip locked
    ), summed as (
      select id, owner, sum(characters) over (order by id) - characters as before from due
    )
    update ${table} as t set embedding_retry_at = ${timeIn(size.leaseMs)}
    from summed where t.id = summed.id and ${owner} = summed.owner and summed.before < ${size.characters}
    returning ${claimedColumns(kind)}`);
  return rows.map((row) => toClaimed(kind, row));
}

/** Claims chunks of a document that wait for their embedding, in their order, and skips those that another transaction changes. */
export async function claimChunks(
  tx: Transaction,
  document: { id: string; userId: string },
  { rows, leaseMs }: Pick<ClaimSize, 'rows' | 'leaseMs'>,
): Promise<Claimed[]> {
  const claimed = await tx.execute<ClaimedRow>(sql`
    with due as materialized (
      select t.id from ${documentChunks} as t
      where t.document_id = ${document.id} and t.user_id = ${document.userId} and ${isWaiting}
        and (t.embedding_retry_at is null or t.embedding_retry_at <= now())
      order by t.chunk_index limit ${rows} for update skip locked
    )
    update ${documentChunks} as t set embedding_retry_at = ${timeIn(leaseMs)}
    from due where t.id = due.id and t.user_id = ${document.userId} returning ${claimedColumns('chunks')}`);
  return claimed.map((row) => toClaimed('chunks', row));
}

/** Reads the chunks of a document that this transaction has inserted with a claim, in their order. */
export async function readClaimedChunks(
  tx: Transaction,
  document: { id: string; userId: string },
): Promise<Claimed[]> {
  const rows = await tx.execute<ClaimedRow>(sql`
    select ${claimedColumns('chunks')} from ${documentChunks} as t
    where t.document_id = ${document.id} and t.user_id = ${document.userId} and ${isWaiting}
    order by t.chunk_index`);
  return rows.map((row) => toClaimed('chunks', row));
}

type ClaimedRow = Omit<Claimed, 'kind' | 'text'> & Record<string, unknown>;

function claimedColumns(kind: EmbeddedKind): SQL {
  const { owner, parts } = sources[kind];
  return sql`t.id::text as id, ${owner} as "userId", ${parts}::text as parts, t.embedding_attempts as attempts,
    t.embedding_retry_at::text as lease`;
}

function toClaimed(kind: EmbeddedKind, { id, userId, parts, attempts, lease }: ClaimedRow): Claimed {
  return { kind, id, userId, text: sources[kind].textOf(JSON.parse(parts)), parts, attempts, lease };
}

/**
 * Stores the embeddings of rows that still wait for them and whose text is still what was embedded. Skips rows that another
 * transaction changes, so that nobody waits for it in a circle. If searches were switched to the next model meanwhile, stores the
 * vectors of that alone; rows without one still wait. Returns the ids of the rows that have an embedding now.
 */
export async function storeEmbeddings(
  tx: Transaction,
  kind: EmbeddedKind,
  { model, nextModel }: RowModels,
  embedded: readonly { row: Pick<Claimed, 'id' | 'userId' | 'parts'>; vectors: TextVectors }[],
): Promise<Set<string>> {
  const { table, owner, parts } = sources[kind];
  const list = (values: (string | null)[], type: SQL) => sql`${makePgArray(values)}::${type}[]`;
  const text = sql`text`;
  const literals = (which: keyof TextVectors) =>
    list(
      embedded.map(({ vectors: { [which]: vector } }) => (vector ? vectorLiteral(vector) : null)),
      text,
    );
  const rows = (column: 'id' | 'userId' | 'parts') => embedded.map(({ row }) => row[column]);
  const done = sql`unnest(${list(rows('id'), sql`bigint`)}, ${list(rows('userId'), text)}, ${list(rows('parts'), text)},
    ${literals('vector')}, ${literals('next')}) as done (id, owner, parts, vector, next)`;
  const stored = await tx.execute<{ id: string }>(sql`
    with generation as (
      select coalesce(embedding_model, ${model ?? null}::varchar) as model from ${installation}
    ), free as materialized (
      select t.id, ${owner} as owner, generation.model,
        case generation.model when ${model ?? null}::varchar then done.vector when ${nextModel ?? null}::varchar then done.next end as vector,
        case generation.model when ${model ?? null}::varchar then done.next end as next
      from ${table} as t join ${done} on t.id = done.id and ${owner} = done.owner, generation
      where ${isWaiting} and ${parts}::text = done.parts
      order by t.id for update of t skip locked
    )
    update ${table} as t set embedding = free.vector::vector, embedding_model = free.model, embedding_attempts = 0,
      embedding_retry_at = null, next_embedding = coalesce(free.next::vector, t.next_embedding),
      next_embedding_model = case when free.next is null then t.next_embedding_model else ${nextModel ?? null}::varchar end
    from free where t.id = free.id and ${owner} = free.owner and free.vector is not null returning t.id::text as id`);
  return new Set(stored.map(({ id }) => id));
}

/** Gives claimed rows back, so that anybody may claim them at once. */
export async function releaseClaims(
  tx: Transaction,
  kind: EmbeddedKind,
  claims: readonly Pick<Claimed, 'id' | 'lease'>[],
): Promise<void> {
  const { table, owner } = sources[kind];
  await tx.execute(sql`
    with free as materialized (
      select t.id, ${owner} as owner from ${table} as t
      join unnest(${makePgArray(claims.map(({ id }) => id))}::bigint[], ${makePgArray(claims.map(({ lease }) => lease))}::timestamptz[])
        as claim (id, lease) on t.id = claim.id and t.embedding_retry_at = claim.lease
      where ${isWaiting} order by t.id for update of t skip locked
    )
    update ${table} as t set embedding_retry_at = null from free where t.id = free.id and ${owner} = free.owner`);
}

/** What becomes of a row whose embedding failed. */
export interface Failure {
  /** For people; it is stored when the row is given up. */
  reason: string;
  /** How long to wait before the next attempt. Undefined to give up: the row is then FAILED. */
  retryMs: number | undefined;
}

/** Notes that embedding a row failed, unless its text has changed meanwhile. */
export async function recordFailure(
  tx: Transaction,
  { kind, id, userId, parts: embedded }: Claimed,
  { reason, retryMs }: Failure,
): Promise<void> {
  const { table, owner, parts } = sources[kind];
  const next =
    retryMs === undefined
      ? sql`embedding_error = ${reason}, embedding_retry_at = null`
      : sql`embedding_retry_at = ${timeIn(retryMs)}`;
  await tx.execute(sql`
    update ${table} as t set embedding_attempts = t.embedding_attempts + 1, ${next}
    where t.id = ${id} and ${owner} = ${userId} and ${isWaiting} and ${parts}::text = ${embedded}`);
}

/** Ends all claims and all pauses before a next attempt. Only for a server that is alone on its database. */
export async function endAllClaims(tx: Transaction): Promise<void> {
  for (const { table } of Object.values(sources)) {
    await tx.execute(
      sql`update ${table} as t set embedding_retry_at = null where ${isWaiting} and t.embedding_retry_at is not null`,
    );
  }
}

/** The time of the database in so many milliseconds. */
export function timeIn(ms: number): SQL {
  return sql`now() + make_interval(secs => ${ms / 1000}::float8)`;
}
