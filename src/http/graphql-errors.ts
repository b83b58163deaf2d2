import { randomUUID } from 'node:crypto';
import { ApolloServerErrorCode } from '@apollo/server/errors';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { databaseError } from '../database/errors.ts';
import { type ErrorCode, errorCodes } from '../errors.ts';
import { errorDetail, type Logger } from '../log.ts';

/*
 * Threat model. Everything that a request makes fail is answered from here, and a client sees only what is built here.
 * - Errors carry what was meant for others: Drizzle's message is the SQL with its parameters, PostgreSQL's `detail`
 *   quotes stored rows, `JSON.parse` quotes its input, file system errors name paths, stacks show the code. So nothing
 *   of an error is passed on unless it was written for clients: a FunesError, or graphql's own word about the request.
 *   All else becomes one fixed sentence and an id under which the log has the error's kind and stack.
 * - Messages about a request repeat parts of it, which its sender chose: they are cut, so that an error cannot be
 *   made to answer, or a client's log to store, megabytes.
 * - An error that fails to be described would fall back to Apollo's own formatting, so describing never throws,
 *   whatever was thrown: a proxy, a loop of causes, an object whose `message` throws.
 * - An error met by hundreds of fields at once (a batch that failed) fills one log line, not hundreds.
 */

/** What a client is told about an error; `id` finds it in the log when it is the server's fault. */
export interface ErrorAnswer {
  code: ErrorCode;
  message: string;
  id?: string;
}

export interface ErrorDescriber {
  /** Turns whatever was thrown into what a client may know; logs what is the server's fault. Never throws. */
  describe(error: unknown): ErrorAnswer;
  /** The same for Apollo Server's `formatError`: keeps only locations, path and code beside the message. */
  format(formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError;
}

/** Apollo's codes for requests that never reach a resolver: the sender's fault, told in graphql's own words. */
const requestErrorCodes: ReadonlySet<unknown> = new Set(
  Object.values(ApolloServerErrorCode).filter((code) => code !== ApolloServerErrorCode.INTERNAL_SERVER_ERROR),
);

const deepest = 10; // wrappers around an error; a chain that is longer is a loop

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
      message: `The server failed on this request. Its log tells more under the id ${id}.`,
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
    if (requestErrorCodes.has(apolloCode) && message !== undefined) {
      return { code: expected?.code ?? 'BAD_USER_INPUT', message: shortened(message) };
    }
    if (expected !== undefined) {
      if (expected.code === 'INTERNAL_SERVER_ERROR') return internal(expected);
      if (expected.code === 'UNAVAILABLE') logger.warn({ err: expected }, 'A request failed: unavailable.');
      return { code: expected.code, message: shortened(expected.message) };
    }
    if (origin instanceof GraphQLError) {
      const { code } = origin.extensions;
      if (isErrorCode(code) && code !== 'INTERNAL_SERVER_ERROR')
        return { code, message: shortened(origin.message) };
      // With nodes, graphql itself refused an argument; without, a scalar could not write a value of ours.
      if (origin.nodes !== undefined) return { code: 'BAD_USER_INPUT', message: shortened(origin.message) };
    }
    return internal(origin);
  }

  function guarded(work: () => ErrorAnswer): ErrorAnswer {
    try {
      return work();
    } catch {
      // The error cannot even be looked at; another one can.
      return internal(new Error('An error was thrown that cannot be read.'));
    }
  }

  return {
    describe: (error) => guarded(() => answer(error)),
    format(formatted, error) {
      const { code, message, id } = guarded(() =>
        answer(error, formatted.message, formatted.extensions?.code),
      );
      return {
        message,
        ...(formatted.locations && { locations: formatted.locations }),
        ...(formatted.path && { path: formatted.path }),
        extensions: { code, ...(id !== undefined && { id }) },
      };
    },
  };
}

/** The error below the wrappers that graphql, Apollo and Promise.any put around it. */
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

const head = 400;
const tail = 200;

/** A message of bounded length. Its end is kept as well: graphql quotes the value first and says what is wrong last. */
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

/** The HTTP status of a request that was refused as a whole, before any of its fields was resolved. */
export function httpStatus({ code }: { code: ErrorCode }): number {
  return statusOf[code];
}
