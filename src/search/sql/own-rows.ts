import { and, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import { documentChunks, documents, memories } from '../../../schema/index.ts';
import { allOf, Containment, DocumentCondition, partsOf } from '../../filters/parts.ts';
import type { SearchTable } from '../tables.ts';
import { plainTsv } from './plain-tsv.ts';

// Behind a policy PostgreSQL reads no GIN index: @@ and @> are not leakproof, so they wait until the policy has passed a row. These
// functions of the database read the index, and return ids of the user's own rows alone (migration 0009_own_rows). An
// administrator has no such policy, and needs none of them.

const ownRowFunctions = [
  {
    table: memories,
    id: memories.id,
    containing: sql.raw('funes_own_memories_containing'),
    withWords: sql.raw('funes_own_memories_with_words'),
  },
  {
    table: documentChunks,
    id: documentChunks.id,
    containing: sql.raw('funes_own_chunks_containing'),
    withWords: sql.raw('funes_own_chunks_with_words'),
  },
  // A search compares the chunks of the documents.
  {
    table: documents,
    id: documentChunks.documentId,
    containing: sql.raw('funes_own_documents_containing'),
    withWords: undefined,
  },
];

/**
 * Calls the function that returns the ids of the user's rows that have the words and pass a containment of the filters.
 * @param words a `tsquery`.
 * @param most returns how many ids are enough, given the `rest` of the filters, which the function does not check. NULL means all.
 */
export function ownIdsWithWords(
  { table }: SearchTable,
  words: SQL,
  filters: SQL | undefined,
  most: (rest: SQL | undefined) => SQL,
): { ids: SQL; rest: SQL | undefined } {
  const own = ownRowFunctions.find((one) => one.table === table);
  if (own?.withWords === undefined) throw new TypeError('This table has no owners, so it has no policy.');
  const parts = partsOf(filters);
  const checked = parts.find((part) => part instanceof Containment && part.column === own.table.metadata);
  const rest = allOf(...parts.filter((part) => part !== checked));
  const json = checked instanceof Containment ? checked.json : sql`null`;
  return { ids: sql`${own.withWords}(${words}, ${json}, ${most(rest)})`, rest };
}

/**
 * Conditions on ids that every row meets that passes the filters, from each containment that a row must meet. Without such a
 * containment it returns undefined: inside `or` or `not` a containment leaves out no row by itself.
 */
export function ownIdsContaining(filters: SQL | undefined): SQL | undefined {
  const conditions = partsOf(filters)
    .flatMap((part) => (part instanceof DocumentCondition ? partsOf(part.ofDocument) : [part]))
    .flatMap((part) => (part instanceof Containment ? idsContaining(part) : []));
  return conditions.length === 0 ? undefined : sql.join(conditions, sql` and `);
}

function idsContaining({ column, json }: { column: SQLWrapper; json: SQLWrapper }): SQL[] {
  const own = ownRowFunctions.find(({ table }) => table.metadata === column);
  return own ? [sql`${own.id} in (select ${own.containing}(${json}, null))`] : [];
}

/** The rows of one user are counted up to this number, which takes some 3 ms. The numbers of more rows come from a share of them. */
export const MOST_OWN = sql.raw('20000');

/** How many rows a share has. What a tenth of the rows have in common is then known to 7 % (standard error). */
const SHARE = sql.raw('2000');

/** A hash is a random number of 32 bits, so the largest one of a share tells which part of all hashes it has. */
const hashOf = (id: SQLWrapper) => sql`hashint8(${id})`;

/** Selects how many rows the user has, at most one more than `MOST_OWN`, and the mean length of these. */
export function ownRows({ table, length }: SearchTable, scope: SQL | undefined): SQL {
  return sql`select count(*) as rows, avg(length) as length
      from (select ${length} as length from ${table} where ${scope} limit ${MOST_OWN} + 1) own_row`;
}

/** Selects a random share of the user's rows, if `guard` holds: `hash`, `tsv`, `length`, and whether a row `passes` the filters. */
export function ownShare(
  searchTable: SearchTable,
  scope: SQL | undefined,
  filters: SQL | undefined,
  guard: SQL,
): SQL {
  const { table, id, length } = searchTable;
  const passes = filters ? sql`(${filters}) is true` : sql`true`;
  return sql`select ${hashOf(id)} as hash, ${plainTsv(searchTable)} as tsv, ${length} as length, ${passes} as passes
      from ${table} where ${and(guard, scope)} order by ${hashOf(id)} limit ${SHARE} offset 0`;
}

/** Selects how many of the user's rows a row of the CTE `share` stands for (`scale`). */
export const sharePortion = sql`select 2 ^ 32 / greatest(max(hash)::float8 + 2 ^ 31, 1) as scale from share`;
