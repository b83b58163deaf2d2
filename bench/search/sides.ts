import { readFile } from 'node:fs/promises';
import postgres from 'postgres';
import { clientKey } from '../../src/config.ts';
import { type BenchDatabase, startIfEmbedded } from '../support/database.ts';
import { startServer } from '../support/server.ts';
import { type Answer, type Form, k, query } from './forms.ts';
import { KeptSocket } from './kept-socket.ts';
import type { BenchQuery } from './rows.ts';
import type { SearchStatement } from './statement.ts';
import type { BenchViewer } from './viewers.ts';

/** One of the two sides that are compared. */
export interface Side {
  /** Opens a client. Its `search` returns the ids of the rows that it found for query `n`. */
  client(): Promise<{ search(form: Form, n: number): Promise<string[]>; close(): void }>;
  /** Returns the ids of the processes that work for this side, by group. Undefined if they run on another machine. */
  processes(): Promise<Record<string, number[]> | undefined>;
  close(): Promise<void>;
}

/** How many connections each side opens to the database. This is the default of the server. */
const connections = 10;

/**
 * Starts the side that sends the server's statements through postgres.js, as a program with this one search would:
 * prepared, without a transaction, and with settings that are set once for each connection.
 */
export async function bareSide(
  database: BenchDatabase,
  statements: ReadonlyMap<Form, SearchStatement>,
  queries: readonly BenchQuery[],
): Promise<Side> {
  const embedded = await startIfEmbedded(database);
  const [settings = {}] = [...statements.values()].map((statement) => statement.settings);
  const options = {
    max: embedded ? 1 : connections,
    fetch_types: false,
    connection: settings,
    ...(embedded && { ...embedded.connection, ssl: false }),
  };
  const sql = database.url === undefined ? postgres(options) : postgres(database.url, options);
  if (embedded) {
    // The embedded database takes no settings when a client connects.
    const set = Object.entries(settings).map(([name, value]) => `set ${name} = ${value}`);
    await sql.unsafe(set.join('; '));
  }
  const parameters = new Map(
    [...statements].map(([form, statement]) => [
      form,
      queries.map(({ vector }) => statement.parameters(vector)),
    ]),
  );
  return {
    client: async () => ({
      search: async (form, n) => {
        const text = statements.get(form)?.text ?? '';
        const rows = await sql.unsafe(text, parameters.get(form)?.[n], { prepare: true });
        return rows.map(({ id }) => id);
      },
      close: () => {},
    }),
    processes: async () => {
      const engine = embedded ? embedded.pid && [embedded.pid] : await backends(database.url as string);
      return engine ? { client: [process.pid], database: engine } : undefined;
    },
    close: async () => {
      await sql.end();
      await embedded?.close();
    },
  };
}

/** The server of a viewer in a process of its own, asked over HTTP. */
export async function apiSide(
  database: BenchDatabase,
  viewer: BenchViewer,
  queries: readonly BenchQuery[],
  forms: readonly Form[],
  logFolder: string,
  { key, nodeOptions = [] }: { key?: string | undefined; nodeOptions?: string[] } = {},
): Promise<Side> {
  const { server: command, env = {}, byKey } = viewer;
  const server = await startServer(database, logFolder, { nodeOptions, command, env });
  const { hostname, port } = new URL(server.url);
  // Requests are made before the measurement, as are the vectors of the bare side, because this is work of a client.
  const requests = new Map(
    forms.map((form) => [
      form,
      queries.map((one) => requestOf(hostname, form, one, byKey ? key : clientKey())),
    ]),
  );
  return {
    client: async () => {
      const socket = await KeptSocket.open(hostname, Number(port));
      return {
        search: async (form, n) => {
          const body = await socket.exchange(requests.get(form)?.[n] as Buffer);
          const { data, errors } = JSON.parse(body) as { data?: Answer; errors?: { message: string }[] };
          if (!data) throw new Error(`The API answered: ${errors?.[0]?.message}`);
          return data.similarMemories.map(({ memory }) => memory.id);
        },
        close: () => socket.close(),
      };
    },
    processes: async () => {
      // The embedded engine is a child of the server.
      const engine = database.url === undefined ? [] : await backends(database.url);
      return engine && { client: [process.pid], server: [server.pid], database: engine };
    },
    close: server.close,
  };
}

/** Returns the ids of PostgreSQL's processes for the database, if they run on this machine. */
async function backends(url: string): Promise<number[] | undefined> {
  const sql = postgres(url, { max: 1 });
  const rows = await sql<{ pid: number; database: string }[]>`
    select pid, datname as database from pg_stat_activity where datname = current_database()
    and pid <> pg_backend_pid() and backend_type = 'client backend'`.finally(() => sql.end());
  for (const { pid, database } of rows) {
    // PostgreSQL writes the name of the database into the title of a process.
    const title = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (!title.includes(database)) return undefined;
  }
  return rows.map(({ pid }) => pid);
}

function requestOf(
  host: string,
  { filters, options }: Form,
  { vector }: BenchQuery,
  key: string | undefined,
): Buffer {
  const body = Buffer.from(JSON.stringify({ query, variables: { vector, k, filters, options } }));
  const authorization = key === undefined ? '' : `authorization: Bearer ${key}\r\n`;
  const head = `POST /graphql HTTP/1.1\r\nhost: ${host}\r\n${authorization}content-type: application/json\r\naccept: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}
