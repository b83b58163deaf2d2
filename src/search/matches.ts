import type { SearchOptions } from './options.ts';
import type { Position } from './paging.ts';
import { similarityOf } from './sql/distance.ts';
import type { ScoreParts } from './sql/scoring.ts';

/** A row that a search found, and how near it is. */
export interface Match<Row> {
  row: Row;
  /** pgvector's own number for the metric; smaller is nearer. */
  distance: number;
  /** The same as a number that grows with nearness: 1 - d, 1 / (1 + d) or -d by metric. */
  similarity: number;
  /** What the list is ordered by, best first. */
  score: number;
  /** What the score was made of, where it is more than the similarity. */
  scoreParts: ScoreParts | null;
  /** Where it stands in a list that is read in pages; null in others. */
  place: Position | null;
}

/** The match of a hit; one that was ranked by distance alone has its similarity for a score. */
export function toMatch<Row>(
  row: Row,
  hit: { distance: number; score?: number | undefined; parts?: ScoreParts | undefined },
  place: Position | null,
  options: SearchOptions,
): Match<Row> {
  const similarity = similarityOf(options.metric, hit.distance);
  const parts = Object.values(hit.parts ?? {}).some((part) => part !== null) ? hit.parts : undefined;
  return {
    row,
    distance: hit.distance,
    similarity,
    score: hit.score ?? similarity,
    scoreParts: parts ?? null,
    place,
  };
}
