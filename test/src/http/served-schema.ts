import { buildSchema, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql';
import { onTestFinished } from 'vitest';
import { loadConfig } from '../../../src/config.ts';
import type { RateLimitKey } from '../../../src/http/rate-limit.ts';
import { type HttpConfig, type HttpServer, startHttpServer } from '../../../src/http/server.ts';
import { createLogger } from '../../../src/log.ts';
import { localViewer, type Viewer } from '../../../src/viewer.ts';

export interface TestContext {
  viewer: Viewer;
}

export type Resolvers = Record<string, GraphQLFieldResolver<unknown, TestContext>>;

/** A schema in SDL. The fields of Query and Mutation have resolvers of their name. */
export function schemaOf(sdl: string, resolvers: Resolvers): GraphQLSchema {
  const schema = buildSchema(sdl);
  const fields = { ...schema.getQueryType()?.getFields(), ...schema.getMutationType()?.getFields() };
  for (const [name, resolve] of Object.entries(resolvers)) {
    const field = fields[name];
    if (field === undefined) throw new Error(`The test schema has no field ${name}.`);
    field.resolve = resolve;
  }
  return schema;
}

export interface ServedSchemaOptions {
  schema: GraphQLSchema;
  config?: Partial<HttpConfig>;
  createContext?: () => TestContext | Promise<TestContext>;
  isStranger?: () => boolean;
  level?: 'info' | 'debug';
  rateLimitKey?: RateLimitKey;
}

export interface ServedSchema extends HttpServer {
  /** The lines that were logged so far. */
  log: Record<string, unknown>[];
  post(body: unknown, headers?: Record<string, string>): Promise<Response>;
  graphql(query: string, variables?: Record<string, unknown>): Promise<GraphQLAnswer>;
}

export interface GraphQLAnswer {
  status: number;
  data?: Record<string, unknown> | null;
  errors?: {
    message: string;
    path?: unknown[];
    locations?: unknown[];
    extensions: { code: string; id?: string };
  }[];
  /** The answer, as it was sent. */
  text: string;
}

/** Serves a schema over HTTP on a free port with the default settings. The server ends with the test. */
export async function serveSchema(options: ServedSchemaOptions): Promise<ServedSchema> {
  const log: Record<string, unknown>[] = [];
  const server = await startHttpServer({
    config: { ...loadConfig({ env: {}, envFile: '/nowhere/.env' }), port: 0, ...options.config },
    schema: options.schema,
    createContext: options.createContext ?? (() => ({ viewer: localViewer })),
    logger: createLogger({
      level: options.level ?? 'info',
      stream: { write: (line: string) => void log.push(JSON.parse(line)) },
    }),
    ...(options.isStranger && { isStranger: options.isStranger }),
    ...(options.rateLimitKey && { rateLimitKey: options.rateLimitKey }),
    examples: [{ title: 'The type of everything', query: 'query First { __typename }' }],
  });
  onTestFinished(() => server.close({ graceMs: 0 }));

  const post = (body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return {
    ...server,
    log,
    post,
    async graphql(query, variables) {
      const response = await post({ query, variables });
      const text = await response.text();
      return { ...JSON.parse(text), status: response.status, text };
    },
  };
}

/** Resolves when `condition` is true. Checks it after each turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}
