import { createHash } from 'node:crypto';
import { withConnection } from '../../src/database/connection.ts';
import type { Pool } from '../../src/database/pool.ts';
import { hashOfKey } from '../../src/security/keys.ts';
import { hashVector } from '../../testkit/hash-embedder.ts';
import type { Seed } from '../support/database.ts';
import { words } from '../support/operations/values.ts';

// Two users with rows of every kind, whose ids alternate. Much is alike: texts, sessions, file names, times, keys of idempotency.
// What is not, carries a token. Whoever reads a token of the other user has read what is the other user's.

/** The user who tries to read and change what is not theirs. */
export const attacker = 'mallory';
/** The user whose rows nobody else may see. */
export const victim = 'victoria';

const users = [attacker, victim] as const;
export type User = (typeof users)[number];

/** How each token of a user begins. No token is a part of any other text. */
export const tokenStart: Record<User, string> = { [attacker]: 'yvk', [victim]: 'zxq' };

const keyOf = (name: string): string =>
  `funes_${createHash('sha256').update(name).digest('base64url').slice(0, 43)}`;

/** The keys by which requests are sent. */
export const keys = {
  user: keyOf('user'),
  reader: keyOf('reader'),
  administrator: keyOf('administrator'),
  victim: keyOf('victim'),
};

/** Keys of idempotency that both users have used, for different texts. */
export const sharedKeys = Array.from({ length: 10 }, (_, i) => `key-${i}`);
export const sharedSessions = Array.from({ length: 4 }, (_, i) => `talk-${i}`);
export const sharedFilenames = ['train.md', 'coffee.txt', 'cello.md', 'passport.txt'];
/** A text that both users have stored as a document. */
export const sharedText = 'The train to Lisbon carries coffee, a cello and a passport.';
export const toolNames = ['train', 'coffee', 'cello'];

type Row = Record<string, unknown>;

/** Rows by table. The tables stand in an order in which they can be stored. */
export type Rows = Record<string, Row[]>;

const sizes = {
  memories: 80,
  memories_archive: 20,
  documents: 16,
  chunksOfDocument: 3,
  api_keys: 4,
  audit: 20,
};

/** Where the ids of each table begin: no two tables have an id in common, and no other number in an answer is as large. */
const firstIds = {
  memories: 7_100_000,
  memories_archive: 7_200_000,
  documents: 7_300_000,
  document_chunks: 7_400_000,
  api_keys: 7_500_000,
  tool_embeddings: 7_600_000,
  audit: 7_700_000,
};

/** Ids that no row has. */
export const unusedIds = ['7111111', '7111112', '7999999'];

const ownerOf = (index: number): User => users[index % users.length] as User;

/** A word that stands nowhere else. */
function tokenOf(user: User, ...parts: (string | number)[]): string {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return tokenStart[user] + digest.slice(0, 10);
}

const timeOf = (index: number): string =>
  new Date(Date.UTC(2026, 0, 1) + Math.floor(index / users.length) * 7_200_000 + 123).toISOString();

/** Every pair of rows, one of each user, has the same words; a third of the pairs differs in nothing but other columns. */
function textOf(index: number, token: string): string {
  const pair = Math.floor(index / users.length);
  const said = [0, 3, 7].map((step) => words[(pair + step) % words.length]).join(' ');
  return pair % 3 === 0 ? said : `${said} ${token}`;
}

/** What memories and archived memories have in common. */
function memoryOf(table: 'memories' | 'memories_archive', index: number): Row {
  const user = ownerOf(index);
  const pair = Math.floor(index / users.length);
  const token = (column: string) => tokenOf(user, table, index, column);
  const content = textOf(index, token('content'));
  const isPending = pair % 9 === 8;
  return {
    id: firstIds[table] + index,
    user_id: user,
    content,
    content_summary: pair % 2 === 0 ? token('content_summary') : null,
    embedding: isPending ? null : Array.from(hashVector(content)),
    embedding_model: isPending ? null : pair % 2 === 0 ? 'hash-embedder' : token('embedding_model'),
    source: pair % 3 === 1 ? token('source') : 'chat',
    session_id: pair % 4 === 3 ? token('session_id') : sharedSessions[pair % sharedSessions.length],
    importance_score: (pair % 11) / 10,
    metadata: {
      turn: pair % 5,
      tags: [words[pair % words.length], token('metadata')],
      [token('metadata key')]: 1,
    },
    idempotency_key:
      pair % 2 === 1
        ? token('idempotency_key')
        : table === 'memories' && pair / 2 < sharedKeys.length
          ? sharedKeys[pair / 2]
          : null,
    origin: token('origin'),
    created_at: timeOf(index),
    updated_at: timeOf(index),
    ...(table === 'memories_archive' && { archived_at: timeOf(index) }),
  };
}

function documentOf(index: number): Row {
  const user = ownerOf(index);
  const pair = Math.floor(index / users.length);
  const token = (column: string) => tokenOf(user, 'documents', index, column);
  const bytes = pair === 0 ? sharedText : token('bytes');
  return {
    id: firstIds.documents + index,
    user_id: user,
    filename:
      pair % 2 === 0 ? sharedFilenames[(pair / 2) % sharedFilenames.length] : `${token('filename')}.md`,
    file_path: pair % 3 === 2 ? null : `/texts/${token('file_path')}`,
    file_type: pair % 4 === 3 ? token('file_type') : 'md',
    file_size: 1000 + pair,
    content_hash: createHash('sha256').update(bytes).digest('hex'),
    total_chunks: sizes.chunksOfDocument,
    origin: token('origin'),
    created_at: timeOf(index),
    processed_at: timeOf(index),
    updated_at: timeOf(index),
    metadata: { turn: pair % 5, tags: [words[pair % words.length], token('metadata')] },
  };
}

function chunkOf(index: number): Row {
  // The first chunks of all documents, then the second ones: so the ids alternate between the users here too.
  const [document, chunkIndex] = [index % sizes.documents, Math.floor(index / sizes.documents)];
  const user = ownerOf(document);
  const token = (column: string) => tokenOf(user, 'document_chunks', index, column);
  const content = textOf(index, token('content'));
  const isPending = document >= sizes.documents - users.length;
  return {
    id: firstIds.document_chunks + index,
    user_id: user,
    document_id: firstIds.documents + document,
    chunk_index: chunkIndex,
    total_chunks: sizes.chunksOfDocument,
    content,
    content_summary: chunkIndex === 0 ? token('content_summary') : null,
    embedding: isPending ? null : Array.from(hashVector(content)),
    embedding_model: isPending ? null : chunkIndex === 1 ? token('embedding_model') : 'hash-embedder',
    chunk_size: 12,
    overlap_size: 2,
    start_offset: chunkIndex * 50,
    end_offset: chunkIndex * 50 + 60,
    metadata: { turn: chunkIndex, [token('metadata')]: [token('metadata value')] },
    created_at: timeOf(document),
  };
}

function keyRow(index: number): Row {
  const user = ownerOf(index);
  const token = tokenOf(user, 'api_keys', index);
  return {
    id: firstIds.api_keys + index,
    user_id: user,
    role: 'user',
    prefix: `funes_${token}`,
    hash: hashOfKey(keyOf(token)),
    created_at: timeOf(index),
  };
}

function auditRow(index: number): Row {
  const user = ownerOf(index);
  const token = (column: string) => tokenOf(user, 'audit', index, column);
  return {
    id: firstIds.audit + index,
    user_id: user,
    action: 'KEY_CREATED',
    by_user_id: user,
    actor: token('actor'),
    key_prefix: token('key_prefix'),
    details: { id: token('details') },
    created_at: timeOf(index),
  };
}

const usedKey = (key: string, userId: string, role: string, index: number): Row => ({
  id: firstIds.api_keys + 100 + index,
  user_id: userId,
  role,
  prefix: 'funes_',
  hash: hashOfKey(key),
  created_at: timeOf(0),
  last_used_at: '2100-01-01T00:00:00Z', // so that no use is noted while answers are compared
});

const several = (count: number, make: (index: number) => Row): Row[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** All rows of the two users: the list of tables that this test covers. */
export const ownedRows: Rows = {
  memories: several(sizes.memories, (i) => memoryOf('memories', i)),
  memories_archive: several(sizes.memories_archive, (i) => memoryOf('memories_archive', i)),
  documents: several(sizes.documents, documentOf),
  document_chunks: several(sizes.documents * sizes.chunksOfDocument, chunkOf),
  api_keys: several(sizes.api_keys, keyRow),
  audit: several(sizes.audit, auditRow),
};

const otherRows: Rows = {
  api_keys: [
    usedKey(keys.user, attacker, 'user', 0),
    usedKey(keys.reader, attacker, 'reader', 1),
    usedKey(keys.administrator, 'root', 'admin', 2),
    usedKey(keys.victim, victim, 'user', 3),
  ],
  tool_embeddings: toolNames.map((name, i) => ({
    id: firstIds.tool_embeddings + i,
    tool_name: name,
    tool_description: `Finds ${name}.`,
    tool_parameters: { type: 'object', turn: i },
    embedding: Array.from(hashVector(`${name}: Finds ${name}.`)),
    embedding_model: 'hash-embedder',
    created_at: timeOf(i),
    updated_at: timeOf(i),
  })),
};

/** Columns whose values are secrets themselves, as they can carry no token. */
const secretColumns = ['content_hash', 'hash'];

/** The ids of a user's rows of a table, as the API writes them. */
export const idsOf = (table: string, user: User): string[] =>
  (ownedRows[table] ?? []).filter((row) => row.user_id === user).map(({ id }) => String(id));

/** Every id of a user's rows. */
export const allIdsOf = (user: User): string[] =>
  Object.keys(ownedRows).flatMap((table) => idsOf(table, user));

/** Values of a user's rows that are secrets although they are no tokens, and that the other user has not got. */
export function secretsOf(user: User): string[] {
  const values = (of: (owner: unknown) => boolean) =>
    Object.values(ownedRows)
      .flat()
      .filter((row) => of(row.user_id))
      .flatMap((row) =>
        secretColumns.flatMap((column) => (typeof row[column] === 'string' ? row[column] : [])),
      );
  const shared = new Set(values((owner) => owner !== user));
  return values((owner) => owner === user).filter((value) => !shared.has(value));
}

function store(pool: Pool): Promise<void> {
  return withConnection(pool, async (connection) => {
    await connection.unsafe('begin'); // documents and their chunks refer to each other
    for (const [table, rows] of [...Object.entries(ownedRows), ...Object.entries(otherRows)]) {
      const columns = Object.keys(rows[0] ?? {}).join(', ');
      await connection.unsafe(
        `insert into ${table} (${columns}) overriding system value
          select ${columns} from jsonb_populate_recordset(null::${table}, $1::text::jsonb)`,
        [JSON.stringify(rows)],
      );
    }
    await connection.unsafe('commit');
    for (const [table, first] of Object.entries(firstIds))
      if (table !== 'memories_archive')
        await connection.unsafe(`alter table ${table} alter column id restart with ${first + 50_000}`);
    await connection.unsafe('analyze');
  });
}

/** What is in the databases of these tests from the beginning. */
export const isolationSeed: Seed = {
  name: 'isolation',
  sources: [
    'test/isolation/data.ts',
    'test/support/operations/values.ts',
    'testkit/hash-embedder.ts',
    'src/security/keys.ts',
  ],
  store,
};
