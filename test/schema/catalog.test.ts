import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';

// What a migrated database must contain. It was written by hand from the data model, and not from the code.

const id = 'bigint not null generated always as identity';
const owner = "character varying(100) not null default 'default_user'::character varying";
const createdAt = 'timestamp with time zone not null default now()';
const metadata = "jsonb not null default '{}'::jsonb";
const textSearch = "tsvector generated always as (to_tsvector('english'::regconfig, content))";

const embedding = {
  embedding: 'vector(384)',
  embedding_model: 'character varying(200)',
  embedding_source: "character varying(10) not null default 'FUNES'::character varying",
  embedding_error: 'text',
  embedding_attempts: 'integer not null default 0',
  embedding_retry_at: 'timestamp with time zone',
  next_embedding: 'vector(384)',
  next_embedding_model: 'character varying(200)',
};

const textLength = 'integer generated always as (length(content))';

const memory = {
  user_id: owner,
  content: 'text not null',
  content_summary: 'text',
  ...embedding,
  source: "character varying(50) not null default 'chat'::character varying",
  session_id: 'character varying(100)',
  importance_score: 'double precision not null default 0.5',
  metadata,
  idempotency_key: 'character varying(200)',
  idempotency_fields: 'jsonb',
  origin: 'character varying(200)',
  created_at: createdAt,
  updated_at: createdAt,
};

const columns: Record<string, Record<string, string>> = {
  memories: { id, ...memory, content_tsv: textSearch, content_length: textLength },
  memories_archive: { id: 'bigint not null', ...memory, archived_at: createdAt },
  documents: {
    id,
    user_id: owner,
    filename: 'character varying(255) not null',
    file_path: 'text',
    file_type: 'character varying(20)',
    file_size: 'bigint',
    content_hash: 'character varying(64) not null',
    total_chunks: 'integer not null default 0',
    last_chunk_index: 'integer generated always as ((NULLIF(total_chunks, 0) - 1))',
    created_at: createdAt,
    processed_at: createdAt,
    updated_at: createdAt,
    metadata,
    origin: 'character varying(200)',
  },
  document_chunks: {
    id,
    user_id: owner,
    document_id: 'bigint not null',
    chunk_index: 'integer not null',
    total_chunks: 'integer not null',
    previous_chunk_index: 'integer generated always as ((NULLIF(chunk_index, 0) - 1))',
    content: 'text not null',
    content_summary: 'text',
    ...embedding,
    chunk_size: 'integer not null',
    overlap_size: 'integer not null default 0',
    start_offset: 'integer not null',
    end_offset: 'integer not null',
    metadata,
    created_at: createdAt,
    content_tsv:
      "tsvector generated always as (to_tsvector('english'::regconfig, CASE WHEN (strpos(content, (metadata ->> 'tableHeader'::text)) = 0) THEN (((metadata ->> 'tableHeader'::text) || ' '::text) || content) ELSE content END))",
    content_length: textLength,
  },
  tool_embeddings: {
    id,
    tool_name: 'character varying(100) not null',
    tool_description: 'text not null',
    tool_parameters: 'jsonb',
    ...embedding,
    usage_count: 'integer not null default 0',
    last_used: 'timestamp with time zone',
    created_at: createdAt,
    updated_at: createdAt,
    content_tsv:
      "tsvector generated always as (to_tsvector('english'::regconfig, ((regexp_replace((tool_name)::text, '([[:lower:]])([[:upper:]])|[_.-]'::text, '\\1 \\2'::text, 'g'::text) || ' '::text) || tool_description)))",
    content_length: 'integer generated always as ((length((tool_name)::text) + length(tool_description)))',
  },
  api_keys: {
    id,
    user_id: 'character varying(100) not null',
    role: 'character varying(10) not null',
    prefix: 'character varying(20) not null',
    hash: 'character varying(64) not null',
    created_at: createdAt,
    last_used_at: 'timestamp with time zone',
    expires_at: 'timestamp with time zone',
    revoked_at: 'timestamp with time zone',
  },
  audit: {
    id,
    user_id: 'character varying(100) not null',
    action: 'character varying(20) not null',
    by_user_id: 'character varying(100) not null',
    actor: 'character varying(100)',
    key_prefix: 'character varying(20)',
    details: metadata,
    created_at: createdAt,
  },
  installation: {
    only: 'boolean not null default true',
    database_id: 'uuid not null default gen_random_uuid()',
    embedding_model: 'character varying(200)',
    next_embedding_model: 'character varying(200)',
  },
};

const hnsw = "hnsw (embedding vector_cosine_ops) WITH (m='16', ef_construction='64')";

const nextHnsw = hnsw.replace('embedding', 'next_embedding');

const indexes: Record<string, Record<string, string>> = {
  memories: {
    memories_pkey: 'unique btree (id, user_id)',
    memories_user_idempotency_key: 'unique btree (user_id, idempotency_key)',
    memories_user_origin: 'unique btree (user_id, origin) WHERE (origin IS NOT NULL)',
    idx_memories_embedding_hnsw: hnsw,
    idx_memories_next_embedding_hnsw: nextHnsw,
    idx_memories_created_at: 'btree (created_at DESC)',
    idx_memories_source: 'btree (source)',
    idx_memories_user_id: 'btree (user_id)',
    idx_memories_session_id: 'btree (session_id)',
    idx_memories_importance: 'btree (importance_score DESC)',
    idx_memories_user_created: 'btree (user_id, created_at DESC)',
    idx_memories_user_session: 'btree (user_id, session_id, id)',
    idx_memories_user_share: 'btree (user_id, hashint8(id), content_length)',
    idx_memories_pending: 'btree (id) WHERE ((embedding IS NULL) AND (embedding_error IS NULL))',
    idx_memories_metadata: 'gin (metadata jsonb_path_ops)',
    idx_memories_content_tsv: 'gin (content_tsv)',
  },
  memories_archive: {
    memories_archive_pkey: 'unique btree (id, user_id)',
    memories_archive_user_origin: 'unique btree (user_id, origin) WHERE (origin IS NOT NULL)',
    idx_memories_archive_user_idempotency_key:
      'btree (user_id, idempotency_key) WHERE (idempotency_key IS NOT NULL)',
    idx_memories_archive_pending: 'btree (id) WHERE ((embedding IS NULL) AND (embedding_error IS NULL))',
    idx_memories_archive_user_archived: 'btree (user_id, archived_at DESC)',
  },
  documents: {
    documents_pkey: 'unique btree (id, user_id)',
    documents_user_content_hash: 'unique btree (user_id, content_hash)',
    documents_user_origin: 'unique btree (user_id, origin) WHERE (origin IS NOT NULL)',
    idx_documents_user_created: 'btree (user_id, created_at DESC)',
    idx_documents_user_file_path: 'btree (user_id, file_path) WHERE (file_path IS NOT NULL)',
    documents_total_chunks_key: 'unique btree (id, user_id, total_chunks)',
    idx_documents_metadata: 'gin (metadata jsonb_path_ops)',
  },
  document_chunks: {
    document_chunks_pkey: 'unique btree (id, user_id)',
    idx_document_chunks_doc_index: 'unique btree (document_id, chunk_index, user_id)',
    idx_document_chunks_embedding_hnsw: hnsw,
    idx_document_chunks_next_embedding_hnsw: nextHnsw,
    idx_document_chunks_user_id: 'btree (user_id)',
    idx_document_chunks_user_share: 'btree (user_id, hashint8(id), content_length)',
    idx_document_chunks_pending: 'btree (id) WHERE ((embedding IS NULL) AND (embedding_error IS NULL))',
    idx_document_chunks_metadata: 'gin (metadata jsonb_path_ops)',
    idx_document_chunks_content_tsv: 'gin (content_tsv)',
    idx_document_chunks_document_start: 'btree (document_id, start_offset) WHERE (start_offset >= 0)',
  },
  tool_embeddings: {
    tool_embeddings_pkey: 'unique btree (id)',
    tool_embeddings_tool_name: 'unique btree (tool_name)',
    idx_tool_embeddings_hnsw: hnsw,
    idx_tool_embeddings_next_hnsw: nextHnsw,
    idx_tool_embeddings_content_tsv: 'gin (content_tsv)',
    idx_tool_embeddings_pending: 'btree (id) WHERE ((embedding IS NULL) AND (embedding_error IS NULL))',
    idx_tool_embeddings_parameters: 'gin (tool_parameters jsonb_path_ops)',
  },
  api_keys: {
    api_keys_pkey: 'unique btree (id)',
    api_keys_hash: 'unique btree (hash)',
    idx_api_keys_user_id: 'btree (user_id)',
  },
  audit: {
    audit_pkey: 'unique btree (id)',
    idx_audit_created_at: 'btree (created_at DESC, id DESC)',
    idx_audit_user_created: 'btree (user_id, created_at DESC, id DESC)',
  },
  installation: { installation_pkey: 'unique btree ("only")' },
};

const blank = (column: string) => `CHECK ((${column} ~ '[^[:space:]]'::text))`;
const importance =
  'CHECK (((importance_score >= (0)::double precision) AND (importance_score <= (1)::double precision)))';
const embedded = [
  'CHECK (((embedding IS NULL) = (embedding_model IS NULL)))',
  'CHECK (((next_embedding IS NULL) = (next_embedding_model IS NULL)))',
  'CHECK (((embedding_error IS NULL) OR (embedding IS NULL)))',
  "CHECK (((embedding_source)::text = ANY ((ARRAY['FUNES'::character varying, 'CLIENT'::character varying])::text[])))",
];

const constraints: Record<string, string[]> = {
  memories: [blank('content'), importance, ...embedded],
  memories_archive: [blank('content'), importance, ...embedded],
  documents: [
    "CHECK (((filename)::text ~ '[^[:space:]]'::text))",
    "CHECK (((content_hash)::text ~ '^[0-9a-f]{64}$'::text))",
    'CHECK ((file_size >= 0))',
    'CHECK ((total_chunks >= 0))',
    'FOREIGN KEY (id, last_chunk_index, user_id) REFERENCES document_chunks(document_id, chunk_index, user_id) DEFERRABLE INITIALLY DEFERRED',
  ],
  document_chunks: [
    blank('content'),
    'CHECK (((chunk_index >= 0) AND (chunk_index < total_chunks)))',
    'CHECK (((chunk_size > 0) AND (overlap_size >= 0)))',
    'CHECK (((start_offset >= 0) AND (start_offset < end_offset)))',
    ...embedded,
    'FOREIGN KEY (document_id, user_id, total_chunks) REFERENCES documents(id, user_id, total_chunks) ON DELETE CASCADE',
    'FOREIGN KEY (document_id, previous_chunk_index, user_id) REFERENCES document_chunks(document_id, chunk_index, user_id)',
  ],
  tool_embeddings: [
    "CHECK (((tool_name)::text ~ '[^[:space:]]'::text))",
    blank('tool_description'),
    'CHECK ((usage_count >= 0))',
    ...embedded,
  ],
  api_keys: [
    "CHECK (((user_id)::text ~ '[^[:space:]]'::text))",
    "CHECK (((hash)::text ~ '^[0-9a-f]{64}$'::text))",
    "CHECK (((role)::text = ANY ((ARRAY['admin'::character varying, 'user'::character varying, 'reader'::character varying])::text[])))",
  ],
  audit: [
    "CHECK (((action)::text = ANY ((ARRAY['KEY_CREATED'::character varying, 'KEY_REVOKED'::character varying, 'USER_EXPORTED'::character varying, 'USER_FORGOTTEN'::character varying])::text[])))",
  ],
  installation: ['CHECK ("only")'],
};

const tables = Object.keys(columns);

describe('a migrated database', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await openTestDatabase();
  });
  afterAll(() => db.close());

  async function query<Row>(statement: string, parameters: string[] = []): Promise<Row[]> {
    const connection = await db.pool.reserve();
    try {
      return (await connection.unsafe(statement, parameters)) as unknown as Row[];
    } catch (error) {
      await connection.unsafe('rollback');
      throw error;
    } finally {
      connection.release();
    }
  }

  test('has these tables and no others', async () => {
    const found = await query<{ name: string }>(
      "select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'",
    );
    expect(found.map(({ name }) => name).sort()).toEqual([...tables].sort());
  });

  test.each(tables)('has every column of %s with its type, default and nullability', async (table) => {
    const found = await query<{ name: string; definition: string }>(
      `select attname as name, format_type(atttypid, atttypmod)
          || case when attnotnull then ' not null' else '' end
          || case when attidentity = 'a' then ' generated always as identity'
                  when attgenerated = 's' then ' generated always as (' || pg_get_expr(adbin, adrelid) || ')'
                  when adbin is not null then ' default ' || pg_get_expr(adbin, adrelid) else '' end as definition
        from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
        where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
      [table],
    );
    // PostgreSQL writes a CASE in several lines.
    const oneLine = (definition: string) => definition.replace(/\s+/g, ' ');
    expect(Object.fromEntries(found.map(({ name, definition }) => [name, oneLine(definition)]))).toEqual(
      columns[table],
    );
  });

  test.each(tables)('has every index of %s with its operator class and parameters', async (table) => {
    const found = await query<{ name: string; definition: string }>(
      `select c.relname as name, case when i.indisunique then 'unique ' else '' end
          || regexp_replace(pg_get_indexdef(c.oid), '^.* USING ', '') as definition
        from pg_index i join pg_class c on c.oid = i.indexrelid
        where i.indrelid = $1::regclass and i.indisvalid`,
      [table],
    );
    expect(Object.fromEntries(found.map(({ name, definition }) => [name, definition]))).toEqual(
      indexes[table],
    );
  });

  test.each(tables)('has every check and foreign key of %s', async (table) => {
    const found = await query<{ definition: string }>(
      "select pg_get_constraintdef(oid) as definition from pg_constraint where conrelid = $1::regclass and contype in ('c', 'f')",
      [table],
    );
    expect(found.map(({ definition }) => definition).sort()).toEqual([...(constraints[table] ?? [])].sort());
  });

  test('has the user in every key of memories, documents and chunks, so that they can be distributed by it', async () => {
    const found = await query<{ name: string }>(
      `select conname as name from pg_constraint c
        where conrelid in ('memories'::regclass, 'documents'::regclass, 'document_chunks'::regclass)
          and contype in ('p', 'u', 'f')
          and not exists (select from pg_attribute a where a.attrelid = conrelid and a.attnum = any (conkey) and attname = 'user_id')`,
    );
    expect(found).toEqual([]);
  });

  test('lets nobody but the roles of requests look up a key, and only administrators make and change keys', async () => {
    const looksUp = await query(
      `select prosecdef as definer, proconfig as settings, prosqlbody is not null as bound
        from pg_proc where proname = 'funes_key'`,
    );
    expect(looksUp).toEqual([{ definer: true, settings: null, bound: true }]);
    const roles = await query<{
      role: string;
      seesHash: boolean;
      sees: boolean;
      makes: boolean;
      changes: boolean;
      deletes: boolean;
    }>(
      `select rolname as role, has_function_privilege(oid, 'funes_key(text)', 'execute') as "looksUp",
          has_any_column_privilege(oid, 'api_keys', 'select') as sees, has_column_privilege(oid, 'api_keys', 'hash', 'select') as "seesHash", has_table_privilege(oid, 'api_keys', 'insert') as makes,
          has_any_column_privilege(oid, 'api_keys', 'update') as changes, has_table_privilege(oid, 'api_keys', 'delete') as deletes
        from pg_roles where rolname in ('funes_app', 'funes_admin', 'pg_monitor') order by rolname`,
    );
    const nothing = { sees: false, seesHash: false, makes: false, changes: false, deletes: false };
    expect(roles).toEqual([
      {
        role: 'funes_admin',
        looksUp: true,
        sees: true,
        seesHash: true,
        makes: true,
        changes: true,
        deletes: true,
      },
      // Behind its policy: users export and delete their own keys.
      { role: 'funes_app', looksUp: true, ...nothing, sees: true, deletes: true },
      // Stands for everybody else.
      { role: 'pg_monitor', looksUp: false, ...nothing },
    ]);
  });

  test('has no triggers but those of its foreign keys', async () => {
    expect(await query('select tgname from pg_trigger where not tgisinternal')).toEqual([]);
  });

  test('keeps embeddings in the row, where a distance reads them without a second look-up', async () => {
    const found = await query<{ storage: string }>(
      `select attstorage::text as storage from pg_attribute where attname = 'embedding'
        and attrelid in ('memories'::regclass, 'document_chunks'::regclass, 'tool_embeddings'::regclass)`,
    );
    expect(found.map(({ storage }) => storage)).toEqual(['p', 'p', 'p']);
  });

  describe('keeps total_chunks equal to the chunks that exist', () => {
    const hash = 'a'.repeat(64);
    const chunk = (index: number, total: number) =>
      `insert into document_chunks (document_id, chunk_index, total_chunks, content, chunk_size, start_offset, end_offset)
        select id, ${index}, ${total}, 'text', 1, 0, 4 from documents where content_hash = '${hash}'`;
    const document = (total: number) =>
      `insert into documents (filename, content_hash, total_chunks) values ('a.txt', '${hash}', ${total})`;

    test.each([
      ['a document without the chunks it counts', [document(2)], 'documents_last_chunk_fkey'],
      ['a document whose last chunk is missing', [document(2), chunk(0, 2)], 'documents_last_chunk_fkey'],
      ['a chunk whose predecessor is missing', [document(2), chunk(1, 2)], 'document_chunks_previous_fkey'],
      ['a chunk beyond the count', [document(1), chunk(0, 1), chunk(1, 1)], 'document_chunks_index_range'],
      [
        'a chunk that counts differently',
        [document(2), chunk(0, 2), chunk(1, 3)],
        'document_chunks_document_fkey',
      ],
      [
        'a chunk that is deleted alone',
        [document(2), chunk(0, 2), chunk(1, 2), 'delete from document_chunks where chunk_index = 1'],
        'documents_last_chunk_fkey',
      ],
    ])('refuses %s', async (_, statements, constraint) => {
      const error = await query(['begin', ...statements, 'commit'].join('; ')).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ constraint_name: constraint });
    });

    test('accepts a document with all its chunks', async () => {
      await query(['begin', document(2), chunk(0, 2), chunk(1, 2), 'commit'].join('; '));
      await query('delete from documents');
      expect(await query('select id from document_chunks')).toEqual([]);
    });
  });
});
