import type { Basis, Position } from './cursor.ts';
import { chooseDiverse } from './diversity.ts';
import type { SearchPlan } from './plan.ts';
import type { ReportDraft } from './report.ts';
import { similarityOf } from './sql/distance.ts';
import type { Hit } from './sql/hits.ts';

/** A row that a search found, with its scores. */
export interface Match<Row> {
  row: Row;
  /** pgvector's own number for the metric; smaller is nearer. */
  distance: number;
  /** The distance as a number that grows with nearness: 1 - d, 1 / (1 + d) or -d, depending on the metric. */
  similarity: number;
  /** The list is ordered by score, best first. */
  score: number;
  /** The parts of the score; null if the score is the similarity. */
  scoreParts: ScoreParts | null;
  /** The position in a list that is read in pages; null in other lists. */
  position: Position | null;
}

/** Parts of a score; null for a part that the search did not use. */
export interface ScoreParts {
  keyword: number | null;
  context: number | null;
  recency: number | null;
  importance: number | null;
}

/** A match without its row. */
export type MatchScores = Omit<Match<unknown>, 'row'>;

/**
 * Turns the hits of a statement into matches: for each key of a query, at most k.
 * @param found returns the row of a hit, and whatever else a match of its kind has.
 */
export function toMatches<Found extends { row: { id: string } }>(
  hits: readonly Hit[],
  plan: SearchPlan,
  found: (hit: Hit) => Found,
  report: ReportDraft | undefined,
): Map<string, (Found & MatchScores)[]> {
  const groups = new Map<string, Hit[]>();
  for (const hit of hits) {
    const group = groups.get(hit.key);
    if (group) group.push(hit);
    else groups.set(hit.key, [hit]);
  }
  return new Map([...groups].map(([key, group]) => [key, toList(group, plan, found, report)]));
}

function toList<Found extends { row: { id: string } }>(
  hits: readonly Hit[],
  plan: SearchPlan,
  foundBy: (hit: Hit) => Found,
  report: ReportDraft | undefined,
): (Found & MatchScores)[] {
  const [first] = hits;
  if (first) report?.add(first);
  const { maxDistance = Number.POSITIVE_INFINITY } = plan;
  const basis = first?.basis ?? undefined;
  // The statement of a report also returns rows beyond the threshold.
  const within = plan.report ? hits.filter((hit) => hit.distance <= maxDistance) : hits;
  return chooseDiverse(within, plan.k, plan.diversity).map((hit, i) => {
    const found = foundBy(hit);
    const position = plan.pages ? positionOf(hit, found.row, i + 1, basis, plan) : null;
    return { ...found, ...scoresOf(hit, position, plan) };
  });
}

/** Without a score, the similarity is the score. */
function scoresOf(hit: Hit, position: Position | null, { metric }: SearchPlan): MatchScores {
  const similarity = similarityOf(metric, hit.distance);
  const parts = Object.values(hit.parts ?? {}).some((part) => part !== null) ? hit.parts : undefined;
  return {
    distance: hit.distance,
    similarity,
    score: hit.score ?? similarity,
    scoreParts: parts ?? null,
    position,
  };
}

function positionOf(
  { kind, distance, score, round = 0 }: Hit,
  { id }: { id: string },
  onPage: number,
  basis: Basis | undefined,
  { k, after }: SearchPlan,
): Position {
  return {
    seen: (after?.seen ?? 0) + onPage,
    k: after?.k ?? k,
    round,
    value: score ?? distance,
    id,
    ...(kind && { kind }),
    ...(basis && { basis }),
  };
}
