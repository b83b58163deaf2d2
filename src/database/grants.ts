import { databaseRoles } from './roles.ts';

const { app, admin } = databaseRoles;

/** A right to a thing in the database. */
export interface Grant {
  readonly privileges: readonly ('usage' | 'select' | 'insert' | 'update' | 'delete' | 'execute')[];
  /** Only these columns of the table. */
  readonly columns?: readonly string[];
  readonly on: 'schema' | 'table' | 'function';
  /** In the schema of the tables unless it names another. A function has the types of its parameters. `null` is that schema. */
  readonly name: string | null;
  readonly to: readonly (typeof app | typeof admin)[];
}

/** What lets the requests of a user read the GIN indexes of their own rows, which the policies keep from them. */
const ownRowFunctions = [
  'funes_own_memories_with_words(tsquery,jsonb,integer)',
  'funes_own_chunks_with_words(tsquery,jsonb,integer)',
  'funes_own_memories_containing(jsonb,integer)',
  'funes_own_documents_containing(jsonb,integer)',
  'funes_own_chunks_containing(jsonb,integer)',
];

/**
 * All that the roles of requests may do: what the migrations grant, and a test holds the two together. It is here too, because a
 * dump can leave grants out. Whoever may log in as the server has no right of its own.
 */
export const grants: readonly Grant[] = [
  { privileges: ['usage'], on: 'schema', name: null, to: [app, admin] },
  ...['memories', 'memories_archive', 'documents', 'document_chunks'].map(
    (name): Grant => ({
      privileges: ['select', 'insert', 'update', 'delete'],
      on: 'table',
      name,
      to: [app, admin],
    }),
  ),
  {
    privileges: ['select', 'insert', 'update', 'delete'],
    on: 'table',
    name: 'tool_embeddings',
    to: [admin],
  },
  { privileges: ['select'], on: 'table', name: 'tool_embeddings', to: [app] },
  {
    privileges: ['update'],
    columns: ['usage_count', 'last_used', 'updated_at'],
    on: 'table',
    name: 'tool_embeddings',
    to: [app],
  },
  { privileges: ['select', 'insert', 'update'], on: 'table', name: 'api_keys', to: [admin] },
  { privileges: ['delete'], on: 'table', name: 'api_keys', to: [app, admin] },
  {
    privileges: ['select'],
    columns: ['id', 'user_id', 'role', 'prefix', 'created_at', 'last_used_at', 'expires_at', 'revoked_at'],
    on: 'table',
    name: 'api_keys',
    to: [app],
  },
  { privileges: ['select'], on: 'table', name: 'audit', to: [admin] },
  {
    privileges: ['insert'],
    columns: ['user_id', 'action', 'by_user_id', 'actor', 'key_prefix', 'details'],
    on: 'table',
    name: 'audit',
    to: [app, admin],
  },
  { privileges: ['select'], on: 'table', name: 'installation', to: [app, admin] },
  {
    privileges: ['update'],
    columns: ['embedding_model', 'next_embedding_model'],
    on: 'table',
    name: 'installation',
    to: [admin],
  },
  { privileges: ['execute'], on: 'function', name: 'funes_key(text)', to: [app, admin] },
  ...ownRowFunctions.map((name): Grant => ({ privileges: ['execute'], on: 'function', name, to: [app] })),
  { privileges: ['usage'], on: 'schema', name: 'drizzle', to: [admin] },
  { privileges: ['select'], on: 'table', name: 'drizzle.__drizzle_migrations', to: [admin] },
];

/** Functions that not everybody may call, although PostgreSQL lets everybody call a new function. */
export const closedFunctions: readonly string[] = ['funes_key(text)', ...ownRowFunctions];

/**
 * The statements of these grants.
 * @param schema the schema of the tables, quoted.
 */
export function grantStatements(schema: string): string[] {
  const full = (name: string) => (name.includes('.') ? name : `${schema}.${name}`);
  return [
    ...closedFunctions.map((name) => `revoke execute on function ${full(name)} from public`),
    ...grants.map(({ privileges, columns, on, name, to }) => {
      const what = columns === undefined ? '' : ` (${columns.join(', ')})`;
      const object = name === null ? schema : on === 'schema' ? name : full(name);
      return `grant ${privileges.join(', ')}${what} on ${on} ${object} to ${to.join(', ')}`;
    }),
  ];
}
