import { LRUCache } from 'lru-cache';
import { type Compiled, compile } from '../../database/compiled.ts';
import type { SearchPlan } from '../plan.ts';

/** Kept statements, for the table that is searched and by all else that they depend on. */
const kept = new WeakMap<object, LRUCache<string, Compiled<unknown>>>();
const MOST_KEPT = 200;

/**
 * The compiled statement of a search by distance for one vector, which is the placeholder `vector`. It is kept only when the
 * search has no conditions, so that nothing of one request, such as who asks, can come into another's.
 */
export function keptStatement<Rows>(
  table: object,
  { k, metric, exact, sources, maxDistance, after, pages, report }: SearchPlan,
  build: Parameters<typeof compile<Rows>>[0],
): Compiled<Rows> {
  if (sources.some(({ conditions }) => conditions) || after) return compile(build);
  let statements = kept.get(table);
  if (statements === undefined) {
    statements = new LRUCache({ max: MOST_KEPT });
    kept.set(table, statements);
  }
  const key = JSON.stringify([k, metric, exact, maxDistance, pages, report]);
  const known = statements.get(key) as Compiled<Rows> | undefined;
  if (known !== undefined) return known;
  const statement = compile(build);
  statements.set(key, statement);
  return statement;
}
