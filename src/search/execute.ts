import { type Database, transaction } from '../database/transaction.ts';
import type { Viewer } from '../viewer.ts';
import { type MatchScores, toMatches } from './matches.ts';
import { planSearch, type SearchRequest } from './plan.ts';
import type { QueryBatch } from './query.ts';
import type { SearchDefinition } from './searches.ts';

/**
 * The `k` best matches for each query of the batch, best first, equal ones by id: one list a query, in their order. One statement
 * in a transaction of its own; the embeddings of stored rows stay in the database.
 * @throws FunesError for options that none of the sources can follow, and for examples that cannot be searched with.
 */
export async function search<Found extends { row: { id: string } }, Conditions>(
  database: Database,
  viewer: Viewer,
  definition: SearchDefinition<never, Found, Conditions>,
  batch: QueryBatch,
  request: SearchRequest<Conditions>,
): Promise<(Found & MatchScores)[][]> {
  const { report } = request;
  const plan = planSearch(definition.sources(viewer, request.conditions), batch, request);
  const statement = definition.statement(plan, viewer, batch);
  report?.begin(plan, new Set(statement.keys).size);
  const { settings } = plan;
  const hits = await transaction(
    database,
    viewer,
    { access: 'read', single: true, settings, onStatement: report?.onStatement },
    (tx) => statement.select(tx),
  );
  const lists = toMatches(hits, plan, statement.found, report);
  return statement.keys.map((key) => lists.get(key) ?? []);
}
