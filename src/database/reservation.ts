import type { ParameterOrJSON, PendingQuery, ReservedSql, Row, UnsafeQueryOptions } from 'postgres';
import { isConnectionLost } from './errors.ts';

// postgres.js 3.4.9 does not survive the loss of a reserved connection: a statement sent afterwards crashes the process
// or, when the connection was opened again meanwhile, runs outside its transaction; statements that wait in the
// reservation's own queue never settle (its issues 1186, 1208, 1215, 1216). It also never answers a statement after one
// that it could not encode. So what leaves this file is a reservation that knows when its connection is gone.

/** The parts of postgres.js' queries and connections that its types leave out. */
interface QueryInternals {
  executed: boolean;
  /** The connection the query was sent over; null before. */
  state: object | null;
  reject(error: Error): void;
}
interface ConnectionInternals {
  onclose: ((error: Error) => void) | null;
}
type Statement = PendingQuery<Row[]> & QueryInternals;

export interface ReservationLimits {
  /**
   * How long the first statement may stay without an answer when it is one that any server answers at once (BEGIN, or an
   * empty statement), in milliseconds. It tells a connection that is dead from a statement that takes long.
   */
  greetingPatienceMs: number;
  /** How long a statement may stay without an answer, in milliseconds; 0 for ever. */
  patienceMs: number;
  /** Called for each answer, also one that is an error. */
  onAnswer(): void;
  /**
   * Called when that first statement, sent at `since` (of `performance.now()`), got no answer; gives the error that the
   * waiting statements are answered with.
   */
  onSilent(since: number): Error;
  /** Called when patience ran out; gives the error that the waiting statements are answered with. */
  onStuck(): Error;
  /** Called once, when the connection is given back; `lost` means that it must not be used again. */
  onRelease(lost: boolean): void;
}

const mostParameters = 65_533; // postgres.js refuses more, in the way that is described above
const shortStatement = 512; // surely sent in one piece
const isGreeting = (text: string) => text === '' || /^begin\b/i.test(text);
const nothing = () => {};

/**
 * The reserved connection, guarded. Once its connection is lost, every statement that waits is rejected with the
 * connection error, and so is every further one; `release` may always be called, and only the first call counts.
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

  // A greeting that is on its way comes before whatever is sent now.
  const isAttached = () => connection !== undefined || greeting?.statement.executed === true;

  // A hook of postgres.js' own transactions, and its only way to learn which connection a statement went to. It is not
  // called for a statement with parameters, or for a large one.
  const attach = () => {
    if (!isAttached())
      void greet(watch(reserved.unsafe('', [], { onexecute } as UnsafeQueryOptions))).execute();
  };

  const greet = (statement: Statement): Statement => {
    const since = performance.now();
    const tooLate = () => {
      if (statement.state !== null) lose(limits.onSilent(since)); // else nothing was sent
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
    // Not `statement.then`, which would send it.
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
    // A connection that is given back while a statement waits could be handed on in the middle of it.
    if (waiting.size > 0) lose(new Error('The connection was released while a statement was waiting.'));
    if (lost === undefined) reserved.release();
    limits.onRelease(lost !== undefined);
  };

  return Object.assign(tagged, reserved, { unsafe, release }) as unknown as ReservedSql;
}

/** Settles a statement for good: without `executed` it would be sent when somebody awaits it. */
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
