import { getTableName } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type PersonalKind, type PersonalTable, personalTables } from '../../../src/store/personal-tables.ts';
import type { ViewerRole } from '../../../src/viewer.ts';
import { AuditDocument, ExportUserDocument, ForgetUserDocument } from '../../generated/operations.ts';
import { bearer, makeKey } from '../../src/security/support.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

// Each row has the name of its user in it, so that an answer shows whose rows it has.

type Headers = Record<string, string>;
type Counts = { memories: number; archivedMemories: number; documents: number; chunks: number; keys: number };
interface Exported {
  kind: PersonalKind;
  id: string;
  row: Record<string, unknown>;
}
interface Page {
  edges: { cursor: string; node: Exported }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
  totalCount: number;
}

let server: TestServer;
let root: Headers;
const keyOf = {} as Record<string, string>;
const tables = Object.entries(personalTables) as [PersonalKind, PersonalTable][];

beforeAll(async () => {
  server = await startTestServer({ settings: { FUNES_AUTH: 'keys', FUNES_KEY_CACHE: '5min' } });
  root = bearer((await makeKey(server, 'root', 'admin')).key);
});
afterAll(() => server.close());

beforeEach(async () => {
  for (const name of ['ana', 'bob']) {
    await forget(name);
    await fill(name);
  }
});

async function makeKeyOf(name: string, role: ViewerRole): Promise<Headers> {
  keyOf[name] = (await makeKey(server, name, role)).key;
  return bearer(keyOf[name]);
}

async function dataOf<Data>(query: { toString(): string }, variables: object, headers: Headers = root) {
  const { data, errors } = await server.raw(query.toString(), variables, headers);
  expect(errors).toBeUndefined();
  return data as Data;
}

/** Rows of each kind: 4 memories, 2 of them in the archive, 2 documents with some chunks, 1 key. */
async function fill(name: string): Promise<void> {
  await dataOf(
    `mutation ($user: String!, $long: String!) {
      createMemories(inputs: [
        { userId: $user, content: "${name} one", metadata: { of: "${name}", n: 1.5 }, idempotencyKey: "a" }
        { userId: $user, content: "${name} two", sessionId: "s" }
        { userId: $user, content: "${name} three", importanceScore: 0.01 }
        { userId: $user, content: "${name} four", importanceScore: 0.02 }
      ]) { id }
      a: ingestDocument(input: { userId: $user, filename: "${name}.md", content: $long, chunkSize: 8, overlap: 2 }) { created }
      b: ingestDocument(input: { userId: $user, filename: "${name}.txt", content: "${name} wrote this" }) { created }
      archiveMemories(input: { importanceBelow: 0.1, filters: { userId: { eq: $user } }, dryRun: false }) { count }
    }`,
    { user: name, long: `${name} walks along the river. `.repeat(6) },
  );
  await makeKeyOf(name, 'user');
}

const exportPage = async (variables: object, headers: Headers = root): Promise<Page> =>
  (await dataOf<{ exportUser: Page }>(ExportUserDocument, variables, headers)).exportUser;

/** All pages of an export; `between` runs after each page. */
async function exportAll(
  variables: { first: number; userId?: string; vectors?: boolean },
  headers: Headers = root,
  between: (page: number) => Promise<unknown> = async () => {},
): Promise<Exported[]> {
  const rows: Exported[] = [];
  for (let after: string | null = null, page = 1; ; page++) {
    const { edges, pageInfo } = await exportPage({ ...variables, after }, headers);
    rows.push(...edges.map(({ node }) => node));
    if (!pageInfo.hasNextPage) return rows;
    expect(edges).toHaveLength(variables.first);
    after = pageInfo.endCursor;
    await between(page);
  }
}

const forget = async (userId: string, dryRun = false, headers: Headers = root): Promise<Counts> => {
  const { userId: named, ...counts } = (
    await dataOf<{ forgetUser: Counts & { userId: string } }>(ForgetUserDocument, { userId, dryRun }, headers)
  ).forgetUser;
  expect(named).toBe(userId);
  return counts;
};

/** The ids in the database of each kind of row of a user. */
async function stored(userId: string): Promise<Map<PersonalKind, string[]>> {
  const found = new Map<PersonalKind, string[]>();
  for (const [kind, { table }] of tables) {
    const rows = await server.sql<{ id: string }>(
      `select t.id::text as id from ${getTableName(table)} t where user_id = $1 order by t.id`,
      [userId],
    );
    found.set(
      kind,
      rows.map(({ id }) => id),
    );
  }
  return found;
}

const byKind = (rows: readonly Exported[]) =>
  new Map(
    tables.map(([kind]) => [kind, rows.filter((row) => row.kind === kind).map(({ id }) => id)] as const),
  );

const auditOf = async (about: string) =>
  (
    await dataOf<{ audit: { edges: { node: Record<string, unknown> }[] } }>(AuditDocument, {
      about,
      first: 200,
    })
  ).audit.edges.map(({ node }) => node);

const refusalOf = async (query: { toString(): string }, variables: object, headers: Headers) => {
  const { errors } = await server.raw(query.toString(), variables, headers);
  return { code: errors?.[0]?.extensions.code, message: errors?.[0]?.message };
};

describe('an export', () => {
  test.each([1, 3, 200])('has each row of the person once and no other, in pages of %i', async (first) => {
    const rows = await exportAll({ userId: 'ana', first });
    expect(byKind(rows)).toEqual(await stored('ana'));
    for (const [kind, ids] of byKind(rows)) expect(ids.length, kind).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toContain('bob');
    expect((await exportPage({ userId: 'ana', first: 0 })).totalCount).toBe(rows.length);
  });

  test('has all that is stored of a row, but for vectors, what is computed and the hash of a key', async () => {
    const rows = await exportAll({ userId: 'ana', first: 200 });
    const computed = [
      'embedding',
      'next_embedding',
      'content_tsv',
      'content_length',
      'last_chunk_index',
      'previous_chunk_index',
      'hash',
    ];
    for (const [kind, { table, columns }] of tables) {
      for (const { id, row } of rows.filter((one) => one.kind === kind)) {
        const [{ value } = { value: {} }] = await server.sql<{ value: Record<string, unknown> }>(
          `select to_jsonb(t) as value from ${getTableName(table)} t where id = ${id} and user_id = 'ana'`,
        );
        const expected = Object.entries(value).filter(([name]) => !computed.includes(name));
        const namesInCode = new Map(Object.entries(columns).map(([name, column]) => [column.name, name]));
        const exported = new Map(
          Object.entries(row).map(([name, field]) => [
            name,
            /^(id|documentId)$/.test(name) ? Number(field) : field,
          ]),
        );
        for (const [name, field] of expected)
          expect(exported.get(namesInCode.get(name) ?? name)).toEqual(field);
        expect(exported.size).toBe(expected.length);
        expect(row.id).toBe(id);
      }
    }
    expect(rows.find(({ kind }) => kind === 'MEMORY')?.row).toMatchObject({
      userId: 'ana',
      content: 'ana one',
      metadata: { of: 'ana', n: 1.5 },
      idempotencyKey: 'a',
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+[+-]\d\d:\d\d$/),
    });
  });

  test('has the vectors when they are wanted', async () => {
    const rows = await exportAll({ userId: 'ana', first: 200, vectors: true });
    const { memories } = await dataOf<{
      memories: { edges: { node: { id: string; embedding: number[] } }[] };
    }>('{ memories(filters: { userId: { eq: "ana" } }) { edges { node { id embedding } } } }', {});
    // The database writes the shortest number of 32 bits, and JavaScript the shortest of 64.
    for (const { node } of memories.edges)
      expect(
        Float32Array.from(
          rows.find(({ kind, id }) => kind === 'MEMORY' && id === node.id)?.row.embedding as number[],
        ),
      ).toEqual(Float32Array.from(node.embedding));
    for (const { kind, row } of rows)
      expect(Array.isArray(row.embedding), kind).toBe(['MEMORY', 'ARCHIVED_MEMORY', 'CHUNK'].includes(kind));
  });

  test('has each row that is there from the first page to the last, whatever moves and comes and goes', async () => {
    const before = await stored('ana');
    const memories = [...(before.get('MEMORY') ?? []), ...(before.get('ARCHIVED_MEMORY') ?? [])];
    const rows = await exportAll({ userId: 'ana', first: 1 }, root, async (page) => {
      const [archive, restore] =
        page % 2 === 1
          ? ['0.9', '[]']
          : ['0.0001', JSON.stringify((await stored('ana')).get('ARCHIVED_MEMORY'))];
      // A row that comes after the last one on each page would have a next page for ever.
      const created =
        page > 6 ? '' : 'createMemory(input: { userId: "ana", content: "ana came later" }) { id }';
      await dataOf(
        `mutation {
          archiveMemories(input: { importanceBelow: ${archive}, filters: { userId: { eq: "ana" } }, dryRun: false }) { count }
          restoreMemories(ids: ${restore})
          ${created}
        }`,
        {},
      );
    });
    const seen = rows
      .filter(({ kind }) => kind === 'MEMORY' || kind === 'ARCHIVED_MEMORY')
      .map(({ id }) => id);
    expect(seen).toEqual(expect.arrayContaining(memories));
    expect(new Set(seen).size).toBe(seen.length);
    for (const kind of ['DOCUMENT', 'CHUNK', 'KEY'] as const)
      expect(byKind(rows).get(kind)).toEqual(before.get(kind));
  });

  test('of a memory and an archived one with the same id has both, also at the end of a page', async () => {
    const [id] = (await stored('ana')).get('MEMORY') ?? [];
    await server.sql(`insert into memories_archive (id, user_id, content) values (${id}, 'ana', 'twin')`);
    expect(byKind(await exportAll({ userId: 'ana', first: 1 }))).toEqual(await stored('ana'));
  });

  test('is for oneself without a name, and never for another', async () => {
    for (const headers of [
      bearer(keyOf.ana ?? ''),
      await makeKeyOf('ana', 'reader'),
      { ...root, 'x-funes-user': 'ana' },
    ]) {
      const rows = await exportAll({ first: 5 }, headers);
      const { AUDIT: _, ...own } = Object.fromEntries(await stored('ana'));
      const { AUDIT, ...seen } = Object.fromEntries(byKind(rows));
      expect(seen).toEqual(own);
      // Only administrators read the audit.
      expect(AUDIT).toEqual([]);
      expect(await exportAll({ userId: 'ana', first: 5 }, headers)).toEqual(rows);
      expect(await refusalOf(ExportUserDocument, { userId: 'bob' }, headers)).toEqual({
        code: 'FORBIDDEN',
        message:
          'userId is "bob", and this request is by "ana". Only an administrator exports or forgets another user.',
      });
    }
  });

  test('refuses a cursor of another person’s export, and what is none', async () => {
    const { edges } = await exportPage({ userId: 'bob', first: 1 });
    const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const after of [
      edges[0]?.cursor,
      'x',
      forged(['export', 'ana', 'SECRET', '1', false]),
      forged(['export', 'ana', 'MEMORY', '-1', false]),
      forged(['export', 'ana', 'MEMORY', 'x', false]),
      forged(['export', 'ana', 'MEMORY', '', false]),
      forged(['export', 'ana', 'MEMORY', '1.5', false]),
      forged(['export', 'ana', 'MEMORY', 1, false]),
      forged(['export', 'ana', 'MEMORY', '9223372036854775808', false]),
    ]) {
      expect(await refusalOf(ExportUserDocument, { userId: 'ana', after }, root)).toEqual({
        code: 'BAD_USER_INPUT',
        message: expect.stringMatching(/^after must be a cursor of an export of "ana", not /),
      });
    }
    // A user who makes up the cursor of a line of the audit reads no line.
    const user = bearer(keyOf.ana ?? '');
    expect((await exportPage({ after: forged(['export', 'ana', 'AUDIT', '0', false]) }, user)).edges).toEqual(
      [],
    );
  });

  test.each([
    [{ userId: ' ' }, 'BAD_USER_INPUT', 'userId must not be blank.'],
    [{ userId: 'x'.repeat(101) }, 'LIMIT_EXCEEDED', 'userId has 101 characters; at most 100 are allowed.'],
    [{ first: 201 }, 'LIMIT_EXCEEDED', 'first may be at most 200, not 201. Read on with after.'],
    [{ first: -1 }, 'BAD_USER_INPUT', 'first must be 0 or more, not -1.'],
  ])('is refused for %j', async (variables, code, message) => {
    const before = await auditOf('root');
    expect(await refusalOf(ExportUserDocument, variables, root)).toEqual({ code, message });
    expect(await auditOf('root')).toEqual(before);
  });

  test('of somebody who has nothing is empty', async () => {
    const rows = await exportAll({ userId: 'nobody', first: 20 });
    expect(rows.map(({ kind }) => kind)).toEqual(['AUDIT']);
  });
});

describe('forgetting', () => {
  test('is a dry run unless told, which counts all and changes nothing', async () => {
    const before = await server.contents();
    const { forgetUser } = await dataOf<{ forgetUser: Counts }>(
      'mutation { forgetUser(userId: "ana") { memories archivedMemories documents chunks keys } }',
      {},
    );
    const rows = await stored('ana');
    expect(forgetUser).toEqual({
      memories: 2,
      archivedMemories: 2,
      documents: 2,
      chunks: rows.get('CHUNK')?.length,
      keys: rows.get('KEY')?.length,
    });
    expect(forgetUser.chunks).toBeGreaterThan(4);
    const { api_keys: _noted, ...after } = await server.contents();
    expect(before).toMatchObject(after);
  });

  test('deletes all of a person and nothing of others, and the audit keeps its lines', async () => {
    const [expected, ofBob, lines] = [await forget('ana', true), await stored('bob'), await stored('ana')];
    expect(await forget('ana')).toEqual(expected);
    for (const [kind, ids] of await stored('ana')) if (kind !== 'AUDIT') expect(ids, kind).toEqual([]);
    expect((await stored('ana')).get('AUDIT')).toHaveLength((lines.get('AUDIT')?.length ?? 0) + 1);
    expect(await stored('bob')).toEqual(ofBob);
    expect(await forget('ana')).toEqual({
      memories: 0,
      archivedMemories: 0,
      documents: 0,
      chunks: 0,
      keys: 0,
    });
  });

  test('refuses the keys of the person at once, although answers are kept for minutes', async () => {
    const [ana, bob] = [bearer(keyOf.ana ?? ''), bearer(keyOf.bob ?? '')];
    for (const headers of [ana, bob])
      expect(await server.raw('{ __typename }', {}, headers)).toMatchObject({ status: 200 });
    await forget('ana');
    expect(await server.raw('{ __typename }', {}, ana)).toMatchObject({ status: 401 });
    expect(await server.raw('{ __typename }', {}, bob)).toMatchObject({ status: 200 });
  });

  test.each(['with a key', 'acting for the user'])('is for oneself, %s', async (how) => {
    const headers = how === 'with a key' ? bearer(keyOf.ana ?? '') : { ...root, 'x-funes-user': 'ana' };
    expect(await refusalOf(ForgetUserDocument, { userId: 'bob', dryRun: false }, headers)).toMatchObject({
      code: 'FORBIDDEN',
    });
    const expected = await forget('ana', true);
    expect(await forget('ana', false, headers)).toEqual(expected);
    expect((await stored('ana')).get('KEY')).toEqual([]);
    expect((await auditOf('ana'))[0]).toMatchObject({
      action: 'USER_FORGOTTEN',
      by: 'ana',
      actor: how === 'with a key' ? null : 'root',
      keyPrefix: (how === 'with a key' ? keyOf.ana : root.authorization?.slice(7))?.slice(0, 14),
      details: {
        MEMORY: 2,
        ARCHIVED_MEMORY: 2,
        DOCUMENT: 2,
        CHUNK: expected.chunks,
        KEY: expected.keys,
      },
    });
  });

  test('does not say that it succeeded while rows are left, and deletes none', async () => {
    // What is written meanwhile, at its worst: each memory that is deleted comes back.
    await server.sql(`create function comes_back() returns trigger language plpgsql as $$
      begin
        insert into memories (user_id, content) values (old.user_id, old.content);
        return null;
      end $$`);
    await server.sql(
      'create trigger comes_back after delete on memories for each row execute function comes_back()',
    );
    const before = await server.contents();
    const refusal = await refusalOf(ForgetUserDocument, { userId: 'ana', dryRun: false }, root);
    await server.sql('drop trigger comes_back on memories');
    await server.sql('drop function comes_back');
    expect(refusal).toEqual({
      code: 'CONFLICT',
      message:
        'Rows of "ana" are written faster than they can be deleted, so none was deleted. Revoke the keys of this user and stop what ' +
        'writes for them, then send forgetUser again.',
    });
    const { api_keys: _noted, ...after } = await server.contents();
    expect(before).toMatchObject(after);
    // It is still what the person may do who has this key.
    expect(await server.raw('{ __typename }', {}, bearer(keyOf.ana ?? ''))).toMatchObject({ status: 200 });
  });

  test('is nothing that a reader may do', async () => {
    const reader = await makeKeyOf('ana', 'reader');
    for (const dryRun of [true, false])
      expect(await refusalOf(ForgetUserDocument, { userId: 'ana', dryRun }, reader)).toMatchObject({
        code: 'FORBIDDEN',
      });
  });

  test('of two at the same time, and beside other writes, fails in no request and leaves no half', async () => {
    const writes = [
      ...Array.from(
        { length: 12 },
        (_, i) => `createMemory(input: { userId: "ana", content: "ana ${i}", importanceScore: 0.01 }) { id }`,
      ),
      ...Array.from(
        { length: 6 },
        (_, i) =>
          `ingestDocument(input: { userId: "ana", filename: "${i}.md", content: "${`ana walks ${i}. `.repeat(20)}", chunkSize: 8 }) { created }`,
      ),
      'archiveMemories(input: { importanceBelow: 0.1, filters: { userId: { eq: "ana" } }, dryRun: false }) { count }',
      `restoreMemories(ids: ${JSON.stringify((await stored('ana')).get('ARCHIVED_MEMORY'))})`,
      `deleteMemories(ids: ${JSON.stringify((await stored('ana')).get('MEMORY'))})`,
      ...((await stored('ana'))
        .get('DOCUMENT')
        ?.map(
          (id) => `updateDocument(id: "${id}", input: { content: "ana changed ${id}", chunkSize: 8 }) { id }`,
        ) ?? []),
    ];
    const forgetting = 'forgetUser(userId: "ana", dryRun: false) { memories }';
    const sent = writes.flatMap((write, i) => (i % 3 === 0 ? [write, forgetting] : [write]));
    const answers = await Promise.all(sent.map((field) => server.raw(`mutation { ${field} }`, {}, root)));
    const errors = answers.flatMap(({ errors = [] }) => errors.map(({ message }) => message));
    // A document may be gone before it is changed.
    expect(errors.filter((message) => !/^There is no document with id/.test(message))).toEqual([]);
    const [broken] = await server.sql<{ documents: number; chunks: number }>(
      `select (select count(*)::int from documents d where total_chunks <> (select count(*) from document_chunks c where c.document_id = d.id)) as documents,
        (select count(*)::int from document_chunks c where not exists (select from documents d where d.id = c.document_id)) as chunks`,
    );
    expect(broken).toEqual({ documents: 0, chunks: 0 });
    const rows = await stored('ana');
    expect(await forget('ana')).toEqual({
      memories: rows.get('MEMORY')?.length,
      archivedMemories: rows.get('ARCHIVED_MEMORY')?.length,
      documents: rows.get('DOCUMENT')?.length,
      chunks: rows.get('CHUNK')?.length,
      keys: rows.get('KEY')?.length,
    });
  });
});

describe('the audit', () => {
  const linesOf = async (about: string, action: string) =>
    (await auditOf(about)).filter((line) => line.action === action);

  test('has a line of an export that begins with a cursor which somebody made up', async () => {
    await fill('mia');
    const headers = bearer(keyOf.mia ?? '');
    const after = Buffer.from(JSON.stringify(['export', 'mia', 'MEMORY', '0', false])).toString('base64url');
    const { edges } = await exportPage({ first: 5, after }, headers);
    expect(edges.length).toBeGreaterThan(0);
    expect(await linesOf('mia', 'USER_EXPORTED')).toMatchObject([{ by: 'mia', details: { MEMORY: 2 } }]);
    // Others than whom the line names have a line of their own.
    await exportPage({ userId: 'mia', first: 1, after });
    expect((await linesOf('mia', 'USER_EXPORTED')).map(({ by }) => by)).toEqual(['root', 'mia']);
  });

  test('has one line of many exports by one key, and one of many forgettings of nothing', async () => {
    await fill('lou');
    const aliases = (field: string) => Array.from({ length: 100 }, (_, i) => `a${i}: ${field}`).join(' ');
    const headers = bearer(keyOf.lou ?? '');
    const page = 'exportUser(first: 1) { edges { node { id } } }';
    const data = await dataOf<Record<string, Page>>({ toString: () => `{ ${aliases(page)} }` }, {}, headers);
    expect(Object.values(data).map(({ edges }) => edges.length)).toEqual(Array(100).fill(1));
    expect(await linesOf('lou', 'USER_EXPORTED')).toHaveLength(1);
    const forgetting = `mutation { ${aliases('forgetUser(userId: "lou", dryRun: false) { memories }')} }`;
    await dataOf({ toString: () => forgetting }, {}, headers);
    expect(await linesOf('lou', 'USER_FORGOTTEN')).toMatchObject([{ details: { MEMORY: 2 } }]);
    // Whatever was deleted stands in a line, however short the time since the last one.
    for (const n of [1, 2]) {
      await dataOf(`mutation { createMemory(input: { userId: "lou", content: "lou ${n}" }) { id } }`, {});
      await forget('lou');
    }
    expect((await linesOf('lou', 'USER_FORGOTTEN')).map(({ by }) => by)).toEqual(['root', 'root', 'lou']);
  });

  test('has a line of the next export if the first one was undone', async () => {
    await fill('noa');
    const headers = bearer(keyOf.noa ?? '');
    await server.sql('alter table memories rename column content to renamed');
    const sent = Array.from({ length: 5 }, () => refusalOf(ExportUserDocument, {}, headers));
    const codes = (await Promise.all(sent)).map(({ code }) => code);
    await server.sql('alter table memories rename column renamed to content');
    expect(codes).toEqual(Array(5).fill('INTERNAL_SERVER_ERROR'));
    expect(await linesOf('noa', 'USER_EXPORTED')).toEqual([]);
    await exportPage({ first: 1 }, headers);
    expect(await linesOf('noa', 'USER_EXPORTED')).toHaveLength(1);
  });

  test('has a line of an export, who read it, and how many rows there were', async () => {
    await forget('zoe');
    const reader = await makeKeyOf('zoe', 'reader');
    await exportAll({ first: 1 }, reader);
    await exportAll({ first: 1 }, { ...root, 'x-funes-user': 'zoe' });
    await exportAll({ userId: 'zoe', first: 2 });
    const [byRoot, acting, own, made] = await auditOf('zoe');
    const keyPrefix = root.authorization?.slice(7, 21);
    expect(made).toMatchObject({
      action: 'KEY_CREATED',
      about: 'zoe',
      by: 'default_user',
      actor: null,
      keyPrefix: null,
      details: { prefix: keyOf.zoe?.slice(0, 14), role: 'reader', expiresAt: null },
    });
    const rows = { MEMORY: 0, ARCHIVED_MEMORY: 0, DOCUMENT: 0, CHUNK: 0, KEY: 1 };
    const exported = { action: 'USER_EXPORTED', about: 'zoe' };
    expect(own).toMatchObject({
      ...exported,
      by: 'zoe',
      actor: null,
      keyPrefix: keyOf.zoe?.slice(0, 14),
      details: rows,
    });
    expect(acting).toMatchObject({ ...exported, by: 'zoe', actor: 'root', keyPrefix, details: rows });
    expect(byRoot).toMatchObject({
      ...exported,
      by: 'root',
      actor: null,
      keyPrefix,
      details: { ...rows, AUDIT: 4 },
    });
  });

  test('has one line of a key that is made and one when it is revoked, however often', async () => {
    const { createKey } = await dataOf<{ createKey: { apiKey: { id: string; prefix: string } } }>(
      'mutation { createKey(input: { userId: "kim", role: READER, expiresAt: "2999-01-01T00:00:00Z" }) { apiKey { id prefix } } }',
      {},
    );
    const { id, prefix } = createKey.apiKey;
    const revoke = `mutation { revokeKey(id: "${id}") { id } }`;
    await Promise.all(Array.from({ length: 5 }, () => dataOf(revoke, {})));
    const details = { id, prefix, role: 'reader', expiresAt: '2999-01-01T00:00:00.000Z' };
    expect(await auditOf('kim')).toMatchObject([
      { action: 'KEY_REVOKED', by: 'root', details },
      { action: 'KEY_CREATED', by: 'root', details },
    ]);
  });

  test('is read in pages, by action and by user', async () => {
    type Audit = {
      edges: { cursor: string; node: { createdAt: string; action: string; about: string } }[];
      totalCount: number;
    };
    const read = async (variables: object) =>
      (await dataOf<{ audit: Audit }>(AuditDocument, variables)).audit;
    const all = await read({ first: 200 });
    const times = all.edges.map(({ node }) => node.createdAt);
    expect(times).toEqual([...times].sort().reverse());
    const next = await read({ first: 3, after: all.edges[4]?.cursor });
    expect(next.edges).toEqual(all.edges.slice(5, 8));
    const some = await read({ action: 'USER_FORGOTTEN', about: 'bob', first: 200 });
    expect(some.edges).toEqual(
      all.edges.filter(({ node }) => node.action === 'USER_FORGOTTEN' && node.about === 'bob'),
    );
    expect(some.edges.length).toBeGreaterThan(2);
    expect(some.totalCount).toBe(some.edges.length);
    expect((await read({ about: 'nobody at all' })).edges).toEqual([]);
  });

  test('has no line of what was undone', async () => {
    // The transaction of an export fails after its line was written.
    await server.sql('alter table memories rename column content to renamed');
    const before = await auditOf('una');
    const { code } = await refusalOf(ExportUserDocument, { userId: 'una' }, root);
    await server.sql('alter table memories rename column renamed to content');
    expect(code).toBe('INTERNAL_SERVER_ERROR');
    expect(await auditOf('una')).toEqual(before);
  });
});
