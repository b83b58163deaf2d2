import { ne, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { type VectorInput, vectorLiteral } from '../../schema/columns/vector.ts';
import type { TransactionOptions } from '../database/transaction.ts';
import { isRanked, type SearchOptions, searchSettings } from './options.ts';
import { type Position, roundsUntil } from './paging.ts';
import type { ReportDraft } from './report.ts';
import { arrayLiteral } from './sql/array-literal.ts';
import { candidatesFor, type RankedTable } from './sql/candidates.ts';

/** What a search asks for, apart from what it is near to. */
export interface SearchRequest<Conditions = SQL | undefined> {
  k: number;
  /** The compiled filters, over the searched table's own columns. */
  conditions: Conditions;
  options: SearchOptions;
  /** Only rows behind this place of the list. */
  after?: Position | undefined;
  /** The list is read in pages: matches have a `place`. */
  pages?: boolean | undefined;
  /** Candidates come in rounds though only distances rank them. */
  inRounds?: boolean | undefined;
  /** Somebody wants to know how the rows are found. */
  report?: ReportDraft | undefined;
}

/** What a search is near to: a vector and, when words count too, the text it was made of. */
export interface Target {
  vector: VectorInput;
  text?: string | undefined;
  /** A row that is no match. Either all targets of a search have one, or none. */
  except?: string | undefined;
}

/** The request as `nearest` and `ranked` take it. */
export function queryOf(request: SearchRequest, conditions: SQL | undefined, filters: SQL | undefined) {
  return { ...request, conditions, filters, report: request.report !== undefined };
}

/** How the transaction of a search that wants so many rows from the vector index is opened. */
export function readingOptions(
  { options, report }: SearchRequest<unknown>,
  wanted: number,
): TransactionOptions {
  return {
    access: 'read',
    single: true,
    settings: searchSettings(options, wanted),
    onStatement: report?.onStatement,
  };
}

/**
 * For how many rows the vector index is to be looked through. A search by distance wants twice as many as it shows, on this
 * page and those before it: the last rows of an index scan are those that it misses most.
 */
export function reachOf(
  target: Pick<RankedTable, 'group'>,
  { k, options, after }: SearchRequest<unknown>,
): number {
  if (isRanked(options)) return candidatesFor(target, after?.k ?? k) * roundsUntil(after);
  return 2 * ((after?.seen ?? 0) + k);
}

/** Targets as rows of a FROM item `query (vector, text, n)`, numbered from 1; sent as few parameters, read once. */
export function targetRows(targets: readonly Target[]): SQL {
  const vectors = arrayLiteral(targets.map(({ vector }) => vectorLiteral(vector)));
  const texts = arrayLiteral(targets.map(({ text }) => text ?? ''));
  if (!targets.some(({ except }) => except)) {
    return sql`unnest(${vectors}::vector[], ${texts}::text[]) with ordinality as query (vector, text, n)`;
  }
  const excepted = arrayLiteral(targets.map(({ except }) => except ?? '0'));
  return sql`unnest(${vectors}::vector[], ${texts}::text[], ${excepted}::bigint[])
    with ordinality as query (vector, text, excepted, n)`;
}

/** The condition that leaves out the row which a target excepts, by the `id` of the rows that are searched. */
export function notExcepted(id: PgColumn, targets: readonly Target[]): SQL | undefined {
  return targets.some(({ except }) => except) ? ne(id, sql`query.excepted`) : undefined;
}
