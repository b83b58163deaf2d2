import { type SQL, sql } from 'drizzle-orm';
import {
  documentChunks,
  documents,
  installation,
  memories,
  memoriesArchive,
  toolEmbeddings,
} from '../../schema/index.ts';
import { type Database, type Transaction, transaction } from '../database/transaction.ts';
import { writeAudit } from '../store/audit.ts';
import type { Viewer } from '../viewer.ts';
import { exportedFields, formatVersion, type Header, type LineKind } from './format.ts';

/** What to export. */
export interface ExportRequest {
  /** Whose rows. Without it, the rows of all users, and the tools, which all users share. */
  userId: string | undefined;
  vectors: boolean;
  /** The last migration, for the header. */
  schema: string | null;
}

/** Rows of an export, by their kind. */
export type ExportCounts = Record<LineKind, number>;

/** Where lines go. `write` resolves when there is room for more. */
export interface ExportOutput {
  write(text: string): Promise<void>;
  progress(state: { done: number; total: number }): void;
}

const rowsOfPage = 200;
const documentsOfPage = 100;

/**
 * Writes rows as lines. Each page is one short statement, so an export holds up no writes and takes as much memory as a page, or as
 * the largest document. What is written meanwhile may be in the export or not, but a document is always with the chunks that belong to
 * it, and a memory that moves into the archive is there once.
 */
export async function exportRows(
  database: Database,
  viewer: Viewer,
  request: ExportRequest,
  output: ExportOutput,
): Promise<ExportCounts> {
  const { userId } = request;
  const read = <T>(work: (tx: Transaction) => Promise<T>) =>
    // Times are written with the offset of the session.
    transaction(database, viewer, { access: 'read', settings: { timezone: "'UTC'" } }, work);
  const total = await read((tx) => countRows(tx, userId));
  await output.write(`${JSON.stringify(await read((tx) => readHeader(tx, request)))}\n`);
  const counts: ExportCounts = { memory: 0, document: 0, chunk: 0, tool: 0 };
  const pages = [
    (after: Line | undefined) => memoriesAfter(after, request),
    (after: Line | undefined) => documentsAfter(after, request),
    ...(userId === undefined ? [(after: Line | undefined) => toolsAfter(after, request)] : []),
  ];
  let done = 0;
  for (const page of pages) {
    let last: Line | undefined;
    do {
      const lines: Line[] = await read((tx) => tx.execute<Line & Record<string, unknown>>(page(last)));
      last = lines.at(-1);
      for (const { kind } of lines) counts[kind] += 1;
      done += lines.length;
      if (lines.length > 0) await output.write(`${lines.map(({ line }) => line).join('\n')}\n`);
      output.progress({ done, total: Math.max(done, total) });
    } while (last !== undefined);
  }
  if (userId !== undefined) {
    await transaction(database, viewer, { access: 'write' }, (tx) =>
      writeAudit(tx, viewer, { action: 'USER_EXPORTED', about: userId, details: counts }),
    );
  }
  await output.write(`${JSON.stringify({ kind: 'end', rows: done })}\n`);
  return counts;
}

interface Line {
  kind: LineKind;
  id: string;
  /** Of equal ids, the archived memory comes second; a chunk comes behind its document. */
  position: number;
  line: string;
}

async function readHeader(tx: Transaction, { vectors, schema }: ExportRequest): Promise<Header> {
  const [row] = await tx.select({ databaseId: installation.databaseId }).from(installation);
  return {
    funes: 'export',
    version: formatVersion,
    databaseId: row?.databaseId ?? '',
    schema,
    vectors,
    exportedAt: new Date().toISOString(),
  };
}

async function countRows(tx: Transaction, userId: string | undefined): Promise<number> {
  const own = userId === undefined ? sql`true` : sql`user_id = ${userId}`;
  const [row] = await tx.execute<{ total: string }>(sql`
    select (select count(*) from ${memories} where ${own}) + (select count(*) from ${memoriesArchive} where ${own})
      + (select coalesce(sum(1 + total_chunks), 0) from ${documents} where ${own})
      + ${userId === undefined ? sql`(select count(*) from ${toolEmbeddings})` : sql`0`} as total`);
  return Number(row?.total);
}

/** Live and archived memories in one statement, so that one that moves meanwhile is found in one of them. */
function memoriesAfter(after: Line | undefined, { userId, vectors }: ExportRequest): SQL {
  const part = (table: SQL, position: number) => sql`(
    select ${position}::int as position, t.id as id, ${lineOf('memory', vectors, position === 0 ? ['archivedAt'] : [])} as line
    from ${table} as t
    where ${beyond(after, position)} and ${isOf(userId)} order by t.id limit ${rowsOfPage})`;
  return sql`
    select 'memory' as kind, id::text as id, position, line
    from (${part(sql`${memories}`, 0)} union all ${part(sql`${memoriesArchive}`, 1)}) as found
    order by found.id, position limit ${rowsOfPage}`;
}

function beyond(after: Line | undefined, position: number): SQL {
  if (after === undefined) return sql`true`;
  return position > after.position ? sql`t.id >= ${after.id}` : sql`t.id > ${after.id}`;
}

/** Documents with all their chunks in one statement, so that they belong together. */
function documentsAfter(after: Line | undefined, { userId, vectors }: ExportRequest): SQL {
  return sql`
    with next as materialized (
      select t.id, t.user_id, sum(t.total_chunks + 1) over (order by t.id) - t.total_chunks - 1 as before
      from (
        select * from ${documents} as t where ${after ? sql`t.id > ${after.id}` : sql`true`} and ${isOf(userId)}
        order by t.id limit ${documentsOfPage}
      ) as t
    ), page as materialized (select id, user_id from next where before < ${rowsOfPage})
    select kind, id::text as id, position, line from (
      select 'document' as kind, t.id as id, -1 as position, ${lineOf('document', vectors)} as line
      from ${documents} as t join page using (id, user_id)
      union all
      select 'chunk', t.document_id, t.chunk_index, ${lineOf('chunk', vectors)}
      from ${documentChunks} as t join page on t.document_id = page.id and t.user_id = page.user_id
    ) as found order by found.id, position`;
}

function toolsAfter(after: Line | undefined, { vectors }: ExportRequest): SQL {
  return sql`
    select 'tool' as kind, t.id::text as id, 0 as position, ${lineOf('tool', vectors)} as line
    from ${toolEmbeddings} as t where ${beyond(after, 0)} order by t.id limit ${rowsOfPage}`;
}

const isOf = (userId: string | undefined) => (userId === undefined ? sql`true` : sql`t.user_id = ${userId}`);

/** The line of the row `t`. PostgreSQL writes it, so numbers keep their digits and times their microseconds. */
function lineOf(kind: LineKind, vectors: boolean, without: readonly string[] = []): SQL {
  const fields = exportedFields(kind, vectors).filter(({ name }) => !without.includes(name));
  const pairs = fields.map(({ name, column }) => {
    const value = sql`t.${sql.identifier(column.name)}`;
    // An id is a text, because a number of JSON may lose digits.
    if (column.columnType === 'PgId') return sql`${sql.raw(`'${name}'`)}, ${value}::text`;
    if (name === 'embedding') return sql`${sql.raw(`'${name}'`)}, ${value}::text::json`;
    return sql`${sql.raw(`'${name}'`)}, ${value}`;
  });
  return sql`json_build_object('kind', ${sql.raw(`'${kind}'`)}, 'row', json_build_object(${sql.join(pairs, sql`, `)}))::text`;
}
