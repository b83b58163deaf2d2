import { startApi } from '../../src/composition.ts';
import { loadConfig } from '../../src/config.ts';
import { withConnection } from '../../src/database/connection.ts';
import type { Embedder } from '../../src/embedding/embedder.ts';
import { createLogger } from '../../src/log.ts';
import type { Metrics } from '../../src/metrics/metrics.ts';
import { observeDatabase } from '../../src/metrics/observed-database.ts';
import { readinessChecker } from '../../src/readiness.ts';
import type { Quota, Services } from '../../src/services.ts';
import { HashEmbedder } from '../../testkit/hash-embedder.ts';
import { recordStatements, type Statement } from '../../testkit/statements.ts';
import type { TypedDocumentString } from '../generated/operations.ts';
import { openTestDatabase, type Seed, type TestDatabase } from './database.ts';
import { sharedChunker } from './shared-chunker.ts';
import { sharedExtractor } from './shared-extractor.ts';

export interface GraphQLAnswer<Data> {
  status: number;
  data?: Data | null;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
}

/** The first error of an answer, with its code as the client sees it. */
export class GraphQLAnswerError extends Error {
  override readonly name = 'GraphQLAnswerError';

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Variables may be left out where the operation needs none. */
type VariablesOf<Variables> =
  Record<string, never> extends Variables ? [variables?: Variables] : [variables: Variables];

/** The server as its users run it, but for the database, which is the test's, and the embedder, which it may choose. */
export interface TestServer {
  readonly url: string;
  readonly database: TestDatabase;
  /** The data of a typed operation. @throws GraphQLAnswerError for an answer with errors. */
  request<Data, Variables>(
    operation: TypedDocumentString<Data, Variables>,
    ...variables: VariablesOf<Variables>
  ): Promise<Data>;
  /** The whole answer to any query, right or wrong. */
  raw(
    query: string | TypedDocumentString<unknown, never>,
    variables?: object,
    headers?: Record<string, string>,
  ): Promise<GraphQLAnswer<unknown>>;
  /** The lines that the server has logged so far, above level debug. */
  readonly log: readonly Record<string, unknown>[];
  /** The statements that the server sends to the database while `work` runs. */
  statementsOf(work: () => Promise<unknown>): Promise<Statement[]>;
  /** Runs SQL beside the API. */
  sql<Row extends object>(statement: string, parameters?: (string | number)[]): Promise<Row[]>;
  /** Rows of each table and a hash of all that is in them: equal when nothing was written. */
  contents(): Promise<Record<string, string>>;
  close(): Promise<void>;
}

const tables = [
  'memories',
  'memories_archive',
  'documents',
  'document_chunks',
  'tool_embeddings',
  'api_keys',
  'audit',
];

export interface TestServerOptions {
  /** Default: the embedder that knows words but no meaning. An embedder that is given stays open. */
  embedder?: Embedder;
  /** What is in the database from the beginning. */
  seed?: Seed;
  /** A database to serve, which is closed with the server. Default: a new one. */
  database?: TestDatabase;
  quota?: Quota;
  /** What writes wake if something waits for its embedding. Default: nothing, so that rows stay PENDING. */
  filler?: Services['filler'];
  /** Settings by their names in the environment, such as FUNES_AUTH. */
  settings?: Record<string, string>;
  /** What counts requests and statements. Default: nothing. */
  metrics?: Metrics;
}

/**
 * Starts the real server on a free port: Fastify, the real schema, the chunker of the worker, and a database of its own.
 */
export async function startTestServer({
  embedder = new HashEmbedder(),
  seed,
  database: opened,
  quota,
  filler,
  settings = {},
  metrics,
}: TestServerOptions = {}): Promise<TestServer> {
  const config = loadConfig({ env: { PORT: '0', ...settings }, envFile: '/nowhere/.env' });
  const options = { statementTimeoutMs: config.statementTimeout, ...(seed && { seed }) };
  const database = opened ?? (await openTestDatabase(options));
  const recorded = recordStatements(database.pool);
  const failures: string[] = [];
  const log: Record<string, unknown>[] = [];
  const services: Services = {
    database: metrics ? observeDatabase(recorded.database, metrics.database) : recorded.database,
    embedder,
    extractor: sharedExtractor,
    chunker: sharedChunker,
    quota,
    filler,
    checkReadiness: readinessChecker({ pool: database.pool, embedder, withinMs: 60_000, keepMs: 0 }),
    embedded: database.engine === 'embedded',
    writeWaitMs: config.writeWait,
    log: createLogger({
      level: 'debug',
      stream: {
        write: (line) => {
          failures.push(...failureIn(line));
          const logged = JSON.parse(line) as Record<string, unknown>;
          if (logged.level !== 'debug') log.push(logged);
        },
      },
    }),
  };
  const http = await startApi(config, services, { metrics });

  async function post(
    query: { toString(): string },
    variables: object = {},
    headers: Record<string, string> = {},
  ): Promise<GraphQLAnswer<unknown>> {
    const response = await fetch(`${http.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query: query.toString(), variables }),
    });
    return { status: response.status, ...((await response.json()) as object) };
  }

  return {
    url: http.url,
    database,
    raw: post,
    log,
    async request<Data, Variables>(operation: TypedDocumentString<Data, Variables>, variables?: Variables) {
      const { data, errors } = await post(operation, variables ?? {});
      const [error] = errors ?? [];
      if (error?.extensions.code === 'INTERNAL_SERVER_ERROR') throw new Error(failures.at(-1));
      if (error) throw new GraphQLAnswerError(error.extensions.code, error.message);
      return data as Data;
    },
    async statementsOf(work) {
      const from = recorded.statements.length;
      await work();
      return recorded.statements.slice(from);
    },
    sql: (statement, parameters = []) =>
      withConnection(
        database.pool,
        async (connection) => [...(await connection.unsafe(statement, parameters as never[]))] as never,
      ),
    contents: () =>
      withConnection(database.pool, async (connection) => {
        const contents: Record<string, string> = {};
        for (const table of tables) {
          const [row] = await connection.unsafe<{ contents: string }[]>(
            `select count(*) || ' rows ' || coalesce(md5(string_agg(t::text, '' order by id)), '') as contents from ${table} t`,
          );
          contents[table] = row?.contents ?? '';
        }
        return contents;
      }),
    async close() {
      await http.close({ graceMs: 0 });
      await database.close();
    },
  };
}

/** What the log says in full of an error that is the server's fault: a test that fails on one should show it. */
function failureIn(line: string): string[] {
  const { detail } = JSON.parse(line) as { detail?: string };
  return detail === undefined ? [] : [detail];
}
