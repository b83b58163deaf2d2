import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import { migrate } from '../../../src/database/migrate.ts';
import { fillOnce } from '../../../src/store/filler.ts';
import { HashEmbedder } from '../../../testkit/hash-embedder.ts';
import { runFunes } from '../../support/command.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { freshRole, openOwnedDatabase, password } from '../../support/owned-database.ts';
import { findings, funes, queryOn } from './support.ts';

const isEmbedded = inject('databaseTemplate').engine === 'embedded';

let database: TestDatabase;

const send = (...statements: string[]) =>
  queryOn(database.pool, async (query) => {
    for (const statement of statements) await query(statement);
  });
const rowsOf = <Row extends object>(text: string) => queryOn(database.pool, (query) => query<Row>(text));

const vector = (first: number) => `('[${first}' || repeat(',0.01', 383) || ']')::vector`;

/** Two memories, a document of four chunks, and a tool, all embedded. */
const rows = [
  "update installation set embedding_model = 'hash-embedder'",
  `insert into memories (user_id, content, embedding, embedding_model) values
    ('ana', 'one', ${vector(1)}, 'hash-embedder'), ('ben', 'two', ${vector(2)}, 'hash-embedder')`,
  `insert into tool_embeddings (tool_name, tool_description, embedding, embedding_model) values
    ('hammer', 'for nails', ${vector(3)}, 'hash-embedder')`,
  `with document as (
    insert into documents (user_id, filename, content_hash, total_chunks) values ('ana', 'a.txt', repeat('a', 64), 4) returning id)
    insert into document_chunks (user_id, document_id, chunk_index, total_chunks, content, chunk_size, start_offset, end_offset, embedding, embedding_model)
    select 'ana', document.id, n, 4, 'chunk ' || n, 10, n * 10, n * 10 + 7, ${vector(4)}, 'hash-embedder' from document, generate_series(0, 3) as n`,
];

beforeEach(async () => {
  // One connection, so that what a test sets in its session is what the doctor finds.
  database = await openTestDatabase({ poolSize: 1 });
  const opened = database;
  onTestFinished(() => opened.close());
});

/** Constraints are not looked at then, as if somebody had restored files or used a tool that knows better. */
const behindConstraints = (...statements: string[]) => [
  'set session_replication_role = replica',
  ...statements,
  'set session_replication_role = origin',
];

describe('a database in which nothing is wrong', () => {
  test('has no finding, empty and with rows', async () => {
    expect(await findings(database)).toEqual([]);
    await send(...rows);
    expect(await findings(database)).toEqual([]);
    const { status, output } = await funes(database, ['doctor']);
    const [{ version } = { version: '' }] = await rowsOf<{ version: string }>(
      "select extversion as version from pg_extension where extname = 'vector'",
    );
    // pgvector before 0.8.4 is a finding of its own.
    if (version >= '0.8.4')
      expect({ status, output }).toMatchObject({
        status: 0,
        output: expect.stringMatching(/^Nothing is wrong \(PostgreSQL /),
      });
    else
      expect({ status, output }).toMatchObject({
        status: 1,
        output: expect.stringContaining('PGVECTOR_OLD'),
      });
  });

  test('has nothing to mend', async () => {
    expect(await funes(database, ['doctor', '--fix', 'INDEX_MISSING'])).toEqual({
      status: 0,
      output: 'There is no finding INDEX_MISSING.\n',
      message: '',
    });
  });
});

/** What breaks a database, and what is found then: codes with what they are about. */
const breakages: [what: string, statements: string[], found: [code: string, subject: string][]][] = [
  [
    'an index of vectors is gone',
    ['drop index idx_memories_embedding_hnsw'],
    [['INDEX_MISSING', 'memories.idx_memories_embedding_hnsw']],
  ],
  [
    'another index is gone',
    ['drop index idx_memories_metadata'],
    [['INDEX_MISSING', 'memories.idx_memories_metadata']],
  ],
  [
    'an index of vectors has another operator class',
    [
      'drop index idx_document_chunks_embedding_hnsw',
      'create index idx_document_chunks_embedding_hnsw on document_chunks using hnsw (embedding vector_l2_ops) with (m = 16, ef_construction = 64)',
    ],
    [['INDEX_DIFFERS', 'document_chunks.idx_document_chunks_embedding_hnsw']],
  ],
  [
    'an index of vectors has other parameters',
    [
      'drop index idx_memories_embedding_hnsw',
      'create index idx_memories_embedding_hnsw on memories using hnsw (embedding vector_cosine_ops) with (m = 8, ef_construction = 64)',
    ],
    [['INDEX_DIFFERS', 'memories.idx_memories_embedding_hnsw']],
  ],
  [
    'an index is of another kind',
    [
      'drop index idx_memories_embedding_hnsw',
      'create index idx_memories_embedding_hnsw on memories using ivfflat (embedding vector_cosine_ops) with (lists = 1)',
    ],
    [['INDEX_DIFFERS', 'memories.idx_memories_embedding_hnsw']],
  ],
  [
    'an index has the wrong column',
    ['drop index idx_memories_source', 'create index idx_memories_source on memories (session_id)'],
    [['INDEX_DIFFERS', 'memories.idx_memories_source']],
  ],
  [
    'an index stands on another table',
    ['drop index idx_memories_source', 'create index idx_memories_source on memories_archive (source)'],
    [['INDEX_MISSING', 'memories.idx_memories_source']],
  ],
  [
    'an index leaves rows out',
    [
      'drop index idx_memories_source',
      "create index idx_memories_source on memories (source) where source <> 'chat'",
    ],
    [['INDEX_DIFFERS', 'memories.idx_memories_source']],
  ],
  [
    'a unique index is not unique',
    [
      'drop index memories_user_origin',
      'create index memories_user_origin on memories (user_id, origin) where origin is not null',
    ],
    [['INDEX_DIFFERS', 'memories.memories_user_origin']],
  ],
  [
    'a check is gone',
    ['alter table memories drop constraint memories_importance_range'],
    [['CONSTRAINT_MISSING', 'memories.memories_importance_range']],
  ],
  [
    'a check lets more in',
    [
      'alter table memories drop constraint memories_importance_range',
      'alter table memories add constraint memories_importance_range check (importance_score between 0 and 2)',
    ],
    [['CONSTRAINT_DIFFERS', 'memories.memories_importance_range']],
  ],
  [
    'a check was not made of older rows',
    [
      'alter table memories drop constraint memories_importance_range',
      'alter table memories add constraint memories_importance_range check (importance_score between 0 and 1) not valid',
    ],
    [['CONSTRAINT_DISABLED', 'memories.memories_importance_range']],
  ],
  [
    'a foreign key is gone',
    ['alter table document_chunks drop constraint document_chunks_document_fkey'],
    [['CONSTRAINT_MISSING', 'document_chunks.document_chunks_document_fkey']],
  ],
  [
    'foreign keys are off',
    ['alter table documents disable trigger all'],
    [
      ['CONSTRAINT_DISABLED', 'document_chunks.document_chunks_document_fkey'],
      ['CONSTRAINT_DISABLED', 'documents.documents_last_chunk_fkey'],
    ],
  ],
  [
    'a column is gone',
    ['alter table memories drop column origin'],
    [
      ['COLUMN_MISSING', 'memories.origin'],
      ['INDEX_MISSING', 'memories.memories_user_origin'],
    ],
  ],
  [
    'a computed column computes something else',
    [
      'alter table memories drop column content_length',
      'alter table memories add column content_length integer generated always as (1) stored',
      'create index idx_memories_user_share on memories (user_id, hashint8(id), content_length)',
    ],
    [['COLUMN_DIFFERS', 'memories.content_length']],
  ],
  [
    'a column has another type, default or null',
    [
      'alter table memories alter column source type text',
      "alter table documents alter column user_id set default 'somebody'",
      'alter table memories alter column importance_score drop not null',
    ],
    [
      ['COLUMN_DIFFERS', 'documents.user_id'],
      ['COLUMN_DIFFERS', 'memories.source'],
      ['COLUMN_DIFFERS', 'memories.importance_score'],
    ],
  ],
  [
    'vectors have other dimensions',
    [
      'drop index idx_memories_embedding_hnsw',
      'alter table memories alter column embedding type vector',
      "update memories set embedding = '[1,2,3]' where user_id = 'ana'",
    ],
    [
      ['COLUMN_DIFFERS', 'memories.embedding'],
      ['INDEX_MISSING', 'memories.idx_memories_embedding_hnsw'],
      ['EMBEDDINGS_OF_OTHER_DIMENSIONS', 'memories'],
    ],
  ],
  [
    'row-level security is off',
    ['alter table memories disable row level security'],
    [['ROW_SECURITY_OFF', 'memories']],
  ],
  [
    'a policy is gone',
    ['drop policy memories_of_user on memories'],
    [['POLICY_MISSING', 'memories.memories_of_user']],
  ],
  [
    'a policy lets everything through',
    ['alter policy documents_of_user on documents using (true)'],
    [['POLICY_DIFFERS', 'documents.documents_of_user']],
  ],
  ['a function is gone', ['drop function funes_key(text)'], [['FUNCTION_MISSING', 'funes_key(hash text)']]],
  [
    'a right is gone',
    ['revoke insert on memories from funes_app', 'revoke execute on function funes_key(text) from funes_app'],
    [['GRANTS_MISSING', 'roles']],
  ],
  [
    'the table of the installation is empty',
    ['delete from installation'],
    [['INSTALLATION_ROW_MISSING', 'installation']],
  ],
  [
    'the next id is one that there is',
    ['alter table memories alter column id restart with 1'],
    [['IDS_BEHIND', 'memories']],
  ],
  [
    'the first chunk was deleted behind the constraints',
    behindConstraints('delete from document_chunks where chunk_index = 0'),
    [['CHUNKS_MISCOUNTED', 'documents']],
  ],
  [
    'a chunk was deleted behind the constraints',
    behindConstraints('delete from document_chunks where chunk_index = 1'),
    [['CHUNKS_MISCOUNTED', 'documents']],
  ],
  [
    'the last chunk was deleted behind the constraints',
    behindConstraints('delete from document_chunks where chunk_index = 3'),
    [['CHUNKS_MISCOUNTED', 'documents']],
  ],
  [
    'all chunks were deleted behind the constraints',
    behindConstraints('delete from document_chunks'),
    [['CHUNKS_MISCOUNTED', 'documents']],
  ],
  [
    'the count of a document was changed behind the constraints',
    behindConstraints('update documents set total_chunks = 7'),
    [['CHUNKS_MISCOUNTED', 'documents']],
  ],
  [
    'a document was deleted behind the constraints',
    behindConstraints('delete from documents'),
    [['CHUNKS_WITHOUT_DOCUMENT', 'document_chunks']],
  ],
  ['a table is gone', ['drop table memories_archive'], [['TABLE_MISSING', 'memories_archive']]],
];

describe('it finds what is broken, and the command that it names mends it', () => {
  test.each(breakages)('%s', async (_, statements, found) => {
    await send(...rows);
    await send(...statements);
    const sick = await findings(database);
    // A table takes with it what belongs to it.
    const isOfTable = found[0]?.[0] === 'TABLE_MISSING';
    const named = sick.map(({ code, subject }) => [code, subject]);
    if (isOfTable) expect(named).toEqual(expect.arrayContaining(found));
    else expect(named).toEqual(found);
    for (const finding of sick) {
      expect(finding.problem).toMatch(/\.$/);
      expect(finding.meaning).toMatch(/\.$/);
    }
    const failed = await funes(database, ['doctor']);
    expect(failed.status).toBe(1);
    for (const { code, command } of sick) {
      expect(failed.output).toContain(code);
      expect(failed.output).toContain(`To mend it: ${command}`);
    }

    // What the last one needs can be what the first one mends, so a person runs commands until nothing is found.
    for (let left = sick, round = 0; left.length > 0; round++) {
      expect(round).toBeLessThan(6);
      for (const command of new Set(left.map((finding) => finding.command)))
        await funes(database, command.split(' ').slice(1));
      const after = (await findings(database)).filter(({ code }) => code !== 'EMBEDDINGS_PENDING');
      left = after;
    }
  });
});

test('chunks that are left keep their ids, their texts and their order', async () => {
  await send(...rows);
  const chunks = () =>
    rowsOf<{ id: string; content: string; chunk_index: number; total_chunks: number }>(
      'select id, content, chunk_index, total_chunks from document_chunks order by chunk_index',
    );
  const before = await chunks();
  await send(...behindConstraints('delete from document_chunks where chunk_index = 1'));
  expect(await funes(database, ['doctor', '--fix', 'CHUNKS_MISCOUNTED'])).toMatchObject({ status: 0 });
  const kept = before.filter(({ chunk_index }) => chunk_index !== 1);
  expect(await chunks()).toEqual(
    kept.map(({ id, content }, index) => ({ id, content, chunk_index: index, total_chunks: 3 })),
  );
});

test('all that is broken at once is mended by --fix all', async () => {
  await send(...rows);
  await send(
    'drop index idx_memories_embedding_hnsw',
    'alter table memories drop column origin',
    'alter table documents drop constraint documents_last_chunk_fkey',
    'drop policy memories_of_user on memories',
    'drop function funes_key(text)',
    'drop table audit',
    ...behindConstraints('delete from document_chunks where chunk_index = 3'),
  );
  const sick = await findings(database);
  expect(sick.length).toBeGreaterThan(6);
  const { output, message } = await funes(database, ['doctor', '--fix', 'all', '--json']);
  const { mended } = JSON.parse(output) as { mended: { code: string; failure: string | null }[] };
  expect(mended.filter(({ failure }) => failure === null).length).toBeGreaterThanOrEqual(sick.length);
  if (message !== '') expect(message).toMatch(/^1 finding: PGVECTOR_OLD\.$/);
  expect(await findings(database)).toEqual([]);
});

test('what rows stand in the way of is not mended, and the reason is told', async () => {
  await send(...rows);
  await send(
    'alter table memories drop constraint memories_importance_range',
    "update memories set importance_score = 3 where user_id = 'ana'",
  );
  const { status, output } = await funes(database, ['doctor', '--fix', 'CONSTRAINT_MISSING']);
  expect(status).toBe(1);
  expect(output).toMatch(
    /^Not mended: .* The database refuses: check constraint "memories_importance_range"/,
  );
  await send('update memories set importance_score = 1');
  expect(await funes(database, ['doctor', '--fix', 'CONSTRAINT_MISSING'])).toMatchObject({ status: 0 });
  expect(await findings(database)).toEqual([]);
});

describe('embeddings', () => {
  test('that are missing are found, and a server embeds them', async () => {
    await send(...rows);
    await send(
      'update memories set embedding = null, embedding_model = null',
      'update document_chunks set embedding = null, embedding_model = null where chunk_index = 2',
    );
    expect(await findings(database)).toMatchObject([
      {
        code: 'EMBEDDINGS_PENDING',
        subject: 'memories',
        problem: '2 rows of memories have no embedding yet.',
        command: 'funes serve',
      },
      {
        code: 'EMBEDDINGS_PENDING',
        subject: 'document_chunks',
        problem: '1 row of document_chunks has no embedding yet.',
      },
    ]);
    const log = { info: () => {}, warn: () => {} };
    await fillOnce({ database: database.pool, embedder: new HashEmbedder(), log });
    expect(await findings(database)).toEqual([]);
  });

  test('that failed are tried again after the command', async () => {
    await send(...rows);
    await send(
      "update memories set embedding = null, embedding_model = null, embedding_error = 'no', embedding_attempts = 5 where user_id = 'ben'",
    );
    expect(await findings(database)).toMatchObject([{ code: 'EMBEDDINGS_FAILED', subject: 'memories' }]);
    await funes(database, ['doctor', '--fix', 'EMBEDDINGS_FAILED']);
    expect(await findings(database)).toMatchObject([{ code: 'EMBEDDINGS_PENDING', subject: 'memories' }]);
  });

  test('of another model are found, and not those that a client made, until funes reembed', async () => {
    await send(...rows);
    await send(
      "update memories set embedding_model = 'old' where user_id = 'ben'",
      "update memories set embedding_model = 'of the client', embedding_source = 'CLIENT' where user_id = 'ana'",
    );
    const found = await findings(database);
    expect(found).toMatchObject([
      {
        code: 'EMBEDDINGS_STALE',
        subject: 'memories',
        command: 'funes reembed',
        problem: expect.stringMatching(/^1 row /),
      },
    ]);
    expect(await funes(database, ['reembed'])).toMatchObject({ status: 0 });
    expect(await findings(database)).toEqual([]);
  });

  test('that were changed to another model leave tables in which nothing is wrong', async () => {
    await send(...rows);
    await send(
      "update installation set embedding_model = 'old'",
      "update memories set embedding_model = 'old'",
      "update document_chunks set embedding_model = 'old'",
      "update tool_embeddings set embedding_model = 'old'",
    );
    expect(await funes(database, ['reembed'])).toMatchObject({ status: 0 });
    expect(await findings(database)).toEqual([]);
  });
});

test('too little memory for the index is found, and enough after the command', async () => {
  const [row] = await rowsOf<{ user: string; database: string }>(
    'select quote_ident(current_user) as user, quote_ident(current_database()) as database',
  );
  await send(
    `alter role ${row?.user} in database ${row?.database} set maintenance_work_mem = '1MB'`,
    "set maintenance_work_mem = '1MB'",
  );
  expect(await findings(database)).toMatchObject([
    {
      code: 'MAINTENANCE_MEMORY_LOW',
      subject: 'maintenance_work_mem',
      problem: expect.stringContaining('1024 kB'),
    },
  ]);
  expect(await funes(database, ['doctor', '--fix', 'MAINTENANCE_MEMORY_LOW'])).toMatchObject({ status: 0 });
  expect(await findings(database)).toEqual([]);
  // The more rows, the more memory.
  await send("update pg_class set reltuples = 1000000 where relname = 'memories'");
  expect(await findings(database)).toMatchObject([
    { code: 'MAINTENANCE_MEMORY_LOW', problem: expect.stringContaining('needs 4096MB') },
  ]);
});

test.skipIf(isEmbedded)(
  'a server that does not count what is to be cleared away is found, and counts after the command',
  async () => {
    await send('set track_counts = off');
    expect(await findings(database)).toMatchObject([{ code: 'SETTING_HARMS', subject: 'track_counts' }]);
    expect(await funes(database, ['doctor', '--fix', 'SETTING_HARMS'])).toMatchObject({ status: 0 });
    expect(await findings(database)).toEqual([]);
  },
);

test('a version of pgvector that has faults is found', async () => {
  const found = async () => {
    const { output } = await funes(database, ['doctor', '--json']);
    const { findings: all } = JSON.parse(output) as { findings: { code: string; meaning: string }[] };
    return all
      .filter(({ code }) => code === 'PGVECTOR_OLD')
      .map(({ meaning }) => meaning.includes('CVE-2026-3172'));
  };
  const pretend = (version: string) =>
    send(`update pg_extension set extversion = '${version}' where extname = 'vector'`);
  for (const [version, faults] of [
    ['0.8.1', [true]],
    ['0.8.3', [false]],
    ['0.8.4', []],
    ['0.10.0', []],
    ['1.0', []],
  ] as const) {
    await pretend(version);
    expect(await found(), version).toEqual(faults);
  }
});

// Roles belong to the whole server, and other tests need them.
test.runIf(isEmbedded)(
  'roles that are missing are found, and all that went with them is mended',
  async () => {
    await send('drop owned by funes_app', 'drop role funes_app');
    const sick = await findings(database);
    expect(sick).toContainEqual(
      expect.objectContaining({ code: 'ROLES_MISSING', subject: 'funes_app', command: 'funes migrate' }),
    );
    expect(sick.map(({ code }) => code)).toContain('POLICY_MISSING');
    await funes(database, ['migrate']);
    await funes(database, ['doctor', '--fix', 'all']);
    expect(await findings(database)).toEqual([]);
  },
);

test('a check that fails is told, and the others are made', async () => {
  await send(
    ...rows,
    'alter table installation alter column embedding_model type integer using 1',
    'delete from installation',
  );
  const found = await findings(database);
  expect(found.map(({ code }) => code)).toEqual([
    'COLUMN_DIFFERS',
    'INSTALLATION_ROW_MISSING',
    ...Array.from({ length: 4 }, () => 'NOT_CHECKED'),
  ]);
  expect(found.at(-1)?.problem).toMatch(
    /^Rows of tool_embeddings and installation could not be checked\. .*4\d{4}/,
  );
  await funes(database, ['doctor', '--fix', 'all']);
  expect(await findings(database)).toEqual([]);
});

test('an index that the planner cannot use is found', async () => {
  await send('set enable_indexscan = off');
  const found = await findings(database);
  expect(found.map(({ code }) => code)).toContain('INDEX_UNUSED');
  expect(found.map(({ subject }) => subject)).toContain('memories.idx_memories_embedding_hnsw');
  await funes(database, ['doctor', '--fix', 'INDEX_UNUSED']);
  expect(await findings(database)).toEqual([]);
});

describe('an index that was not built to its end', () => {
  test('and belongs to this version is built again', async () => {
    await send(
      "update pg_index set indisvalid = false where indexrelid = 'idx_memories_embedding_hnsw'::regclass",
    );
    expect(await findings(database)).toMatchObject([
      { code: 'INDEX_INVALID', subject: 'memories.idx_memories_embedding_hnsw' },
    ]);
    await funes(database, ['doctor', '--fix', 'INDEX_INVALID']);
    expect(await findings(database)).toEqual([]);
  });

  // The embedded engine has one connection, on which CONCURRENTLY cannot fail half way.
  test.skipIf(isEmbedded)('and is left from a CREATE INDEX CONCURRENTLY that failed is dropped', async () => {
    await send(...rows);
    await expect(send('create unique index concurrently half on memories (source)')).rejects.toThrow('half');
    expect(await findings(database)).toMatchObject([
      {
        code: 'INDEX_INVALID',
        subject: 'memories.half',
        statements: [expect.stringContaining('drop index')],
      },
    ]);
    await funes(database, ['doctor', '--fix', 'INDEX_INVALID']);
    expect(await findings(database)).toEqual([]);
  });
});

describe('migrations', () => {
  const committed = fileURLToPath(new URL('../../../drizzle', import.meta.url));

  test('of each earlier version are well but for those that are pending, until funes migrate', async () => {
    const empty = await openTestDatabase({ empty: true });
    const folder = await mkdtemp(join(tmpdir(), 'funes-doctor-'));
    onTestFinished(async () => {
      await empty.close();
      await rm(folder, { recursive: true, force: true });
    });
    await cp(committed, folder, { recursive: true });
    const journalFile = join(folder, 'meta/_journal.json');
    const journal = JSON.parse(await readFile(journalFile, 'utf8')) as { entries: { tag: string }[] };
    for (let applied = 1; applied < journal.entries.length; applied++) {
      await writeFile(
        journalFile,
        JSON.stringify({ ...journal, entries: journal.entries.slice(0, applied) }),
      );
      await migrate(empty.pool, folder);
      const pending = journal.entries.slice(applied).map(({ tag }) => tag);
      expect(await findings(empty), `${applied} migrations`).toMatchObject([
        { code: 'MIGRATIONS_PENDING', subject: pending.join(', '), command: 'funes migrate' },
      ]);
    }
    expect(await funes(empty, ['migrate'])).toMatchObject({ status: 0 });
    expect(await findings(empty)).toEqual([]);
  });

  test('of a newer version are found, and its tables are left alone', async () => {
    await send(
      "insert into drizzle.__drizzle_migrations (hash, created_at) values ('later', 4102444800000)",
      'drop index idx_memories_source',
    );
    expect(await findings(database)).toMatchObject([{ code: 'DATABASE_NEWER' }]);
  });

  test('of an empty database are a failure with one line', async () => {
    const empty = await openTestDatabase({ empty: true });
    onTestFinished(() => empty.close());
    expect(await funes(empty, ['doctor'])).toEqual({
      status: 1,
      output: '',
      message: expect.stringMatching(/^The database is empty: .* Run "funes migrate" first, [^\n]*$/),
    });
  });
});

test('a database that only reads is examined, and not mended', async () => {
  await send('drop index idx_memories_source', 'set default_transaction_read_only = on');
  expect(await findings(database)).toMatchObject([{ code: 'INDEX_MISSING' }]);
  const { status, output } = await funes(database, ['doctor', '--fix', 'INDEX_MISSING']);
  expect(status).toBe(1);
  expect(output).toContain('The database refuses: cannot execute CREATE INDEX in a read-only transaction');
});

describe('on the command line', () => {
  test('an unknown code is refused with the one that was meant', async () => {
    expect(await funes(database, ['doctor', '--fix', 'INDEX_MISING'])).toMatchObject({
      status: 2,
      message: expect.stringContaining('Did you mean INDEX_MISSING?'),
    });
  });

  test('a database that cannot be reached is one line, and the exit status 1', async () => {
    const { status, output, errorOutput } = await runFunes(['doctor'], {
      settings: { DATABASE_URL: 'postgres://ana@127.0.0.1:1/nothing', FUNES_DATABASE_CONNECT_TIMEOUT: '1s' },
    });
    expect({ status, output }).toEqual({ status: 1, output: '' });
    expect(errorOutput).toMatch(/^funes: There is no connection to [^\n]*\n$/);
  });

  test.skipIf(isEmbedded)(
    'a user who owns nothing is told the same as the owner, and may not mend it',
    async () => {
      const login = freshRole('login');
      const owned = await openOwnedDatabase({ mayGrant: true, logins: [login] });
      await migrate(owned.ownerPool);
      const settings = { FUNES_LOG_LEVEL: 'silent' };
      await runFunes(['roles', '--login', login, '--apply'], {
        settings: { ...settings, DATABASE_URL: owned.ownerUrl },
      });
      await owned.asAdministrator(
        `alter role ${login} password '${password}'`,
        'drop index idx_memories_embedding_hnsw',
        `insert into memories (user_id, content) values ('ana', 'one')`,
      );
      const as = async (url: string, ...args: string[]) =>
        runFunes(['doctor', '--json', ...args], { settings: { ...settings, DATABASE_URL: url } });
      const [ofOwner, ofLogin] = await Promise.all([as(owned.ownerUrl), as(owned.urlOf(login))]);
      expect(ofLogin.output).toBe(ofOwner.output);
      expect(ofLogin.output).toContain('INDEX_MISSING');
      expect(ofLogin.output).toContain('EMBEDDINGS_PENDING');
      expect(ofLogin.status).toBe(1);
      const refused = await as(owned.urlOf(login), '--fix', 'INDEX_MISSING');
      expect(refused).toMatchObject({
        status: 1,
        output: '',
        errorOutput: expect.stringContaining('FUNES_MIGRATE_URL'),
      });
      expect((await as(owned.ownerUrl, '--fix', 'INDEX_MISSING')).status).toBe(0);
    },
  );
});
