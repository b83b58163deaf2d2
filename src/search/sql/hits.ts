import { asc, lte, type SQL, sql } from 'drizzle-orm';
import type { Basis } from '../cursor.ts';
import type { ScoreParts } from '../matches.ts';
import type { SearchPlan } from '../plan.ts';
import { alias, column } from './pipeline.ts';

const distance = sql<number>`${alias.hit}.${column.distance}`;

/** What a search statement tells of a hit, beside its row. */
export interface Hit {
  /** Tells the hits of one query from those of another. */
  key: string;
  kind?: string;
  distance: number;
  score?: number | undefined;
  parts?: ScoreParts | undefined;
  /** On a later page of candidates that come in rounds. */
  round?: number | undefined;
  /** In the first hit of a list that is read in pages. */
  basis?: Basis | null | undefined;
  /** Cosine similarity to each hit of the list, in their order. */
  alike?: number[] | null | undefined;
  candidates?: number | undefined;
  completed?: boolean | undefined;
  capped?: boolean | undefined;
}

type HitColumns = { [Name in Exclude<keyof Hit, 'kind'>]-?: SQL<Hit[Name]> };

/** The columns of a `Hit`, as many as the plan needs. */
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

/** Best first. */
export function hitOrder({ ranking, rounds }: SearchPlan): SQL {
  const order = ranking ? sql`${alias.hit}.${column.score} desc` : asc(distance);
  return rounds ? sql`${alias.hit}.${column.round}, ${order}` : order;
}

/**
 * The threshold of a search by distance alone. Inside the search it would keep the vector index from being used, so it
 * is applied to what was found; a ranked search applies it to its candidates.
 */
export function withinDistance({ maxDistance, ranking, report }: SearchPlan): SQL | undefined {
  // A report is about rows beyond the threshold, too: see `toMatches`.
  return maxDistance === undefined || ranking || report ? undefined : lte(distance, maxDistance);
}
