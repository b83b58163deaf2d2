import { randomUUID } from 'node:crypto';
import { ApolloServerErrorCode } from '@apollo/server/errors';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { databaseError } from '../database/errors.ts';
import { type ErrorCode, errorCodes } from '../errors.ts';
import { errorDetail, type Logger } from '../log.ts';

/*
 * Threat model. This file makes every error that a client sees.
 * - Errors carry text that clients must not see: Drizzle's message is the SQL with its parameters, PostgreSQL's `detail`
 *   quotes stored rows, `JSON.parse` quotes its input, file system errors name paths, stacks show the code. So a client sees
 *   only messages that were written for clients: those of a FunesError, and graphql's own about the request. Any other
 *   error becomes one fixed sentence and an id; under this id the log has the kind and the stack of the error.
 * - Messages about a request quote parts of it, and the sender can make these parts long. Messages are cut, so that neither
 *   an answer nor a client's log grows by megabytes.
 * - If describing an error threw, Apollo would format the error itself. So describing never throws, even for a proxy, a
 *   loop of causes, or an object whose `message` throws.
 * - When hundreds of fields fail with one error (a batch that failed), the log has one line for it.
 */

/** What a client sees of an error. An error that is the server's fault has an `id`, by which the log can be searched. */
export interface ErrorAnswer {
  code: ErrorCode;
  message: string;
  id?: string;
}

export interface ErrorDescriber {
  /** Returns what a client may see of anything that was thrown, and logs what is the server's fault. Never throws. */
  describe(error: unknown): ErrorAnswer;
  /**
   * For Apollo Server's `formatError`: describes the error, and keeps its locations and path.
   * @param hint what to write instead, a sentence for the end of the message.
   */
  format(formatted: GraphQLFormattedError, error: unknown, hint?: string): GraphQLFormattedError;
}

/** Apollo's codes for requests that never reach a resolver. They are the sender's fault; graphql wrote their messages. */
const requestErrorCodes: ReadonlySet<unknown> = new Set(
  Object.values(ApolloServerErrorCode).filter((code) => code !== ApolloServerErrorCode.INTERNAL_SERVER_ERROR),
);

/** What graphql says, without nodes or a code, when it stops after fifty variables or parts of variables that are wrong. */
const tooManyWrongVariables = 'Too many errors processing variables, error limit reached. Execution aborted.';

const deepest = 10; // wrappers around an error; a longer chain is a loop

export function createErrorDescriber(
  logger: Logger,
  { statementTimeout }: { statementTimeout: number },
): ErrorDescriber {
  const ids = new WeakMap<object, string>();

  function internal(error: unknown): ErrorAnswer {
    const known = typeof error === 'object' && error !== null ? ids.get(error) : undefined;
    const id = known ?? randomUUID();
    if (known === undefined) {
      if (typeof error === 'object' && error !== null) ids.set(error, id);
      logger.error({ errorId: id, err: error }, 'A request failed with an error of the server.');
      if (logger.isLevelEnabled('debug'))
        logger.debug({ errorId: id, detail: errorDetail(error) }, 'The error in full.');
    }
    return {
      code: 'INTERNAL_SERVER_ERROR',
      message: `The server failed on this request. Look for the id ${id} in its log.`,
      id,
    };
  }

  function answer(error: unknown, message?: string, apolloCode?: unknown): ErrorAnswer {
    const origin = unwrapped(error);
    if (origin instanceof RangeError && origin.message.includes('call stack')) {
      return {
        code: 'LIMIT_EXCEEDED',
        message: 'The request is nested too deeply. Send it with fewer levels.',
      };
    }
    const expected = databaseError(origin, statementTimeout);
    if (message !== undefined) {
      const own = ownMessage(message);
      if (own !== undefined) return { code: 'BAD_USER_INPUT', message: own };
    }
    if (requestErrorCodes.has(apolloCode) && message !== undefined) {
      return { code: expected?.code ?? 'BAD_USER_INPUT', message: shortened(message) };
    }
    if (expected !== undefined) {
      if (expected.code === 'INTERNAL_SERVER_ERROR') return internal(expected);
      // A client that left is no failure of the server.
      const left = expected.cause instanceof Error && expected.cause.name === 'AbortError';
      if (expected.code === 'UNAVAILABLE' && !left)
        logger.warn({ err: expected }, 'A request failed: unavailable.');
      return { code: expected.code, message: shortened(expected.message) };
    }
    if (origin instanceof GraphQLError) {
      const { code } = origin.extensions;
      if (isErrorCode(code) && code !== 'INTERNAL_SERVER_ERROR')
        return { code, message: shortened(origin.message) };
      if (origin.message === tooManyWrongVariables)
        return { code: 'BAD_USER_INPUT', message: origin.message };
      // With nodes, graphql refused an argument. Without nodes, a scalar could not serialize a value of the server.
      if (origin.nodes !== undefined) return { code: 'BAD_USER_INPUT', message: shortened(origin.message) };
    }
    return internal(origin);
  }

  function guarded(work: () => ErrorAnswer): ErrorAnswer {
    try {
      return work();
    } catch {
      // Even reading the error throws, so log another error instead.
      return internal(new Error('An error was thrown that cannot be read.'));
    }
  }

  return {
    describe: (error) => guarded(() => answer(error)),
    format(formatted, error, hint) {
      const { code, message, id } = guarded(() =>
        answer(error, formatted.message, formatted.extensions?.code),
      );
      return {
        message: hint === undefined ? message : withHint(message, hint),
        ...(formatted.locations && { locations: formatted.locations }),
        ...(formatted.path && { path: formatted.path }),
        extensions: { code, ...(id !== undefined && { id }) },
      };
    },
  };
}

/** The error inside the wrappers that graphql, Apollo and Promise.any put around it. */
function unwrapped(error: unknown): unknown {
  let inner = error;
  for (let depth = 0; depth < deepest; depth++) {
    if (inner instanceof GraphQLError && inner.originalError) inner = inner.originalError;
    else if (inner instanceof AggregateError && !('code' in inner) && inner.errors.length > 0)
      [inner] = inner.errors;
    else break;
  }
  return inner;
}

function isErrorCode(code: unknown): code is ErrorCode {
  return errorCodes.includes(code as ErrorCode);
}

/** Puts a hint in the place of graphql's guess, which is the name with the most similar letters. */
function withHint(message: string, hint: string): string {
  const sentence = message.replace(/ Did you mean [^?]*\?$/, '');
  return `${/[.?!]$/.test(sentence) ? sentence : `${sentence}.`} ${hint}`;
}

/** How the messages of Apollo and graphql begin that give no advice to a client of funes, with what is said instead. */
const ownMessages: readonly [start: string, message: string][] = [
  [
    'GraphQL introspection is not allowed',
    'The schema is not shown here, because FUNES_INTROSPECTION is off. Ask whoever runs the server for schema.graphql, or to set it on.',
  ],
  [
    'Operation batching disabled',
    'The body of the request is a list. Send one operation in each request, as a JSON object with the key "query"; one operation may ' +
      'have many fields, by aliases.',
  ],
  [
    'POST body missing',
    'The body of the request is no JSON object with keys. Send {"query": "..."} with the header "content-type: application/json".',
  ],
  [
    'Schema is not configured to execute subscription',
    'The API has queries and mutations, and no subscriptions. Send a query again to see what has changed.',
  ],
];

function ownMessage(message: string): string | undefined {
  return ownMessages.find(([start]) => message.startsWith(start))?.[1];
}

const head = 400;
const tail = 200;

/** Cuts the middle out of a long message. The end must stay: graphql quotes the value first and says what is wrong last. */
function shortened(message: string): string {
  if (message.length <= head + tail + 50) return message;
  const left = message.length - head - tail;
  return `${message.slice(0, head)}… (${left} characters left out) …${message.slice(-tail)}`;
}

const statusOf: Readonly<Record<ErrorCode, number>> = {
  BAD_USER_INPUT: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  LIMIT_EXCEEDED: 413,
  UNAVAILABLE: 503,
  INTERNAL_SERVER_ERROR: 500,
};

/** The HTTP status of a request that is refused as a whole, before any field is resolved. */
export function httpStatus({ code }: { code: ErrorCode }): number {
  return statusOf[code];
}
