import fc from 'fast-check';
import type { GraphQLSchema } from 'graphql';
import type { GraphQLAnswer } from '../support/server.ts';
import { Draw } from './draw.ts';
import { type Member, Members } from './members.ts';
import { makeOperation, type Operation, type SelectedField, type Selection } from './operations.ts';
import { type Known, rowKinds } from './values.ts';

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

/** How many smaller operations are tried after one has failed. */
const mostAttempts = 200;

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
  const known: Known = {
    ids: { Memory: [], Chunk: [], Document: [], Tool: [] },
    toolNames: [],
    cursors: new Map(),
  };
  const goals = goalsOf(members.all, unanswered);
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown) => rejections.push(reason);

  let attempts = 0;
  let smallest: unknown;

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
    learn(operation.selections, data as Answered, undefined, known);
  }

  // The goal is drawn outside of what fast-check makes smaller, so that it stays.
  const goal = fc.constant(undefined).map(() => goals.next().value as Member);
  process.on('unhandledRejection', onRejection);
  try {
    await fc.assert(
      fc.asyncProperty(goal, fc.gen(), async (wanted, generated) => {
        if (smallest !== undefined) fc.pre(++attempts <= mostAttempts);
        try {
          await run(makeOperation(schema, members, wanted, known, new Draw(generated)));
        } catch (error) {
          smallest = error;
          throw error;
        }
      }),
      { numRuns: operations, seed, unbiased: true },
    );
  } catch (error) {
    // fast-check's own message has some thousand numbers before the operation.
    throw smallest ?? error;
  } finally {
    process.off('unhandledRejection', onRejection);
  }
  return { ...report, members: members.all.length, missing: [...missing], unanswered: [...unanswered] };
}

/**
 * All members in turn, cursors last, as there are none yet; and after each turn, before each of the next, one of those that no
 * operation without an error had.
 */
function* goalsOf(all: readonly Member[], unanswered: ReadonlySet<Member>): Generator<Member> {
  const late = (member: Member) => Number(member.endsWith('(after:)'));
  const inTurn = [...all].sort((a, b) => late(a) - late(b));
  yield* inTurn;
  for (let turn = 0; ; turn++) {
    const left = [...unanswered];
    const again = left[Math.floor(turn / 2) % left.length];
    const next = inTurn[Math.floor(turn / 2) % inTurn.length] as Member;
    yield turn % 2 === 0 ? (again ?? next) : next;
  }
}

type Answered = Record<string, unknown> | null;

/** Most ids of a kind, and most cursors of a list, that are kept: the latest. */
const kept = 60;

function remember<T>(values: T[], value: T): void {
  values.push(value);
  if (values.length > kept) values.shift();
}

/** Forgets what a message says is not there: rows of the kind that it names, with their ids or names in quotes. */
function forget(message: string, known: Known): void {
  const gone = new Set([...message.matchAll(/"([^"]+)"/g)].map(([, name]) => name));
  for (const kind of rowKinds)
    if (message.toLowerCase().includes(kind.toLowerCase()))
      known.ids[kind] = known.ids[kind].filter((id) => !gone.has(id));
  known.toolNames = known.toolNames.filter((name) => !gone.has(name));
}

/** Notes the ids, names and cursors of an answer. */
function learn(
  selections: readonly Selection[],
  answered: Answered,
  list: SelectedField | undefined,
  known: Known,
): void {
  if (answered === null) return;
  for (const selection of selections) {
    if (!('member' in selection)) {
      // A fragment for another type selects nothing here, and its names are missing.
      learn(selection.selections, answered, list, known);
      continue;
    }
    const { member, name, alias, selections: inner } = selection;
    const value = answered[alias ?? name];
    const [type = ''] = member.split('.');
    const kind = rowKinds.find((one) => one === type);
    if (typeof value === 'string') {
      if (name === 'id' && kind !== undefined && !known.ids[kind].includes(value))
        remember(known.ids[kind], value);
      if (name === 'toolName' && !known.toolNames.includes(value)) remember(known.toolNames, value);
      if (list !== undefined && /^(endC|c)ursor$/.test(name)) {
        const { after: _after, ...args } = list.args;
        const cursors = known.cursors.get(list.member) ?? [];
        known.cursors.set(list.member, cursors);
        remember(cursors, { args, cursor: value });
      }
    }
    if (inner.length === 0) continue;
    const isList =
      name !== 'edges' &&
      name !== 'pageInfo' &&
      kind === undefined &&
      /s$|recall|audit|exportUser/.test(name);
    for (const item of Array.isArray(value) ? value : [value ?? null])
      learn(inner, item as Answered, isList || member === 'Document.chunks' ? selection : list, known);
  }
}
