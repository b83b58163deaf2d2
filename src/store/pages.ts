import { and, asc, count, desc, type SQL, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import { z } from 'zod';
import { databaseError } from '../database/errors.ts';
import { type Database, transaction } from '../database/transaction.ts';
import { FunesError, quote } from '../errors.ts';
import { decodeCursor, encodeCursor } from '../input/cursor-text.ts';
import { limits } from '../input/limits.ts';
import { type Viewer, visibleTo } from '../viewer.ts';

export type Direction = 'ASC' | 'DESC';

export interface OrderBy<Order extends string> {
  field: Order;
  direction: Direction;
}

/** A request for one page of a list. The names are those of Relay. */
export interface PageRequest<Order extends string> {
  first: number;
  after: string | null | undefined;
  orderBy: OrderBy<Order>;
}

export interface Edge<Row> {
  cursor: string;
  node: Row;
}

export interface Page<Row> {
  edges: Edge<Row>[];
  pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
}

/** A page with a function that counts the whole list. */
export type CountedPage<Row> = Page<Row> & { totalCount: () => number | Promise<number> };

/** A table as a list: the columns that it shows, and the columns that can order it. None of the latter is nullable. */
export interface Listed<Row, Order extends string> {
  /** The name of the list in its cursors. A list refuses the cursors of another list. */
  name: string;
  table: PgTable;
  id: PgColumn;
  /** The owner of a row. Undefined if all users share the rows. */
  userId: PgColumn | undefined;
  columns: { [Name in keyof Row]: PgColumn | SQL };
  orders: Record<Order, PgColumn>;
}

const cursorShape = z.tuple([
  z.string(),
  z.string(),
  z.enum(['ASC', 'DESC']),
  z.string(),
  z.string().regex(/^\d+$/),
]);

/**
 * Reads one page by keyset, in one statement. A cursor holds the order value of a row, as PostgreSQL writes it (to the
 * microsecond), and the id of the row. So every page of the list costs the same, and rows that are added meanwhile
 * neither repeat nor hide other rows.
 * @throws FunesError BAD_USER_INPUT for a negative page size or a cursor of another list. LIMIT_EXCEEDED for a page
 *   size above the limit.
 */
export async function readPage<Row, Order extends string>(
  database: Database,
  viewer: Viewer,
  list: Listed<Row, Order>,
  conditions: SQL | undefined,
  request: PageRequest<Order>,
): Promise<CountedPage<Row>> {
  checkPageSize(request.first);
  const { field, direction } = request.orderBy;
  const column = list.orders[field];
  const kind = [list.name, field, direction] as const;
  const after = request.after == null ? undefined : parseCursor(request.after, kind);
  const beyond =
    after &&
    sql`(${column}, ${list.id}) ${direction === 'ASC' ? sql`>` : sql`<`} (${after.value}::${sql.raw(column.getSQLType())}, ${after.id}::bigint)`;
  const visible = and(list.userId && visibleTo(viewer, list.userId), conditions);
  const order = direction === 'ASC' ? asc : desc;
  const rows = await transaction(database, viewer, { access: 'read' }, (tx) =>
    tx
      .select({ value: sql<string>`${column}::text`, id: list.id, row: list.columns })
      .from(list.table)
      .where(and(visible, beyond))
      .orderBy(order(column), order(list.id))
      .limit(request.first + 1),
  ).catch((error: unknown) => {
    // The operands of the filters are checked already. So somebody changed the cursor to hold a value of another type.
    throw after && databaseError(error)?.code === 'BAD_USER_INPUT' ? notACursor(request.after) : error;
  });
  const edges = rows.slice(0, request.first).map(({ value, id, row }) => ({
    cursor: encodeCursor([...kind, value, id]),
    node: row as Row,
  }));
  return {
    ...toPage(edges, rows.length > request.first, after !== undefined),
    totalCount: () => countRows(database, viewer, list.table, visible),
  };
}

async function countRows(
  database: Database,
  viewer: Viewer,
  table: PgTable,
  where: SQL | undefined,
): Promise<number> {
  const [row] = await transaction(database, viewer, { access: 'read' }, (tx) =>
    tx.select({ rows: count() }).from(table).where(where),
  );
  return row?.rows ?? 0;
}

/** Makes a page of `edges`, with Relay's `pageInfo`. */
export function toPage<Row>(edges: Edge<Row>[], hasNextPage: boolean, hasPreviousPage: boolean): Page<Row> {
  return {
    edges,
    pageInfo: {
      hasNextPage,
      hasPreviousPage,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/** Checks the size of a page. @throws FunesError BAD_USER_INPUT below 0, LIMIT_EXCEEDED above the limit. */
export function checkPageSize(first: number): void {
  if (first < 0) throw new FunesError('BAD_USER_INPUT', `first must be 0 or more, not ${first}.`);
  if (first > limits.pageSize) {
    throw new FunesError(
      'LIMIT_EXCEEDED',
      `first may be at most ${limits.pageSize}, not ${first}. Read on with after.`,
    );
  }
}

function parseCursor(
  cursor: string,
  kind: readonly [string, string, Direction],
): { value: string; id: string } {
  const parsed = cursorShape.safeParse(decodeCursor(cursor));
  if (!parsed.success) throw notACursor(cursor);
  const [name, field, direction, value, id] = parsed.data;
  if (name !== kind[0] || field !== kind[1] || direction !== kind[2]) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `after is a cursor of ${name} ordered by ${field} ${direction}, and this list is ${kind[0]} ordered by ${kind[1]} ${kind[2]}. ` +
        'Send the orderBy that you sent when you got the cursor.',
    );
  }
  return { value, id };
}

function notACursor(after: string | null | undefined): FunesError {
  return new FunesError('BAD_USER_INPUT', `after must be a cursor of this list, not ${quote(after)}.`);
}
