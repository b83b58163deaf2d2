import { type SQL, sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import { LRUCache } from 'lru-cache';
import { type Compiled, compile } from '../../database/compiled.ts';
import type { RowConditions, SearchPlan } from '../plan.ts';

type Build<Rows> = (
  builder: Parameters<Parameters<typeof compile<Rows>>[0]>[0],
  plan: SearchPlan,
) => ReturnType<Parameters<typeof compile<Rows>>[0]>;

/** The kept statements of each search table, by everything else that their text depends on. */
const kept = new WeakMap<object, LRUCache<string, Compiled<unknown>>>();
const MOST_KEPT = 200;

const dialect = new PgDialect();

/**
 * Compiles the statement of a search by distance once for all searches of the same shape: compiling takes longer than everything
 * else that the server does for a search. The values in the conditions become placeholders, so a kept statement holds no data of
 * a request: neither the viewer nor what the client searched for. The statement of a later page is not kept.
 * @param build builds the statement of a plan, in whose conditions placeholders stand for the values.
 * @returns the statement, and the values of those placeholders. Beside them, the statement needs `model`, the name of the model.
 */
export function keptStatement<Rows>(
  table: object,
  plan: SearchPlan,
  build: Build<Rows>,
): { statement: Compiled<Rows>; values: Record<string, unknown> } {
  if (plan.after) return { statement: compile((builder) => build(builder, withModel(plan))), values: {} };
  const values: Record<string, unknown> = {};
  const shapes: string[] = [];
  const sources = plan.sources.map((source, i) => {
    // A statement of a first page by distance has no other conditions.
    const rows: RowConditions = { ...source.rows };
    for (const name of ['scope', 'filters', 'checked', 'among'] as const) {
      const shape = rows[name] && shapeOf(rows[name], `${name}${i}_`, values);
      shapes.push(shape?.text ?? '');
      rows[name] = shape?.condition;
    }
    return { ...source, rows };
  });
  const { k, metric, exact, maxDistance, pages, report, current } = plan;
  const key = JSON.stringify([k, metric, exact, maxDistance, pages, report, current !== undefined, shapes]);
  let statements = kept.get(table);
  if (statements === undefined) {
    statements = new LRUCache({ max: MOST_KEPT });
    kept.set(table, statements);
  }
  const known = statements.get(key) as Compiled<Rows> | undefined;
  const statement = known ?? compile((builder) => build(builder, { ...withModel(plan), sources }));
  if (known === undefined) statements.set(key, statement);
  return { statement, values };
}

/** The plan with the placeholder `model` for its model. */
function withModel(plan: SearchPlan): SearchPlan {
  const model = sql`${sql.placeholder('model')}::text`;
  return { ...plan, model, current: plan.current && model };
}

/** The text of a condition, and the condition with a placeholder for each value. Adds the values to `values`. */
function shapeOf(
  condition: SQL,
  prefix: string,
  values: Record<string, unknown>,
): { text: string; condition: SQL } {
  const { sql: text, params } = dialect.sqlToQuery(condition);
  for (const [i, value] of params.entries()) values[`${prefix}${i + 1}`] = value;
  // `split` puts the numbers of the parameters at odd indexes.
  const parts = text
    .split(/\$(\d+)/)
    .map((part, i) => (i % 2 === 0 ? sql.raw(part) : sql`${sql.placeholder(`${prefix}${part}`)}`));
  return { text, condition: sql.join(parts) };
}
