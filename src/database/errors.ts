import { FunesError } from '../errors.ts';
import { constraintMessages } from './constraint-messages.ts';

/** The fields that this file uses of errors of postgres.js, of Node's sockets and of the server. */
interface DriverError {
  /** A SQLSTATE, a code of Node such as ECONNREFUSED, or a code of postgres.js such as CONNECTION_CLOSED. */
  code: string;
  message: string;
  severity?: string;
  syscall?: string;
  constraint_name?: string;
  column_name?: string;
}

const deepest = 10; // causes; a longer chain is a loop

/** Codes of Node and of postgres.js which mean that there is no connection. */
const connectionCodes = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT'],
  ...['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'ERR_STREAM_DESTROYED'],
  ...['CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT'],
]);

const waitedTooLong = 'The database ended a transaction that had been waiting for too long.';

/** The beginnings of SQLSTATEs by which a server says that it cannot serve. */
const unavailable: ReadonlyArray<readonly [prefix: string, message: string]> = [
  ['08', 'The database connection was lost.'],
  ['57P', 'The database is shutting down or starting up.'],
  // The other codes of this beginning are mistakes of ours, such as a statement after one that failed.
  ['25P03', waitedTooLong],
  ['25P04', waitedTooLong],
  ['53300', 'The database has no connection left for this server.'],
  ['53100', 'The disk of the database is full.'],
  ['53', 'The database is out of resources.'],
  ['28', 'The database refuses the user or password of this server.'],
  ['3D000', 'The database of this server does not exist.'],
];

const badInput: Readonly<Record<string, string>> = {
  '22001': 'A text is longer than its field allows.',
  '22003': 'A number is out of the range of its field.',
  '22007': 'A date or time is not valid.',
  '22008': 'A date or time is out of range.',
  '22021': 'A text has characters that cannot be stored, such as NUL (U+0000). Remove them.',
  '22P05': 'A text has characters that cannot be stored, such as NUL (U+0000). Remove them.',
};

/**
 * Turns a database error into an error for clients; looks for it in the chain of `cause`s. Undefined if neither a client nor a
 * missing connection caused the error: the caller then answers INTERNAL_SERVER_ERROR.
 * Messages of Drizzle and PostgreSQL contain SQL, parameters, addresses and stored values. The returned message never does.
 *
 * @param statementTimeoutMs the timeout that the message names if a statement exceeded it.
 */
export function databaseError(error: unknown, statementTimeoutMs?: number): FunesError | undefined {
  for (
    let cause = error, depth = 0;
    cause instanceof Error && depth < deepest;
    cause = cause.cause, depth++
  ) {
    if (cause instanceof FunesError) return cause;
    if (isDriverError(cause)) return classify(cause, statementTimeoutMs);
  }
  return undefined;
}

/** Whether this error means that its connection is gone, so that nothing more can be sent over it. */
export function isConnectionLost(error: unknown): boolean {
  return isDriverError(error) && (isConnectionError(error) || error.severity === 'FATAL');
}

/** Whether this error means that the database did not answer at all, not even with a refusal. */
export function isUnreachable(error: unknown): boolean {
  return isDriverError(error) && isConnectionError(error);
}

/** The code of an error of the database or of its connection: a SQLSTATE, or a name such as ECONNREFUSED. Undefined without one. */
export function errorCode(error: unknown): string | undefined {
  return isDriverError(error) ? error.code : undefined;
}

/** The first error with this code in the chain of `cause`s, which Drizzle makes longer. Undefined if none has it. */
export function causeWithCode(error: unknown, code: string): Error | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (errorCode(cause) === code) return cause;
  return undefined;
}

/** What PostgreSQL or a pooler answers if a statement or a setting of an earlier transaction is in another session. */
const poolerCodes = [
  '26000', // invalid_sql_statement_name
  '42P05', // duplicate_prepared_statement
  '08P01', // protocol_violation
];

/** The code by which an error tells that sessions are shared, from the chain of `cause`s. Undefined for any other error. */
export function poolerCode(error: unknown): string | undefined {
  return poolerCodes.find((code) => causeWithCode(error, code) !== undefined);
}

function classify(error: DriverError, statementTimeoutMs: number | undefined): FunesError | undefined {
  const { code, constraint_name: constraint = '', column_name: column } = error;
  const funesError = (funesCode: FunesError['code'], message: string) =>
    new FunesError(funesCode, message, { cause: error });

  if (isConnectionError(error)) {
    return funesError('UNAVAILABLE', 'The database cannot be reached. Try again in a few seconds.');
  }
  const away = unavailable.find(([prefix]) => code.startsWith(prefix));
  if (away !== undefined) return funesError('UNAVAILABLE', `${away[1]} Try again in a few seconds.`);
  switch (code) {
    case '57014':
      return funesError('LIMIT_EXCEEDED', timeoutMessage(statementTimeoutMs));
    case '54000':
    case '54001':
      return funesError(
        'LIMIT_EXCEEDED',
        'A text or a query is too large for the database. Send it in smaller parts.',
      );
    case '40001':
    case '40P01':
    case '55P03':
      return funesError(
        'CONFLICT',
        'Another request changed the same data at the same time. Send the request again.',
      );
    case '23505':
      return funesError('CONFLICT', constraintMessages[constraint] ?? 'Such an object exists already.');
    case '23514':
      return funesError(
        'BAD_USER_INPUT',
        constraintMessages[constraint] ?? 'A value is out of its allowed range.',
      );
    case '23502':
      return funesError(
        'BAD_USER_INPUT',
        `A value is missing${column === undefined ? '' : ` for ${column}`}.`,
      );
    case '23503':
      return constraint in constraintMessages
        ? funesError('CONFLICT', constraintMessages[constraint] ?? '')
        : undefined;
    case '22000': // from pgvector: its messages say what is wrong with a vector, and do not quote it
      return funesError('BAD_USER_INPUT', `A vector is not valid: ${error.message}.`);
  }
  if (!code.startsWith('22')) return undefined;
  return funesError('BAD_USER_INPUT', badInput[code] ?? 'A value has a form that its field does not allow.');
}

/** ENOENT and EACCES are about the socket file only if the system call is `connect`. */
function isConnectionError({ code, syscall }: DriverError): boolean {
  return connectionCodes.has(code) || (syscall === 'connect' && (code === 'ENOENT' || code === 'EACCES'));
}

function timeoutMessage(statementTimeoutMs: number | undefined): string {
  const timeout =
    statementTimeoutMs === undefined ? '' : ` (statement timeout, ${statementTimeoutMs / 1000} s)`;
  return `The database needed too long for this request${timeout}. Ask for less at once, or narrow the filters.`;
}

function isDriverError(error: unknown): error is Error & DriverError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
