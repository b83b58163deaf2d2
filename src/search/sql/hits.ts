import { asc, lte, type SQL, sql } from 'drizzle-orm';
import { causeWithCode } from '../../database/errors.ts';
import type { Basis } from '../cursor.ts';
import type { ScoreParts } from '../matches.ts';
import type { SearchPlan } from '../plan.ts';
import { alias, column } from './pipeline.ts';

const distance = sql<number>`${alias.hit}.${column.distance}`;

/** What a search statement returns for a hit, beside its row. */
export interface Hit {
  /** Identifies the query of the hit. */
  key: string;
  kind?: string;
  distance: number;
  score?: number | undefined;
  parts?: ScoreParts | undefined;
  /** Only on later pages of a list whose candidates come in rounds. */
  round?: number | undefined;
  /** Only in the first hit of a scored list that is read in pages. */
  basis?: Basis | null | undefined;
  /** Cosine similarity to each hit of the list, in the order of the list. */
  alike?: number[] | null | undefined;
  candidates?: number | undefined;
  completed?: boolean | undefined;
  capped?: boolean | undefined;
}

type HitColumns = { [Name in Exclude<keyof Hit, 'kind'>]-?: SQL<Hit[Name]> };

/** The columns of a `Hit` that the plan needs. */
export function hitColumns(key: SQL, { ranking, rounds, pages, report }: SearchPlan) {
  const columns: Partial<HitColumns> = {
    key: sql`${key}::text`,
    distance,
    ...(ranking && { score: sql`${alias.hit}.${column.score}`, parts: sql`${alias.hit}.${column.parts}` }),
    ...(rounds && { round: sql`${alias.hit}.${column.round}::float8` }),
    ...(ranking && pages && { basis: sql`${alias.hit}.${column.basis}` }),
    ...(ranking?.alike && { alike: sql`to_json(${alias.hit}.${column.alike})` }),
    ...(report && {
      candidates: sql`${alias.hit}.${column.candidates}::float8`,
      completed: sql`${alias.hit}.${column.completed}`,
      capped: ranking ? sql`${alias.hit}.${column.capped}` : sql`false`,
    }),
  };
  return columns as HitColumns;
}

/** The ORDER BY that puts the best hit first. */
export function hitOrder({ ranking, rounds }: SearchPlan): SQL {
  const order = ranking ? sql`${alias.hit}.${column.score} desc` : asc(distance);
  return rounds ? sql`${alias.hit}.${column.round}, ${order}` : order;
}

/**
 * The condition `maxDistance` of a search by distance alone. It applies to the hits, because inside the search it would rule out the
 * vector index. A scored search applies `maxDistance` to its candidates (`scoring.ts`).
 */
export function withinDistance({ maxDistance, ranking, report }: SearchPlan): SQL | undefined {
  // A report also counts rows beyond the threshold: `toMatches` leaves them out.
  return maxDistance === undefined || ranking || report ? undefined : lte(distance, maxDistance);
}

/**
 * The condition that the plan's model is still the model of the installation. If it is not, the statement fails with a division by
 * zero, and not with too few rows: nothing in it could tell those from a table with few rows. See `isOutdated`.
 */
export function whileCurrent({ current }: SearchPlan): SQL | undefined {
  return (
    current &&
    sql`1 / (select (coalesce(embedding_model, ${current}) = ${current})::int from installation) = 1`
  );
}

/** Whether the statement of a search failed because of `whileCurrent`. */
export function isOutdated(error: unknown): boolean {
  return causeWithCode(error, '22012') !== undefined;
}
