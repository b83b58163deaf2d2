import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import { BIGINT_MAX } from '../../input/checks.ts';
import type { Position } from '../cursor.ts';
import type { PlannedSource } from '../plan.ts';
import type { SearchTable } from '../tables.ts';
import { column } from './pipeline.ts';

// The conditions that make a later page begin behind the position of a cursor: see `cursor.ts`.

/** Condition: the row is behind the position, in the order of `distance` and ids. */
export function behindDistance({ value, id }: Pick<Position, 'value' | 'id'>, ids: SQLWrapper): SQL {
  return sql`(${column.distance}, ${ids}) > (${value}::float8, ${id}::bigint)`;
}

/** Condition: the row is behind the position, in the order of rounds, then best first in `by`, then ids. */
export function behindInRounds(
  { value, round }: Pick<Position, 'value' | 'round'>,
  by: 'distance' | 'score',
  ids: { column: SQLWrapper; behind: SQLWrapper },
): SQL {
  const [order, position] = by === 'score' ? [sql`-${column.score}`, -value] : [column.distance, value];
  return sql`(${column.round}, ${order}, ${ids.column}) > (${round}::bigint, ${position}::float8, ${ids.behind})`;
}

/** The round of a row by its `rank` in a list, if each round has `size` rows of the list. */
export function roundOf(rank: SQL, size: number, after: Position | undefined): SQL {
  return after ? sql`((${rank} - 1) / ${sql.raw(String(size))})` : sql`0::bigint`;
}

/**
 * Translates a position in a list of several kinds to the rows of one `kind`. Equal values are ordered by kind. So if the position is
 * that of a row of another kind, all rows of `kind` with the same value are either behind it or before it.
 */
export function positionAmong<P extends Pick<Position, 'id' | 'kind'>>(kind: string, position: P): P {
  if (position.kind === undefined || position.kind === kind) return position;
  return { ...position, id: kind > position.kind ? '0' : String(BIGINT_MAX) };
}

/** The condition that leaves out rows that were added after the first page. */
export function notNewer({ id }: Pick<SearchTable, 'id'>, newest: string | undefined): SQL | undefined {
  // Nearly all rows pass. `+ 0` stops the planner from reading them by the primary key instead of the vector index.
  return newest === undefined ? undefined : sql`${id} + 0 <= ${newest}::bigint`;
}

/** The id of the newest row of a source that the viewer may see, as text; "0" without rows. Clients read it in the cursor. */
export function newestOf({
  table: { table, id },
  rows: { scope },
}: Pick<PlannedSource, 'table' | 'rows'>): SQL {
  return sql`coalesce((select max(${id}) from ${table}${scope ? sql` where ${scope}` : sql``}), 0)::text`;
}
