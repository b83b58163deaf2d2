import type { GraphQLSchema } from 'graphql';
import { rolesFor } from '../../src/security/access.ts';
import { bearer } from '../src/security/support.ts';
import type { Draw } from '../support/operations/draw.ts';
import { type Answered, learn, nothingKnown } from '../support/operations/known.ts';
import { argumentOf, type Member, Members } from '../support/operations/members.ts';
import {
  type Habits,
  makeOperation,
  type Operation,
  type SelectedField,
} from '../support/operations/operations.ts';
import { sendInTurn } from '../support/operations/send-in-turn.ts';
import { type Known, type RowKind, rowKinds } from '../support/operations/values.ts';
import type { TestServer } from '../support/server.ts';
import {
  allIdsOf,
  attacker,
  idsOf,
  keys,
  ownedRows,
  sharedFilenames,
  sharedKeys,
  sharedSessions,
  sharedText,
  toolNames,
  type User,
  unusedIds,
  victim,
} from './data.ts';
import { differenceOf } from './difference.ts';
import { LeakFinder, type RawAnswer } from './leaks.ts';
import { membersOf, Reach, type RootKind, rootFields, textsIn } from './reach.ts';

export interface AttackOptions {
  schema: GraphQLSchema;
  server: TestServer;
  /** A server without the victim's rows, which must answer each request of the attacker as `server` does. */
  twin?: TestServer | undefined;
  /** What earlier attacks have reached, which this one goes on from. */
  reach?: Reach;
  requests: number;
  seed: number;
  /** Whether the first leak ends the attack with an error that has the request in it, made as small as possible. */
  stopsAtLeak: boolean;
  /** Whether a request that changes the victim's rows counts as a leak. Without it, compare `storedRows` before and after all. */
  watchesRows?: boolean;
}

export interface AttackReport {
  requests: number;
  /** What the answers told of the victim's rows, one for each request that told anything. */
  leaks: string[];
  /** How many requests each code refused, wholly or in part. */
  codes: Record<string, number>;
  reach: Reach;
  /** How many requests the victim sent in the midst of those of the attacker, and how many returned rows of the victim. */
  victims: { requests: number; answered: number };
}

const tablesOf: Record<RowKind, readonly string[]> = {
  Memory: ['memories', 'memories_archive'],
  Chunk: ['document_chunks'],
  Document: ['documents'],
  ApiKey: ['api_keys'],
  // Tools belong to nobody. Ids of other kinds stand for them.
  Tool: ['memories'],
};

/** The header that sends a key. */
export const asVictim = bearer(keys.victim);
const asUser = [bearer(keys.user), { ...bearer(keys.administrator), 'x-funes-user': attacker }];
/** The ways in which the attacker sends requests: by the key of a user, by an administrator who acts for it, by the key of a reader. */
export const asAttacker = [...asUser, bearer(keys.reader)];

/** Texts that the attacker may know: those that both users have, and the name of the victim. */
const texts = {
  userId: [victim, victim, attacker],
  about: [victim],
  name: [...toolNames, victim],
  toolName: [...toolNames, victim],
  idempotencyKey: sharedKeys,
  sessionId: sharedSessions,
  filename: sharedFilenames,
  content: [sharedText, 'walnut cello the', 'train billing walnut'],
  contentBase64: [Buffer.from(sharedText).toString('base64')],
};

/** Whether the server refuses a field of the root whenever the attacker names the victim in it, whichever wall stands. */
export const isRefused =
  (schema: GraphQLSchema) =>
  (name: string, kind: RootKind): boolean =>
    !rolesFor({ name, kind }).includes('user') || namesUser(schema, name);

/** How likely an argument or input field is, of those by which a request says what it is about; if `urgent`, nearly certain. */
function chanceOf(name: string, urgent: boolean): number | undefined {
  // A request that names the victim as the owner of what it writes is refused as a whole, and learns nothing else.
  if (['userId', 'about'].includes(name)) return urgent ? 0.5 : 0.3;
  if (['filters', 'like'].includes(name)) return urgent ? 0.9 : 0.5;
  if (['id', 'documentId'].includes(name)) return urgent ? 0.8 : 0.35;
  if (['unlike', 'document', 'kinds'].includes(name)) return 0.35;
  if (['orderBy', 'options', 'text'].includes(name)) return 0.5;
  return undefined;
}

/** Whether a field takes the name of a user, and so refuses the victim's. */
function namesUser(schema: GraphQLSchema, name: string): boolean {
  return rootsOf(schema)[name]?.args.some((arg) => arg.name === 'userId') ?? false;
}

/** Whether a field of the root takes no arguments. Nothing foreign can be named in it; only the rows that it reads can be foreign. */
function takesNothing(schema: GraphQLSchema, name: string): boolean {
  return rootsOf(schema)[name]?.args.length === 0;
}

/** Whether only administrators may call a field of the root. */
function isClosed(schema: GraphQLSchema, name: string): boolean {
  const kind = schema.getQueryType()?.getFields()[name] ? 'query' : 'mutation';
  return name in rootsOf(schema) && !rolesFor({ name, kind }).includes('user');
}

const rootsOf = (schema: GraphQLSchema) => ({
  ...schema.getQueryType()?.getFields(),
  ...schema.getMutationType()?.getFields(),
});

const habits = (schema: GraphQLSchema, urgent: boolean): Partial<Habits> => ({
  wrong: 0.02,
  selected: [
    'id',
    'edges',
    'node',
    'memory',
    'chunk',
    'document',
    'tool',
    'content',
    'metadata',
    'pageInfo',
    'totalCount',
    'scoreParts',
  ],
  // A closed field is refused whatever its arguments are. So a few requests have all of them, and leave others to open fields.
  chanceOf: (name, field) => (field !== undefined && isClosed(schema, field) ? 0.8 : chanceOf(name, urgent)),
  whole: 0.7,
  // A field that is refused leaves the answer without data, which would hide what the other fields return.
  otherRoots: (kind) => ({
    count: kind === 'query' ? 2 : 1,
    from: (name) => rolesFor({ name, kind }).includes('user') && !namesUser(schema, name),
  }),
});

/** How often an operation is drawn, until there is something foreign in it. */
const mostDraws = 6;

/**
 * Sends requests of the attacker that are made from the schema and name what is the victim's: ids, the name, cursors. Meanwhile the
 * victim sends some of the same requests.
 * @throws Error with the request, if `stopsAtLeak` and an answer tells anything of rows of another user.
 */
export async function attack(options: AttackOptions): Promise<AttackReport> {
  const { schema, server, twin, requests, seed, stopsAtLeak, watchesRows } = options;
  const members = new Members(schema);
  const { reach = new Reach(schema) } = options;
  const finders: Record<User, LeakFinder> = {
    [victim]: new LeakFinder(victim),
    [attacker]: new LeakFinder(attacker),
  };
  const report: AttackReport = {
    requests: 0,
    leaks: [],
    codes: {},
    reach,
    victims: { requests: 0, answered: 0 },
  };
  const own = knownOf(attacker);
  const cursors = await readCursors(options, members);
  const foreign = new Set([
    ...allIdsOf(victim),
    victim,
    ...sharedKeys,
    ...texts.contentBase64,
    sharedText,
    ...[...cursors.values()].flat().map(({ cursor }) => cursor),
  ]);
  const hasForeign = (root: SelectedField) => [...textsIn([root])].some((text) => foreign.has(text));

  const canLeak = (root: SelectedField) => hasForeign(root) || takesNothing(schema, root.name);

  /** Draws an operation that has something foreign where the goal is, if there is one. */
  function draw(goal: Member, from: Draw): Operation {
    let operation: Operation | undefined;
    for (let draws = 0; draws < mostDraws; draws++) {
      operation = makeOperation(
        schema,
        members,
        goal,
        mixed(own, cursors, from),
        from,
        habits(schema, draws > 0),
      );
      const isReached = (root: SelectedField) => canLeak(root) && membersOf([root]).has(goal);
      if (rootFields(operation.selections).some(isReached)) break;
    }
    return operation as Operation;
  }

  let stored = watchesRows ? await storedRows(server, victim) : '';
  /** Returns whether rows of the victim are others than after the last request. */
  async function rowsChanged(): Promise<boolean> {
    const before = stored;
    stored = await storedRows(server, victim);
    return stored !== before;
  }

  async function run(goal: Member, operation: Operation, from: Draw): Promise<void> {
    const { query, variables, selections } = operation;
    const isQuery = query.startsWith('query');
    // Each mutation of a reader is refused in the same way.
    const headers = from.pick(isQuery || from.chance(0.15) ? asAttacker : asUser);
    const claims = from.chance(0.015) ? { ...bearer(keys.user), 'x-funes-user': victim } : headers;
    const isShared = isQuery && from.chance(0.2);
    // What changes something must change the twin too. What a field without arguments leaks shows only beside the twin's answer.
    const mustCompare = !isQuery || rootFields(selections).some(({ name }) => takesNothing(schema, name));
    const isCompared = mustCompare || from.chance(0.3);
    const [answer, alike, victims] = await Promise.all([
      post(server, query, variables, claims),
      twin && isCompared ? post(twin, query, variables, claims) : undefined,
      isShared ? post(server, query, variables, asVictim) : undefined,
    ]);
    report.requests += 1;
    const sent = new Set([...textsIn(selections), ...Object.values(claims)]);
    const leak = finders[victim].find(answer, sent);
    const changed = watchesRows && !isQuery && (await rowsChanged());
    const failure =
      (leak && `The answer has ${leak}.`) ??
      (alike &&
        differenceOf(answer, alike)?.replace(
          /^/,
          'Without the rows of the victim the answer is another one. ',
        )) ??
      (changed ? 'Rows of the victim changed.' : undefined) ??
      (victims && finders[attacker].find(victims, sent)?.replace(/^/, 'The victim was answered '));
    if (victims) {
      report.victims.requests += 1;
      if (finders[victim].find(victims, new Set()) !== undefined) report.victims.answered += 1;
    }
    if (failure !== undefined) {
      const whole = `${failure}\n${query}\n${JSON.stringify(variables)}\n${JSON.stringify(claims)}\n${answer.text}`;
      report.leaks.push(whole);
      if (stopsAtLeak) throw new Error(whole);
    }
    for (const code of new Set(answer.errors?.map(({ extensions }) => extensions.code)))
      report.codes[code] = (report.codes[code] ?? 0) + 1;
    if (answer.errors?.some(({ extensions }) => extensions.code === 'FORBIDDEN')) reach.postpone(goal);
    for (const root of carriedOut(operation, answer)) if (canLeak(root)) reach.count(root);
    if (answer.data != null) learn(selections, answer.data as Answered, own);
  }

  await sendInTurn({ count: requests, seed, goals: goalsOf(reach) }, async (goal, from) =>
    run(goal, draw(goal, from), from),
  );
  return report;
}

/** What each request is for. */
function* goalsOf(reach: Reach): Generator<Member> {
  for (;;) yield reach.next();
}

/** What a user knows of the own rows. */
function knownOf(user: User): Known {
  const known = nothingKnown();
  for (const kind of rowKinds)
    if (kind !== 'Tool') known.ids[kind] = tablesOf[kind].flatMap((table) => idsOf(table, user)).slice(0, 40);
  known.toolNames = [...toolNames];
  return known;
}

/** A few ids of the victim, of the attacker, and of nobody, of each kind. */
function mixed(own: Known, cursors: Known['cursors'], draw: Draw): Known {
  const few = (from: readonly string[], count: number) => {
    const start = from.length > 0 ? draw.below(from.length) : 0;
    return from.slice(start, start + count);
  };
  const ids = { ...own.ids };
  for (const kind of rowKinds) {
    const foreign = few(
      tablesOf[kind].flatMap((table) => idsOf(table, victim)),
      4,
    );
    ids[kind] = [...foreign, ...few(own.ids[kind], 2), ...few(unusedIds, Number(draw.chance(0.2)))];
  }
  return { ids, toolNames: own.toolNames, texts, cursors };
}

/** Cursors of the victim's pages of every list that has any, and of an administrator's where the victim has none. */
async function readCursors(
  { schema, server, seed }: AttackOptions,
  members: Members,
): Promise<Known['cursors']> {
  const known = { ...knownOf(victim), texts: { ...texts, userId: [victim] } };
  const lists = members.all.filter((member) => member.endsWith('(after:)'));
  const perList = 8;
  const collecting: Partial<Habits> = {
    wrong: 0,
    selected: ['id', 'edges', 'cursor', 'pageInfo', 'endCursor', 'node', 'document', 'chunks'],
    chanceOf: (name) => (name === 'filters' ? 0.1 : undefined),
    roots: 'queries',
  };
  const total = lists.length * perList;
  const listsWithout = () =>
    lists.filter((list) => ![...known.cursors.keys()].some((field) => argumentOf(field, 'after') === list));
  let turn = 0;
  const goals = (function* (): Generator<Member> {
    for (;;) {
      // Half of the requests are for all lists, the others for those that nobody has answered with a cursor yet.
      const missing = turn < total / 2 ? [] : listsWithout();
      const from = missing.length > 0 ? missing : lists;
      yield (from[turn++ % from.length] as Member).replace(/\(after:\)$/, '');
    }
  })();
  await sendInTurn({ count: total, seed, goals }, async (goal, draw) => {
    const { query, variables, selections } = makeOperation(schema, members, goal, known, draw, collecting);
    const hasNone = !known.cursors.has(goal) && turn > total / 2;
    const { data } = await post(server, query, variables, hasNone ? bearer(keys.administrator) : asVictim);
    if (data != null) learn(selections, data as Answered, known);
  });
  const missing = listsWithout();
  if (missing.length > 0) throw new Error(`There are no cursors for ${missing.join(', ')}.`);
  return known.cursors;
}

/** Sends an operation, and returns the whole answer. */
export async function post(
  { url }: TestServer,
  query: string,
  variables: object,
  headers: Record<string, string>,
): Promise<RawAnswer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  });
  const body = await response.text();
  const lines = [...response.headers].map(([name, value]) => `${name}: ${value}`);
  return {
    status: response.status,
    text: [...lines, body].join('\n'),
    ...(JSON.parse(body) as Omit<RawAnswer, 'status' | 'text'>),
  };
}

const refusals = new Set(['BAD_USER_INPUT', 'LIMIT_EXCEEDED']);

/** Whether an argument was wrong. A cursor of another user's list is refused as such, which is what the request was to find out. */
const isWrongArgument = ({ message, extensions }: NonNullable<RawAnswer['errors']>[number]): boolean =>
  refusals.has(extensions.code) && !message.startsWith('after ');

/** The fields of the root that the server has carried out, and not refused for what was wrong in their arguments. */
function carriedOut({ query, selections }: Operation, answer: RawAnswer) {
  if (!('data' in answer)) return [];
  const roots = rootFields(selections);
  const errorsOf = ({ alias, name }: (typeof roots)[number]) =>
    (answer.errors ?? []).filter(({ path }) => path?.[0] === (alias ?? name));
  // The fields of a mutation run one after another, and none runs after one that failed.
  const failed = query.startsWith('mutation') ? roots.findIndex((root) => errorsOf(root).length > 0) : -1;
  return roots
    .slice(0, failed < 0 ? undefined : failed + 1)
    .filter((root) => !errorsOf(root).some(isWrongArgument));
}

/**
 * All that is stored of a user, as text: equal if nothing was changed. Left out is what the user's own requests change meanwhile: when
 * a key was last used, and the lines of the audit about exports.
 */
export async function storedRows({ sql }: TestServer, user: User): Promise<string> {
  const stored: unknown[] = [];
  for (const table of Object.keys(ownedRows)) {
    const rows = await sql<{ row: Record<string, unknown> }>(
      `select to_jsonb(t) - 'last_used_at' as row from ${table} t where user_id = $1 ${table === 'audit' ? 'and actor is not null' : ''} order by id`,
      [user],
    );
    stored.push(table, ...rows.map(({ row }) => JSON.stringify(row)));
  }
  return stored.join('\n');
}
