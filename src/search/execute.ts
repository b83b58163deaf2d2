import { type Database, transaction } from '../database/transaction.ts';
import type { Viewer } from '../viewer.ts';
import { type MatchScores, toMatches } from './matches.ts';
import { planSearch, type SearchRequest } from './plan.ts';
import type { QueryBatch } from './query.ts';
import type { SearchDefinition } from './searches.ts';

/**
 * Runs a search: one statement in a transaction of its own. The embeddings of stored rows stay in the database.
 * @returns for each query of the batch, in their order, the `k` best matches, best first, equal scores ordered by id.
 * @throws FunesError for options that need something that none of the sources has, and for unknown or PENDING examples.
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
