import { EMBEDDING_DIMENSIONS } from '../../schema/columns/vector.ts';
import {
  type CatalogEntry,
  type CatalogKind,
  creationOf,
  type ExpectedEntry,
  type FoundEntry,
  inOrder,
  isSame,
  replacementOf,
} from './catalog.ts';
import { type Finding, type FindingCode, ident, mendable, type Query, type Surroundings } from './finding.ts';

const keyOf = ({ kind, table, name }: CatalogEntry): string => `${kind} ${table} ${name}`;

const codes: Readonly<Record<CatalogKind, { missing: FindingCode; differs: FindingCode }>> = {
  table: { missing: 'TABLE_MISSING', differs: 'TABLE_MISSING' },
  column: { missing: 'COLUMN_MISSING', differs: 'COLUMN_DIFFERS' },
  constraint: { missing: 'CONSTRAINT_MISSING', differs: 'CONSTRAINT_DIFFERS' },
  index: { missing: 'INDEX_MISSING', differs: 'INDEX_DIFFERS' },
  'row security': { missing: 'ROW_SECURITY_OFF', differs: 'ROW_SECURITY_OFF' },
  policy: { missing: 'POLICY_MISSING', differs: 'POLICY_DIFFERS' },
  function: { missing: 'FUNCTION_MISSING', differs: 'FUNCTION_DIFFERS' },
};

/** What follows if a thing is not as it should be. */
const meanings: Readonly<Record<CatalogKind, string>> = {
  table:
    'Requests about its rows fail. What was in it can only come from a backup; the command makes an empty table.',
  column: 'Requests that read or write it fail.',
  constraint:
    'The database lets rows in that it should refuse. If there are such rows already, the command fails until they are gone.',
  index:
    'Requests that use it read whole tables, and take longer the more rows there are; or, if it is unique, rows can come in twice.',
  'row security': 'The database no longer keeps the rows of users apart. Only the conditions of funes do.',
  policy:
    'The database keeps the rows of users apart by it. Without the right policy it lets through too many, or none.',
  function: 'Searches by words and look-ups of keys fail, or take longer.',
};

/** Compares what the tables are with what the migrations make of them. */
export function compareCatalogs(
  expected: readonly ExpectedEntry[],
  found: readonly FoundEntry[],
  { schema, engine }: Surroundings,
): Finding[] {
  const options = { schema, engine, all: expected };
  const has = new Map(found.map((entry) => [keyOf(entry), entry]));
  const tables = new Set(found.flatMap(({ kind, table }) => (kind === 'table' ? [table] : [])));
  const findings: Finding[] = [];
  for (const entry of [...expected].sort(inOrder)) {
    const { kind, table, name, definition } = entry;
    // With a table goes all that belongs to it: its columns are made with it.
    if (kind === 'column' && !tables.has(table)) continue;
    const subject = describe(entry);
    const actual = has.get(keyOf(entry));
    if (actual === undefined) {
      // A name is free only if no other table has an index of it.
      const isTaken =
        kind === 'index' && found.some((other) => other.kind === 'index' && other.name === name);
      const statements = isTaken ? replacementOf(entry, entry, options) : creationOf(entry, options);
      findings.push(mendable(codes[kind].missing, subject, missing(entry), meanings[kind], statements));
    } else if (!isSame(actual, entry))
      findings.push(
        mendable(
          codes[kind].differs,
          subject,
          kind === 'function'
            ? `The function ${name} is not that of the migrations.`
            : `The ${kind} ${subject} is "${actual.definition}", and should be "${definition}".`,
          meanings[kind],
          replacementOf(entry, actual, options),
        ),
      );
    else if (!actual.valid) findings.push(invalid(entry, options));
  }
  const known = new Set(expected.map(keyOf));
  for (const entry of found) {
    if (entry.kind !== 'index' || entry.valid || known.has(keyOf(entry))) continue;
    findings.push(
      mendable(
        'INDEX_INVALID',
        describe(entry),
        `The index ${entry.name} of ${entry.table} was not built to its end, and does not belong to this version.`,
        'No query uses it, and each write pays for it. CREATE INDEX CONCURRENTLY leaves such an index when it fails.',
        [`drop index ${schema}.${ident(entry.name)}`],
      ),
    );
  }
  return findings;
}

function invalid(
  entry: ExpectedEntry,
  options: { schema: string; engine: Surroundings['engine']; all: readonly CatalogEntry[] },
): Finding {
  const { kind, table, name } = entry;
  if (kind === 'index')
    return mendable(
      'INDEX_INVALID',
      describe(entry),
      `The index ${name} of ${table} was not built to its end.`,
      'No query uses it, and each write pays for it. CREATE INDEX CONCURRENTLY leaves such an index when it fails.',
      replacementOf(entry, entry, options),
    );
  return mendable(
    'CONSTRAINT_DISABLED',
    describe(entry),
    `The constraint ${name} of ${table} is there, and is not checked: its triggers are off, or older rows were left out.`,
    meanings.constraint,
    replacementOf(entry, entry, options),
  );
}

function describe({ kind, table, name }: CatalogEntry): string {
  return kind === 'table' || kind === 'row security' || kind === 'function' ? name : `${table}.${name}`;
}

function missing({ kind, table, name }: CatalogEntry): string {
  switch (kind) {
    case 'table':
      return `There is no table ${name}.`;
    case 'row security':
      return `Row-level security of the table ${table} is off.`;
    case 'function':
      return `There is no function ${name}.`;
    default:
      return `The table ${table} has no ${kind} ${name}.`;
  }
}

/** The operator that an operator class of pgvector orders by. */
const operators: readonly [RegExp, string][] = [
  [/_cosine_ops$/, '<=>'],
  [/_l2_ops$/, '<->'],
  [/_ip_ops$/, '<#>'],
];

/** What a search by an index of vectors orders by; undefined for another index. */
function orderOf({ definition }: CatalogEntry): string | undefined {
  const [, column, operatorClass = ''] = /^(?:hnsw|ivfflat) \((\w+) (\w+)\)/.exec(definition) ?? [];
  const operator = operators.find(([pattern]) => pattern.test(operatorClass))?.[1];
  return column !== undefined && operator !== undefined ? `${ident(column)} ${operator}` : undefined;
}

interface PlanNode {
  'Index Name'?: string;
  'Total Cost': number;
  /** Since PostgreSQL 18. Before, a way that is off costs 10^10 more. */
  Disabled?: boolean;
  Plans?: PlanNode[];
}

const costOfDisabled = 1e9;

/** Whether a plan reads by this index without being forced to. */
function uses(node: PlanNode, index: string): boolean {
  if (node['Index Name'] === index) return node.Disabled !== true && node['Total Cost'] < costOfDisabled;
  return (node.Plans ?? []).some((inner) => uses(inner, index));
}

/**
 * Finds indexes of vectors that are as they should be, and that the planner does not use for a search even where it costs nothing.
 * @param query its transaction has `enable_seqscan`, `enable_sort` and `enable_bitmapscan` off.
 */
export async function checkUseOfIndexes(
  query: Query,
  expected: readonly ExpectedEntry[],
  found: readonly FoundEntry[],
  { schema, user, database }: Surroundings,
): Promise<Finding[]> {
  const has = new Map(found.map((entry) => [keyOf(entry), entry]));
  const findings: Finding[] = [];
  for (const entry of expected) {
    const order = entry.kind === 'index' ? orderOf(entry) : undefined;
    const actual = has.get(keyOf(entry));
    if (order === undefined || !actual?.valid || !isSame(actual, entry)) continue;
    const { table, name } = entry;
    const [explained] = await query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
      `explain (format json) select from ${schema}.${ident(table)} order by ${order} array_fill(0, array[${EMBEDDING_DIMENSIONS}])::vector limit 10`,
    );
    // An index that `funes index build` made may serve instead.
    const serving = found.filter(
      (other) => other.kind === 'index' && other.table === table && other.valid && orderOf(other) === order,
    );
    if (explained && serving.some((other) => uses(explained['QUERY PLAN'][0].Plan, other.name))) continue;
    const on = 'set enable_indexscan = on';
    const [setting] = await query<{ off: boolean }>(
      "select current_setting('enable_indexscan') = 'off' as off",
    );
    findings.push({
      ...mendable(
        'INDEX_UNUSED',
        `${table}.${name}`,
        `The index ${name} of ${table} is as it should be, and the planner of the database does not use it.`,
        `Searches read all vectors of the table.${setting?.off ? ' The setting enable_indexscan is off.' : ''}`,
        setting?.off ? [`alter role ${user} in database ${database} ${on}`, on] : [],
      ),
      ...(!setting?.off && {
        command: 'Compare the settings of the planner (enable_..., ..._cost) with their defaults.',
      }),
    });
  }
  return findings;
}
