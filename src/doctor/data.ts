import { EMBEDDING_DIMENSIONS } from '../../schema/columns/vector.ts';
import type { ExpectedEntry, FoundEntry } from './catalog.ts';
import { type Finding, ident, mendable, type Query, type Surroundings } from './finding.ts';

/** A check of rows, and the columns without which it cannot be made. */
interface DataCheck {
  readonly needs: Readonly<Record<string, readonly string[]>>;
  check(query: Query, surroundings: Surroundings, expected: readonly ExpectedEntry[]): Promise<Finding[]>;
}

const embeddedTables = ['memories', 'memories_archive', 'document_chunks', 'tool_embeddings'] as const;

const rows = (count: number) => `${count} ${count === 1 ? 'row' : 'rows'}`;

async function countOf(query: Query, from: string): Promise<number> {
  const [row] = await query<{ count: string }>(`select count(*) as count from ${from}`);
  return Number(row?.count ?? 0);
}

const pending = embeddedTables.map(
  (table): DataCheck => ({
    needs: { [table]: ['embedding'] },
    async check(query, { schema }) {
      const on = `${schema}.${ident(table)}`;
      const [error] = await query(
        `select from information_schema.columns where table_schema = current_schema() and table_name = '${table}' and column_name = 'embedding_error'`,
      );
      const count = await countOf(
        query,
        `${on} where embedding is null${error ? ' and embedding_error is null' : ''}`,
      );
      if (count === 0) return [];
      return [
        {
          code: 'EMBEDDINGS_PENDING',
          subject: table,
          problem: `${rows(count)} of ${table} ${count === 1 ? 'has' : 'have'} no embedding yet.`,
          meaning:
            'Searches by meaning do not find them. A server that runs embeds them by itself, also those that were just written.',
          command: 'funes serve',
          statements: [],
        },
      ];
    },
  }),
);

const failed = embeddedTables.map(
  (table): DataCheck => ({
    needs: { [table]: ['embedding_error', 'embedding_attempts', 'embedding_retry_at'] },
    async check(query, { schema }) {
      const on = `${schema}.${ident(table)}`;
      const count = await countOf(query, `${on} where embedding_error is not null`);
      if (count === 0) return [];
      return [
        mendable(
          'EMBEDDINGS_FAILED',
          table,
          `${rows(count)} of ${table} could not be embedded.`,
          'Searches by meaning do not find them. Their reasons are in embedding_error (embeddingError in the API). The command lets a server try them again.',
          [
            `update ${on} set embedding_error = null, embedding_attempts = 0, embedding_retry_at = null where embedding_error is not null`,
          ],
        ),
      ];
    },
  }),
);

const stale = embeddedTables.map(
  (table): DataCheck => ({
    needs: {
      [table]: ['embedding', 'embedding_model', 'embedding_source'],
      installation: ['embedding_model', 'next_embedding_model'],
    },
    async check(query, { schema }) {
      const count = await countOf(
        query,
        `${schema}.${ident(table)} as row, ${schema}.installation as i where row.embedding_source = 'FUNES' and i.only
          and row.embedding_model <> coalesce(i.next_embedding_model, i.embedding_model)`,
      );
      if (count === 0) return [];
      return [
        {
          code: 'EMBEDDINGS_STALE',
          subject: table,
          problem: `${rows(count)} of ${table} ${count === 1 ? 'has its' : 'have their'} embedding by another model than that of the server.`,
          meaning: 'Vectors of two models cannot be compared.',
          command: 'funes reembed',
          statements: [],
        },
      ];
    },
  }),
);

const otherDimensions = embeddedTables.map(
  (table): DataCheck => ({
    needs: { [table]: ['embedding', 'embedding_model'] },
    async check(query, { schema }) {
      const on = `${schema}.${ident(table)}`;
      // A column of the right type has no other vectors, and need not be read.
      const [typed] = await query(
        `select from pg_attribute where attrelid = '${on}'::regclass and attname = 'embedding' and atttypmod = ${EMBEDDING_DIMENSIONS}`,
      );
      const wrong = `embedding is not null and vector_dims(embedding) <> ${EMBEDDING_DIMENSIONS}`;
      const count = typed ? 0 : await countOf(query, `${on} where ${wrong}`);
      if (count === 0) return [];
      return [
        mendable(
          'EMBEDDINGS_OF_OTHER_DIMENSIONS',
          table,
          `${rows(count)} of ${table} ${count === 1 ? 'has a vector' : 'have vectors'} of other than ${EMBEDDING_DIMENSIONS} dimensions.`,
          'Searches that meet them fail. The command drops these vectors, and a server embeds the rows again.',
          [`update ${on} set embedding = null, embedding_model = null where ${wrong}`],
        ),
      ];
    },
  }),
);

const chunkColumns = ['id', 'user_id', 'document_id', 'chunk_index', 'total_chunks'];

const chunksWithoutDocument: DataCheck = {
  needs: { documents: ['id', 'user_id'], document_chunks: chunkColumns },
  async check(query, { schema }) {
    const orphans = `${schema}.document_chunks as c where not exists (
      select from ${schema}.documents as d where d.id = c.document_id and d.user_id = c.user_id)`;
    const count = await countOf(query, orphans);
    if (count === 0) return [];
    return [
      mendable(
        'CHUNKS_WITHOUT_DOCUMENT',
        'document_chunks',
        `${count} ${count === 1 ? 'chunk has' : 'chunks have'} no document.`,
        'Searches find text whose document is gone. The command deletes these chunks.',
        [`delete from ${orphans}`],
      ),
    ];
  },
};

/** Documents whose chunks are not those from 0 to total_chunks - 1, each once and each knowing how many there are. */
const miscounted = (schema: string) => `
  select d.id, d.user_id from ${schema}.documents as d
    left join ${schema}.document_chunks as c on c.document_id = d.id and c.user_id = d.user_id
  group by d.id, d.user_id, d.total_chunks
  having count(c.id) <> d.total_chunks or count(distinct c.chunk_index) <> count(c.id)
    or min(c.chunk_index) <> 0 or max(c.chunk_index) <> d.total_chunks - 1 or bool_or(c.total_chunks <> d.total_chunks)`;

const chunksMiscounted: DataCheck = {
  needs: { documents: ['id', 'user_id', 'total_chunks'], document_chunks: chunkColumns },
  async check(query, { schema }, expected) {
    const found = await query<{ id: string }>(`${miscounted(schema)} order by d.id limit 11`);
    if (found.length === 0) return [];
    const ids = found.slice(0, 10).map(({ id }) => id);
    const columns = expected.flatMap(({ kind, table, name, definition }) =>
      kind === 'column' && table === 'document_chunks' && !definition.includes(' generated always as (')
        ? [name]
        : [],
    );
    const values = columns.map((name) => {
      if (name === 'chunk_index')
        return 'row_number() over (partition by user_id, document_id order by chunk_index, id) - 1';
      if (name === 'total_chunks') return 'count(*) over (partition by user_id, document_id)';
      return ident(name);
    });
    const ofKept = `(document_id, user_id) in (select id, user_id from funes_miscounted)`;
    return [
      mendable(
        'CHUNKS_MISCOUNTED',
        'documents',
        `The chunks of ${found.length > 10 ? 'more than 10 documents' : `${found.length} ${found.length === 1 ? 'document' : 'documents'}`} are not those that were stored: id ${ids.join(', ')}${found.length > 10 ? ' and others' : ''}.`,
        'Text of these documents is lost. The command counts the chunks that are left. To have the whole text again, delete the document (deleteDocument) and ingest its file again.',
        [
          `create temporary table funes_miscounted on commit drop as ${miscounted(schema)}`,
          `create temporary table funes_chunks on commit drop as select ${columns.map(ident).join(', ')} from ${schema}.document_chunks where ${ofKept}`,
          `delete from ${schema}.document_chunks where ${ofKept}`,
          `update ${schema}.documents as d set total_chunks = (select count(*) from funes_chunks as c where c.document_id = d.id and c.user_id = d.user_id) where (d.id, d.user_id) in (select id, user_id from funes_miscounted)`,
          `insert into ${schema}.document_chunks (${columns.map(ident).join(', ')}) overriding system value select ${values.join(', ')} from funes_chunks`,
        ],
      ),
    ];
  },
};

const installationRow: DataCheck = {
  needs: { installation: ['only', 'database_id'] },
  async check(query, { schema }) {
    if ((await countOf(query, `${schema}.installation`)) > 0) return [];
    return [
      mendable(
        'INSTALLATION_ROW_MISSING',
        'installation',
        'The table installation has no row.',
        'No server knows by which model the embeddings are. The command makes the row; the server that starts next says its model.',
        [`insert into ${schema}.installation default values`],
      ),
    ];
  },
};

const idsBehind = ['memories', 'documents', 'document_chunks', 'tool_embeddings', 'api_keys', 'audit'].map(
  (table): DataCheck => ({
    needs: { [table]: ['id'] },
    async check(query, { schema }) {
      const on = `${schema}.${ident(table)}`;
      const [sequence] = await query<{ name: string | null }>(
        `select pg_get_serial_sequence('${on}', 'id') as name where has_sequence_privilege(pg_get_serial_sequence('${on}', 'id'), 'SELECT')`,
      );
      if (!sequence?.name) return [];
      // The archive has ids of memories.
      const others =
        table === 'memories' ? `, coalesce((select max(id) from ${schema}.memories_archive), 0)` : '';
      const [state] = await query<{ behind: boolean }>(
        `select greatest(coalesce((select max(id) from ${on}), 0)${others}) > case when is_called then last_value else last_value - 1 end as behind from ${sequence.name}`,
      );
      if (state?.behind !== true) return [];
      return [
        mendable(
          'IDS_BEHIND',
          table,
          `The next id of ${table} is one that a row has already.`,
          'New rows are refused. A restore can leave the database so. The command goes on after the highest id.',
          [`select setval('${sequence.name}', greatest((select coalesce(max(id), 1) from ${on})${others}))`],
        ),
      ];
    },
  }),
);

const checks: readonly DataCheck[] = [
  installationRow,
  chunksWithoutDocument,
  chunksMiscounted,
  ...pending,
  ...failed,
  ...stale,
  ...otherDimensions,
  ...idsBehind,
];

/**
 * Returns the checks of rows: embeddings that are missing, of another model or of other dimensions, and chunks that do not belong
 * together. What needs a column that is not there is left out; that the column is missing is a finding of its own.
 */
export function dataChecks(
  surroundings: Surroundings,
  expected: readonly ExpectedEntry[],
  found: readonly FoundEntry[],
): { what: string; check: (query: Query) => Promise<Finding[]> }[] {
  const columns = new Set(
    found.flatMap(({ kind, table, name }) => (kind === 'column' ? [`${table}.${name}`] : [])),
  );
  const can = ({ needs }: DataCheck) =>
    Object.entries(needs).every(([table, names]) => names.every((name) => columns.has(`${table}.${name}`)));
  return checks.filter(can).map(({ needs, check }) => ({
    what: `rows of ${Object.keys(needs).join(' and ')}`,
    check: (query) => check(query, surroundings, expected),
  }));
}
