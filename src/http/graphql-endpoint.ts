import { Readable } from 'node:stream';
import {
  ApolloServer,
  type ApolloServerPlugin,
  type GraphQLRequestListener,
  HeaderMap,
  type HTTPGraphQLRequest,
} from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { Logger } from '../log.ts';
import type { Viewer } from '../viewer.ts';
import { type admission, refuseUnknown } from './admission.ts';
import { refuseInexactNumbers } from './exact-json.ts';
import { type ErrorAnswer, type ErrorDescriber, httpStatus } from './graphql-errors.ts';
import { hintsOf } from './hints/hints.ts';
import { errorOf, problemsOfShape } from './hints/variables.ts';
import { operationChecker, type RawOperation } from './operation/limits.ts';
import { rootFields } from './operation/root-fields.ts';
import { extensionsFor, type RequestRecord, refusalExtensions } from './request-log.ts';

/** The context of resolvers. Apollo copies the own enumerable properties of a context into a new object with its prototype. */
export interface RequestContext {
  readonly viewer: Viewer;
  /** Reports for `extensions.searches` of the response; empty unless the operation asks for them. */
  readonly searchReports?: readonly unknown[];
}

export interface GraphQLEndpointOptions<Context extends RequestContext> {
  schema: GraphQLSchema;
  /** Finds out who sends a request. */
  admit: ReturnType<typeof admission<Context>>;
  introspection: boolean;
  /** What an operation may cost at most. */
  costLimit: number;
  errors: ErrorDescriber;
  logger: Logger;
}

/** The path of the API. It must not change: clients have it in their settings. */
export const graphqlPath = '/graphql';

interface RecordedRequest extends HTTPGraphQLRequest {
  record: RequestRecord;
}

/**
 * Answers GraphQL over HTTP at `/graphql`: POST, and GET for queries. Apollo's own plugins are off, because each of them
 * costs promises in every request. Apollo caches parsed and validated documents by the text of the query.
 *
 * @returns a function that stops Apollo Server; call it after the last request.
 */
export async function addGraphQLEndpoint<Context extends RequestContext>(
  app: FastifyInstance,
  options: GraphQLEndpointOptions<Context>,
): Promise<() => Promise<void>> {
  const { schema, admit, introspection, costLimit, errors, logger } = options;
  const checkOperation = operationChecker(schema, costLimit);
  const hints = new WeakMap<object, string>();
  const apollo = new ApolloServer<Context>({
    schema,
    introspection,
    hideSchemaDetailsFromClientErrors: !introspection,
    includeStacktraceInErrorResponses: false,
    csrfPrevention: true,
    persistedQueries: false,
    stopOnTerminationSignals: false,
    nodeEnv: 'production',
    logger,
    formatError: (formatted, error) => errors.format(formatted, error, hints.get(error as object)),
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      recordingPlugin<Context>(),
      shapeCheckingPlugin<Context>(errors, introspection),
      // A hint says names of the schema.
      ...(introspection ? [hintingPlugin<Context>(hints)] : []),
    ],
  });
  await apollo.start();

  const contexts = new WeakMap<FastifyRequest, Context>();

  async function admitted(request: FastifyRequest, reply: FastifyReply) {
    if (isBrowserVisit(request)) return reply.redirect('./');
    const admission = await admit(request, reply);
    if (admission === undefined) return reply;
    if ('refusal' in admission) return refuseUnknown(reply, admission.refusal);
    contexts.set(request, admission.context);
  }

  async function answer(request: FastifyRequest, reply: FastifyReply) {
    const { record } = request;
    const contextValue = contexts.get(request);
    if (contextValue === undefined) throw new Error('A request was not admitted.');
    const httpGraphQLRequest: RecordedRequest = { ...toApollo(request), record };
    try {
      const variables = new URLSearchParams(httpGraphQLRequest.search).get('variables');
      if (variables !== null) refuseInexactNumbers(variables);
      checkOperation(rawOperation(httpGraphQLRequest));
    } catch (error) {
      const refusal = errors.describe(error);
      return reply
        .code(statusOfRefusal(refusal))
        .send({ errors: [{ message: refusal.message, extensions: refusalExtensions(record, refusal) }] });
    }
    const { status, headers, body } = await apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest,
      context: async () => contextValue,
    });
    // Apollo refused the request before the operation began, and did not call the plugin.
    if (status !== undefined && status >= 400)
      record.codes ??= [status < 500 ? 'BAD_USER_INPUT' : 'INTERNAL_SERVER_ERROR'];
    for (const [name, value] of headers) reply.header(name, value);
    reply.code(status ?? 200);
    return reply.send(body.kind === 'complete' ? body.string : Readable.from(body.asyncIterator));
  }

  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    try {
      refuseInexactNumbers(body as string);
    } catch (error) {
      done(error as Error);
      return;
    }
    parseJson(request, body as string, done);
  });
  app.route({
    method: ['GET', 'POST'],
    url: graphqlPath,
    exposeHeadRoute: false,
    onRequest: admitted,
    handler: answer,
  });
  return () => apollo.stop();
}

/**
 * Records the name of the operation and the codes of its errors for the log line of the request, and adds the reports of
 * searches to the response.
 */
function recordingPlugin<Context extends RequestContext>(): ApolloServerPlugin<Context> {
  const listener: GraphQLRequestListener<Context> = {
    async willSendResponse({ request, operationName, operation, document, schema, response, contextValue }) {
      const { record } = request.http as RecordedRequest;
      record.operation = operationName ?? null;
      if (operation !== undefined) record.fields = rootFields(schema, document, operation);
      const { body } = response;
      const errors = body.kind === 'single' ? body.singleResult.errors : body.initialResult.errors;
      if (errors !== undefined) {
        record.codes = [...new Set(errors.map((error) => String(error.extensions?.code)))];
        const ids = new Set(errors.flatMap((error) => (error.extensions?.id as string) ?? []));
        if (ids.size > 0) record.errorIds = [...ids];
        if (body.kind === 'single')
          body.singleResult.errors = errors.map((error) =>
            error.extensions ? { ...error, extensions: extensionsFor(record, error.extensions) } : error,
          );
      }
      if (contextValue.searchReports?.length && body.kind === 'single')
        body.singleResult.extensions = {
          ...body.singleResult.extensions,
          searches: contextValue.searchReports,
        };
    },
  };
  return { requestDidStart: async () => listener };
}

/** Finds out what to write instead of what graphql refused, before its errors are formatted. */
function hintingPlugin<Context extends RequestContext>(
  hints: WeakMap<object, string>,
): ApolloServerPlugin<Context> {
  const listener: GraphQLRequestListener<Context> = {
    async didEncounterErrors({ errors, document, schema, request, operation }) {
      if (document === undefined) return;
      const refused = {
        schema,
        document,
        variables: request.variables ?? {},
        valid: operation !== undefined,
        errors,
      };
      for (const [error, hint] of hintsOf(refused)) hints.set(error, hint);
    },
  };
  return { requestDidStart: async () => listener };
}

/** Refuses variables of a wrong shape before graphql does, which takes long for large ones. */
function shapeCheckingPlugin<Context extends RequestContext>(
  errors: ErrorDescriber,
  suggest: boolean,
): ApolloServerPlugin<Context> {
  const listener: GraphQLRequestListener<Context> = {
    async responseForOperation({ schema, operation, request }) {
      const definitions = operation.variableDefinitions ?? [];
      let refusals: readonly object[];
      let status = 400;
      try {
        const values = request.variables ?? {};
        refusals = problemsOfShape({ schema, definitions, values, suggest }).map((problem) => {
          const error = errorOf(problem);
          const formatted = { ...error.toJSON(), extensions: { code: 'BAD_USER_INPUT' } };
          return errors.format(formatted, error, suggest ? problem.hint : undefined);
        });
      } catch (error) {
        // More levels than the stack holds.
        const { message, ...extensions } = errors.describe(error);
        refusals = [{ message, extensions }];
        status = statusOfRefusal(extensions);
      }
      if (refusals.length === 0) return null;
      return {
        http: { status, headers: new HeaderMap() },
        body: { kind: 'single', singleResult: { errors: refusals as never } },
      };
    },
  };
  return { requestDidStart: async () => listener };
}

/** 413 is for a body that is too large. GraphQL answers 400 to an operation that it refuses. */
function statusOfRefusal({ code }: Pick<ErrorAnswer, 'code'>): number {
  return code === 'LIMIT_EXCEEDED' ? 400 : httpStatus({ code });
}

function toApollo({ method, headers, url, body }: FastifyRequest): HTTPGraphQLRequest {
  const headerMap = new HeaderMap();
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) headerMap.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const queryStart = url.indexOf('?');
  return { method, headers: headerMap, search: queryStart < 0 ? '' : url.slice(queryStart), body };
}

/** The operation of a request, read as Apollo reads it. What Apollo refuses is left out. */
function rawOperation({ method, search, body }: HTTPGraphQLRequest): RawOperation {
  if (method !== 'GET') return typeof body === 'object' && body !== null ? body : {};
  const parameters = new URLSearchParams(search);
  const variables = parameters.get('variables');
  return {
    query: parameters.get('query'),
    operationName: parameters.get('operationName'),
    variables: variables === null ? undefined : parsedOrNothing(variables),
  };
}

function parsedOrNothing(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Whether a person opened the endpoint in a browser; the page for people is at `/`. */
function isBrowserVisit({ method, headers, url }: FastifyRequest): boolean {
  return method === 'GET' && !url.includes('?') && (headers.accept?.includes('text/html') ?? false);
}
