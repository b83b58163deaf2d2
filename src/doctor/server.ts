import { grantStatements, grants } from '../database/grants.ts';
import { databaseRoles } from '../database/roles.ts';
import type { ExpectedEntry, FoundEntry } from './catalog.ts';
import { type Finding, literal, mendable, type Query, type Surroundings } from './finding.ts';

/** The first version of pgvector without a fault that damages an HNSW index while the table is vacuumed. */
const soundVector = [0, 8, 4] as const;
/** Since this version an index is built by several processes without an overflow of memory (CVE-2026-3172). */
const safeParallelVector = [0, 8, 2] as const;

function isOlder(version: string, than: readonly number[]): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, least] of than.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}

/** Finds a version of pgvector that has faults. */
export async function checkVersions(query: Query): Promise<Finding[]> {
  const [vector] = await query<{ version: string; available: string | null }>(
    `select extversion as version, (select default_version from pg_available_extensions where name = 'vector') as available
      from pg_extension where extname = 'vector'`,
  );
  if (vector === undefined || !isOlder(vector.version, soundVector)) return [];
  const update = 'alter extension vector update';
  const here = vector.available !== null && !isOlder(vector.available, soundVector);
  const unsafe = isOlder(vector.version, safeParallelVector)
    ? ' A build of an index by several processes can overwrite memory (CVE-2026-3172); set max_parallel_maintenance_workers to 0.'
    : '';
  return [
    {
      code: 'PGVECTOR_OLD',
      subject: 'vector',
      problem: `The extension vector has version ${vector.version}.`,
      meaning: `VACUUM can damage an HNSW index, which then loses rows of searches; 0.8.4 has the remedy.${unsafe}`,
      command: here
        ? 'funes doctor --fix PGVECTOR_OLD'
        : `Install pgvector 0.8.4 or newer on the server, then run in this database: ${update}`,
      statements: here ? [update] : [],
    },
  ];
}

const megabyte = 1024 ** 2;
/** The default of PostgreSQL. */
const leastMaintenanceMemory = 64 * megabyte;
/** What building an HNSW index keeps of one row: its vector, and its neighbours (m = 16). Measured with pgvector 0.8. */
const bytesOfIndexedRow = 384 * 4 + 700;

/** Finds settings that harm what funes does. */
export async function checkSettings(
  query: Query,
  { user, database, engine }: Surroundings,
  expected: readonly ExpectedEntry[],
  found: readonly FoundEntry[],
): Promise<Finding[]> {
  const tables = new Set(found.flatMap(({ kind, table }) => (kind === 'table' ? [table] : [])));
  const indexed = expected.filter(
    ({ kind, table, definition }) => kind === 'index' && definition.startsWith('hnsw ') && tables.has(table),
  );
  const names = [...new Set(indexed.map(({ table }) => table))];
  const [state] = await query<{ memory: string; most: number; autovacuum: string; counts: string }>(
    `select pg_size_bytes(current_setting('maintenance_work_mem'))::text as memory, current_setting('autovacuum') as autovacuum,
      coalesce((select max(reltuples) from pg_class where relnamespace = current_schema()::regnamespace
        and relname in (${['', ...names].map(literal).join(', ')})), 0)::float8 as most,
      current_setting('track_counts') as counts`,
  );
  if (state === undefined) return [];
  const findings: Finding[] = [];
  const memory = Number(state.memory);
  const needed = Math.max(leastMaintenanceMemory, Number(state.most) * bytesOfIndexedRow);
  if (memory < needed) {
    const wanted = `${2 ** Math.ceil(Math.log2(needed / megabyte))}MB`;
    findings.push(
      mendable(
        'MAINTENANCE_MEMORY_LOW',
        'maintenance_work_mem',
        `maintenance_work_mem is ${Math.floor(memory / 1024)} kB; the largest index of vectors needs ${wanted}.`,
        'Building an index that does not fit takes many times as long. VACUUM is slower, too.',
        [
          `alter role ${user} in database ${database} set maintenance_work_mem = '${wanted}'`,
          `set maintenance_work_mem = '${wanted}'`,
        ],
      ),
    );
  }
  // The embedded engine has no autovacuum.
  if (engine === 'embedded') return findings;
  const neverCleared =
    'Rows that were changed or deleted are never cleared away, and the planner does not know how many rows there are.';
  const settings: [name: string, value: string, statements: string[]][] = [
    ['autovacuum', state.autovacuum, ['alter system set autovacuum = on', 'select pg_reload_conf()']],
    [
      'track_counts',
      state.counts,
      [`alter role ${user} in database ${database} set track_counts = on`, 'set track_counts = on'],
    ],
  ];
  for (const [name, value, statements] of settings)
    if (value !== 'on')
      findings.push(
        mendable(
          'SETTING_HARMS',
          name,
          `${name} is off.`,
          `${neverCleared} Only a superuser may change it.`,
          statements,
        ),
      );
  return findings;
}

/** Finds roles and rights that requests lack. Only of tables and functions that are there. */
export async function checkRoles(
  query: Query,
  { engine, schema }: Surroundings,
  found: readonly FoundEntry[],
): Promise<Finding[]> {
  const names = Object.values(databaseRoles);
  const roles = await query<{ name: string }>(
    `select rolname as name from pg_roles where rolname in (${names.map(literal).join(', ')})`,
  );
  const missing = names.filter((name) => !roles.some((role) => role.name === name));
  if (missing.length > 0)
    return [
      {
        code: 'ROLES_MISSING',
        subject: missing.join(', '),
        problem: `There is no role ${missing.join(' and no role ')}.`,
        meaning:
          'Every request fails: requests run as these roles. A dump has no roles, so a restore to another server lacks them.',
        command: engine === 'server' ? 'funes roles --apply' : 'funes migrate',
        statements: [],
      },
    ];
  const there = new Set(
    found.flatMap(({ kind, name }) =>
      kind === 'table' ? [name] : kind === 'function' ? [name.split('(')[0]] : [],
    ),
  );
  const tests = grants.flatMap(({ privileges, columns, on, name, to }) => {
    if (name !== null && !name.includes('.') && on !== 'schema' && !there.has(name.split('(')[0])) return [];
    const object =
      name === null ? schema : on === 'schema' || name.includes('.') ? name : `${schema}.${name}`;
    return to.flatMap((role) =>
      privileges.flatMap((privilege) => {
        const has = (columns ?? [null]).map((column) =>
          column === null
            ? `has_${on}_privilege('${role}', ${literal(object)}, '${privilege}')`
            : `has_column_privilege('${role}', ${literal(object)}, '${column}', '${privilege}')`,
        );
        return has.map(
          (test) =>
            `select ${test} as has, ${literal(`${privilege} on ${name ?? 'the schema'} to ${role}`)} as what`,
        );
      }),
    );
  });
  const lacking = await query<{ what: string }>(
    `select distinct what from (${tests.join(' union all ')}) as tests where has is not true order by what`,
  );
  if (lacking.length === 0) return [];
  const statements = grantStatements(schema);
  return [
    {
      ...mendable(
        'GRANTS_MISSING',
        'roles',
        `The roles of requests lack ${lacking.length} ${lacking.length === 1 ? 'right' : 'rights'}: ${lacking.map(({ what }) => what).join(', ')}.`,
        'Requests that need them fail.',
        statements,
      ),
    },
  ];
}
