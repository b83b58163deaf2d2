import type { ParameterOrJSON, PendingQuery, ReservedSql, Row, UnsafeQueryOptions } from 'postgres';
import { isConnectionLost } from './errors.ts';

// postgres.js 3.4.9 does not survive the loss of a reserved connection (its issues 1186, 1208, 1215, 1216): a statement that is
// sent afterwards crashes the process, or runs outside its transaction if the connection was opened again. Statements in the
// queue of the reservation never settle. Also, a statement after one that could not be encoded never settles. So this file
// makes a reservation that knows when its connection is gone, and that refuses statements that cannot be encoded.

/** The parts of postgres.js' queries and connections that its types leave out. */
interface QueryInternals {
  executed: boolean;
  /** The connection that the query was sent over; null before it is sent. */
  state: object | null;
  reject(error: Error): void;
}
interface ConnectionInternals {
  onclose: ((error: Error) => void) | null;
}
type Statement = PendingQuery<Row[]> & QueryInternals;

export interface ReservationLimits {
  /**
   * How long the first statement may wait for its answer, in milliseconds, if any server answers it at once: BEGIN, or an empty
   * statement. This limit tells a dead connection from a slow statement.
   */
  greetingPatienceMs: number;
  /** How long a statement may wait for its answer, in milliseconds; 0 means no limit. */
  patienceMs: number;
  /** Called for each answer, even if it is an error. */
  onAnswer(): void;
  /**
   * Called if that first statement got no answer in time. Returns the error for the waiting statements.
   * @param since when the statement was sent, as `performance.now()`.
   */
  onSilent(since: number): Error;
  /** Called if a statement got no answer within `patienceMs`. Returns the error for the waiting statements. */
  onStuck(): Error;
  /** Called once, when the connection is released; `lost` means that it must not be used again. */
  onRelease(lost: boolean): void;
}

const mostParameters = 65_533; // postgres.js cannot encode more
const shortStatement = 1000; // postgres.js sends it in one piece
const isGreeting = (text: string) => text === '' || /^begin\b/i.test(text);
const nothing = () => {};

/**
 * Guards a reservation. When its connection is lost, every waiting and every later statement is rejected with the connection
 * error. `release` may be called at any time and more than once; only the first call counts.
 */
export function guardReservation(reserved: ReservedSql, limits: ReservationLimits): ReservedSql {
  const waiting = new Set<Statement>();
  let connection: ConnectionInternals | undefined;
  let lost: Error | undefined;
  let released = false;
  let patience: NodeJS.Timeout | undefined;
  let greeting: { statement: Statement; patience: NodeJS.Timeout } | undefined;

  const lose = (error: Error) => {
    lost ??= error;
    for (const statement of waiting) abort(statement, lost);
  };

  const onexecute = (its: ConnectionInternals) => {
    connection = its;
    its.onclose = lose;
    return true;
  };

  // A greeting that has been sent arrives before any statement that is sent now.
  const isAttached = () => connection !== undefined || greeting?.statement.executed === true;

  // postgres.js tells only this hook of its transactions which connection a statement went to. It calls the hook neither for
  // statements with parameters nor for long ones, so an empty statement goes first.
  const attach = () => {
    if (!isAttached())
      void greet(watch(reserved.unsafe('', [], { onexecute } as UnsafeQueryOptions))).execute();
  };

  const greet = (statement: Statement): Statement => {
    const since = performance.now();
    const tooLate = () => {
      if (statement.state !== null) lose(limits.onSilent(since)); // otherwise nothing was sent
    };
    greeting ??= { statement, patience: setTimeout(tooLate, limits.greetingPatienceMs).unref() };
    return statement;
  };

  const outOfPatience = () => {
    patience = undefined;
    if ([...waiting].some(({ state }) => state !== null)) lose(limits.onStuck());
    else if (waiting.size > 0) hurry();
  };

  const hurry = () => {
    if (patience !== undefined) patience.refresh();
    else if (limits.patienceMs > 0) patience = setTimeout(outOfPatience, limits.patienceMs).unref();
  };

  const settled = (statement: Statement, error?: unknown) => {
    waiting.delete(statement);
    if (statement === greeting?.statement) clearTimeout(greeting.patience);
    if (isConnectionLost(error)) lose(error as Error);
    else if (lost === undefined) limits.onAnswer();
    if (waiting.size > 0) return hurry();
    clearTimeout(patience);
    patience = undefined;
  };

  const watch = (query: PendingQuery<Row[]>): Statement => {
    const statement = query as Statement;
    waiting.add(statement);
    // `statement.then` would send the statement.
    Promise.prototype.then.call(
      statement,
      () => settled(statement),
      (error) => settled(statement, error),
    );
    const refusal = released ? new Error('A statement came after its connection was released.') : lost;
    if (refusal === undefined) hurry();
    else abort(statement, refusal);
    return statement;
  };

  const unsafe = (
    text: string,
    parameters: ParameterOrJSON<never>[] = [],
    options: UnsafeQueryOptions = {},
  ): PendingQuery<Row[]> => {
    const unsendable = encodingProblem(parameters);
    if (unsendable !== undefined) {
      const statement = reserved.unsafe(text) as unknown as Statement;
      Promise.prototype.catch.call(statement, nothing);
      abort(statement, unsendable);
      return statement;
    }
    if (isAttached() || released || lost !== undefined) {
      return watch(reserved.unsafe(text, parameters, options));
    }
    if (parameters.length === 0 && text.length <= shortStatement) {
      const statement = watch(
        reserved.unsafe(text, parameters, { ...options, onexecute } as UnsafeQueryOptions),
      );
      return isGreeting(text) ? greet(statement) : statement;
    }
    attach();
    return watch(reserved.unsafe(text, parameters, options));
  };

  const tagged = (first: never, ...values: never[]): unknown => {
    const made: unknown = reserved(first, ...values);
    if (!(made instanceof Promise)) return made;
    attach();
    return watch(made as PendingQuery<Row[]>);
  };

  const release = () => {
    if (released) return;
    released = true;
    clearTimeout(patience);
    clearTimeout(greeting?.patience);
    if (connection?.onclose === lose) connection.onclose = null;
    // Otherwise the next user could get a connection on which a statement is still running.
    if (waiting.size > 0) lose(new Error('The connection was released while a statement was waiting.'));
    if (lost === undefined) reserved.release();
    limits.onRelease(lost !== undefined);
  };

  return Object.assign(tagged, reserved, { unsafe, release }) as unknown as ReservedSql;
}

/** Rejects a statement. Without `executed`, awaiting the statement would still send it. */
function abort(statement: Statement, error: Error): void {
  statement.executed = true;
  statement.reject(error);
}

function encodingProblem(parameters: readonly unknown[]): Error | undefined {
  if (parameters.length > mostParameters) {
    return new RangeError(
      `A statement has ${parameters.length} parameters; PostgreSQL takes ${mostParameters}.`,
    );
  }
  const missing = parameters.indexOf(undefined);
  return missing === -1 ? undefined : new TypeError(`Parameter $${missing + 1} of a statement is undefined.`);
}
