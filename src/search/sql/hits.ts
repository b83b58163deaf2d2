import { asc, lte, type SQL, sql } from 'drizzle-orm';
import { chooseDiverse } from '../diversity.ts';
import { type Match, toMatch } from '../matches.ts';
import { hasPages, isRanked } from '../options.ts';
import type { Basis, Position } from '../paging.ts';
import type { SearchRequest } from '../request.ts';
import type { ScoreParts } from './scoring.ts';

const distance = sql<number>`hit.distance`;

/** What a search statement tells of a hit, beside its row. */
interface Hit {
  /** Tells the hits of one target from those of another. */
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

/** The columns of a `Hit`, as many as the request needs. */
export function hitColumns(key: SQL, request: SearchRequest<unknown>) {
  const { options, pages, report } = request;
  const ranked = isRanked(options);
  const columns: Partial<HitColumns> = {
    key: sql`${key}::text`,
    distance,
    ...(ranked && { score: sql`hit.score`, parts: sql`hit.parts` }),
    ...(hasRounds(request) && { round: sql`hit.round::float8` }),
    ...(ranked && pages && hasPages(options) && { basis: sql`hit.basis` }),
    ...(options.diversity !== undefined && { alike: sql`to_json(hit.alike)` }),
    ...(report && {
      candidates: sql`hit.candidates::float8`,
      completed: sql`hit.completed`,
      capped: ranked ? sql`hit.capped` : sql`false`,
    }),
  };
  return columns as HitColumns;
}

function hasRounds({ options, after, inRounds }: SearchRequest<unknown>): boolean {
  return after !== undefined && (isRanked(options) || inRounds === true);
}

/** Best first. */
export function hitOrder(request: SearchRequest<unknown>): SQL {
  const order = isRanked(request.options) ? sql`hit.score desc` : asc(distance);
  return hasRounds(request) ? sql`hit.round, ${order}` : order;
}

/**
 * The threshold of a search by distance alone. Inside the search it would keep the vector index from being used, so it
 * is applied to what was found; a ranked search applies it to its candidates.
 */
export function withinDistance({ options, report }: SearchRequest<unknown>): SQL | undefined {
  // A report is about rows beyond the threshold, too: see `toLists`.
  return options.maxDistance === undefined || isRanked(options) || report
    ? undefined
    : lte(distance, options.maxDistance);
}

/** The matches of each target by its key, at most k each. */
export function toLists<H extends Hit, Row extends { id: string }, M extends Match<Row>>(
  hits: readonly H[],
  request: SearchRequest<unknown>,
  rowOf: (hit: H) => Row,
  more: (hit: H) => Omit<M, keyof Match<Row>> = () => ({}) as Omit<M, keyof Match<Row>>,
): Map<string, M[]> {
  const groups = new Map<string, H[]>();
  for (const hit of hits) {
    const group = groups.get(hit.key);
    if (group) group.push(hit);
    else groups.set(hit.key, [hit]);
  }
  return new Map([...groups].map(([key, group]) => [key, toList(group, request, rowOf, more)]));
}

function toList<H extends Hit, Row extends { id: string }, M extends Match<Row>>(
  hits: readonly H[],
  request: SearchRequest<unknown>,
  rowOf: (hit: H) => Row,
  more: (hit: H) => Omit<M, keyof Match<Row>>,
): M[] {
  const { k, options, pages, report } = request;
  const [first] = hits;
  if (first) report?.add(first);
  const { maxDistance = Number.POSITIVE_INFINITY } = options;
  const basis = first?.basis ?? undefined;
  const within = report ? hits.filter((hit) => hit.distance <= maxDistance) : hits;
  return chooseDiverse(within, k, options).map((hit, i) => {
    const row = rowOf(hit);
    const place = pages && hasPages(options) ? placeOf(hit, row, i + 1, basis, request) : null;
    return { ...toMatch(row, hit, place, options), ...more(hit) } as M;
  });
}

function placeOf(
  { kind, distance, score, round = 0 }: Hit,
  { id }: { id: string },
  onPage: number,
  basis: Basis | undefined,
  { k, after }: SearchRequest<unknown>,
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
