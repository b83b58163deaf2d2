import type { GraphQLSchema } from 'graphql';
import { type Answered, forget, learn, nothingKnown } from '../support/operations/known.ts';
import { type Member, Members } from '../support/operations/members.ts';
import { makeOperation, type Operation } from '../support/operations/operations.ts';
import { sendInTurn } from '../support/operations/send-in-turn.ts';
import type { GraphQLAnswer } from '../support/server.ts';

export interface FuzzOptions {
  schema: GraphQLSchema;
  /** Sends an operation to the server. */
  post(query: string, variables: object): Promise<GraphQLAnswer<unknown>>;
  operations: number;
  seed: number;
}

export interface FuzzReport {
  operations: number;
  /** How many were answered without an error. */
  withoutError: number;
  /** How many errors had each code. */
  codes: Record<string, number>;
  /** How many members the schema has. */
  members: number;
  /** Members that no operation had that was carried out, if only in part. */
  missing: Member[];
  /** Members that no operation had that was answered without an error. */
  unanswered: Member[];
}

/**
 * Sends operations that are made from the schema, one after another, until all are answered or one fails the server.
 * @throws Error with the operation, made as small as possible, whose answer is a 5xx or an INTERNAL_SERVER_ERROR or is
 * missing, or after which a rejection was not handled.
 */
export async function fuzz({ schema, post, operations, seed }: FuzzOptions): Promise<FuzzReport> {
  const members = new Members(schema);
  const missing = new Set(members.all);
  const unanswered = new Set(members.all);
  const report = { operations: 0, withoutError: 0, codes: {} as Record<string, number> };
  const known = nothingKnown();
  const goals = goalsOf(members.all, unanswered);
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown) => rejections.push(reason);

  async function run(operation: Operation): Promise<void> {
    const { query, variables } = operation;
    const answer = await post(query, variables).catch((error: unknown) => {
      throw new Error(`There is no answer: ${error}\n${query}\n${JSON.stringify(variables)}`);
    });
    const { status, data, errors = [] } = answer;
    const failed =
      status >= 500 ||
      rejections.length > 0 ||
      errors.some(({ extensions }) => extensions.code === 'INTERNAL_SERVER_ERROR');
    if (failed) {
      const [rejection] = rejections.splice(0);
      throw new Error(
        `The server failed.\n${query}\n${JSON.stringify(variables)}\n${status} ${JSON.stringify(errors)} ${rejection ?? ''}`,
      );
    }
    report.operations += 1;
    if (errors.length === 0) {
      report.withoutError += 1;
      for (const member of operation.members) unanswered.delete(member);
    }
    for (const { message, extensions } of errors) {
      report.codes[extensions.code] = (report.codes[extensions.code] ?? 0) + 1;
      if (extensions.code === 'NOT_FOUND') forget(message, known);
    }
    if (data == null) return;
    for (const member of operation.members) missing.delete(member);
    learn(operation.selections, data as Answered, known);
  }

  process.on('unhandledRejection', onRejection);
  try {
    await sendInTurn({ count: operations, seed, goals }, async (goal, draw) =>
      run(makeOperation(schema, members, goal, known, draw)),
    );
  } finally {
    process.off('unhandledRejection', onRejection);
  }
  return { ...report, members: members.all.length, missing: [...missing], unanswered: [...unanswered] };
}

/** How often a member that no operation without an error had is tried again. */
const mostTries = 60;

/**
 * All members in turn, cursors last, as there are none yet; and after each turn, before each of the next, one of those that no
 * operation without an error had, unless it was tried often: one that needs luck leaves operations for others.
 */
function* goalsOf(all: readonly Member[], unanswered: ReadonlySet<Member>): Generator<Member> {
  const late = (member: Member) => Number(member.endsWith('(after:)'));
  const inTurn = [...all].sort((a, b) => late(a) - late(b));
  yield* inTurn;
  const tries = new Map<Member, number>();
  const triesOf = (member: Member) => tries.get(member) ?? 0;
  for (let turn = 0; ; turn++) {
    const left = [...unanswered].filter((member) => triesOf(member) < mostTries);
    const again = left[Math.floor(turn / 2) % left.length];
    const next = inTurn[Math.floor(turn / 2) % inTurn.length] as Member;
    if (turn % 2 === 0 && again !== undefined) {
      tries.set(again, triesOf(again) + 1);
      yield again;
    } else yield next;
  }
}
