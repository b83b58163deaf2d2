import { and, asc, eq, inArray, type SQL, sql } from 'drizzle-orm';
import { documentChunks, documents, memories, toolEmbeddings } from '../../schema/index.ts';
import { type Database, transaction } from '../database/transaction.ts';
import { FunesError } from '../errors.ts';
import { limits } from '../limits.ts';
import { checkText } from '../store/checks.ts';
import {
  type ChunkRow,
  chunkFields,
  type DocumentRow,
  documentFields,
  type MemoryRow,
  memoryFields,
  type ToolRow,
  toolFields,
} from '../store/rows.ts';
import type { Viewer } from '../viewer.ts';
import { chunksFor } from './documents.ts';
import type { SearchKind, SearchLoader } from './loader.ts';
import type { Match } from './matches.ts';
import { checkK, readSearchOptions, type SearchOptionsInput, searchSettings } from './options.ts';
import { isRanked } from './ranking.ts';
import { type RecallFilters, type RecallKind, type RecallSource, recallParts } from './recall-kinds.ts';
import { nearestOfAll, rankedOfAll } from './recall-ranking.ts';
import {
  hitColumns,
  hitOrder,
  type SearchRequest,
  type Target,
  targetRows,
  toLists,
  withinDistance,
} from './search.ts';

/** A row of one of the kinds; a document with the chunk of it that is nearest. */
export type RecalledRow =
  | { kind: 'MEMORY'; memory: MemoryRow }
  | { kind: 'CHUNK'; chunk: ChunkRow }
  | { kind: 'DOCUMENT'; document: DocumentRow; chunk: ChunkRow }
  | { kind: 'TOOL'; tool: ToolRow };

/** Which kinds, and which rows of each. */
export interface RecallScope {
  kinds: readonly RecallKind[];
  filters: RecallFilters;
}

export type RecallLoader = SearchLoader<RecallScope, Match<RecalledRow>>;

export const recallSearch: SearchKind<RecallScope, Match<RecalledRow>, RecallSource[]> = {
  compile: (scope) =>
    (scope?.kinds ?? []).map((kind) => ({
      kind,
      conditions: recallParts[kind].compile(scope?.filters ?? {}),
    })),
  byVectors: recallByVectors,
};

/**
 * The k best of all rows of the `kinds`, best first, equal ones by kind and id.
 * @throws FunesError BAD_USER_INPUT for no kinds, one that stands twice, filters of a kind that is not among them, and
 * `weights` for anything but memories alone; see also `checkK`, `checkText` and `readSearchOptions`.
 */
export async function recall(
  loader: RecallLoader,
  text: string,
  search: {
    k: number;
    kinds: readonly RecallKind[];
    filters?: RecallFilters | null | undefined;
    options?: SearchOptionsInput | null | undefined;
  },
): Promise<Match<RecalledRow>[]> {
  checkK(search.k);
  const scope = { kinds: checkKinds(search.kinds), filters: search.filters ?? {} };
  checkFilters(scope);
  const options = readSearchOptions(search.options);
  if (options.weights && scope.kinds.some((kind) => kind !== 'MEMORY')) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'options.weights is for memories, nothing else has an importance: leave it out, or ask for kinds: [MEMORY].',
    );
  }
  return loader.load({
    near: { text: checkText(text, 'text', limits.queryLength) },
    k: search.k,
    filters: scope,
    options,
  });
}

function checkKinds(kinds: readonly RecallKind[]): readonly RecallKind[] {
  if (kinds.length === 0) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'kinds is empty: name what to recall, or leave it out for memories and chunks.',
    );
  }
  const twice = kinds.find((kind, i) => kinds.indexOf(kind) !== i);
  if (twice) throw new FunesError('BAD_USER_INPUT', `kinds has ${twice} twice: name each kind once.`);
  return kinds;
}

function checkFilters({ kinds, filters }: RecallScope): void {
  for (const [kind, { filters: name }] of Object.entries(recallParts)) {
    if (filters[name] != null && !kinds.includes(kind as RecallKind)) {
      throw new FunesError(
        'BAD_USER_INPUT',
        `filters.${name} is given, and ${kind} is not among kinds: add it there, or leave the filters out.`,
      );
    }
  }
}

/** One list a target, in their order. One statement, whatever the number of kinds and targets. */
async function recallByVectors(
  database: Database,
  viewer: Viewer,
  targets: readonly Target[],
  { k, conditions, options }: SearchRequest<RecallSource[]>,
): Promise<Match<RecalledRow>[][]> {
  const sources = conditions.map(({ kind, conditions: own }) => ({
    kind,
    conditions: recallParts[kind].visible(viewer, own),
  }));
  const hits = isRanked(options) ? rankedOfAll(sources, k, options) : nearestOfAll(sources, k, options);
  const among = (...kinds: RecallKind[]) => kinds.filter((kind) => sources.some((s) => s.kind === kind));
  const isOf = (...kinds: RecallKind[]): SQL => inArray(sql`hit.kind`, among(...kinds));
  const key = sql`query.n`;
  const wanted = among('DOCUMENT').length > 0 ? chunksFor(k) : k;
  const found = await transaction(
    database,
    viewer,
    { access: 'read', settings: searchSettings(options, wanted) },
    (tx) =>
      tx
        .select({
          ...hitColumns(key, options),
          kind: sql<RecallKind>`hit.kind`,
          memory: memoryFields,
          chunk: chunkFields,
          document: documentFields,
          tool: toolFields,
        })
        .from(sql`${targetRows(targets)} cross join lateral ${hits} as hit`)
        .leftJoin(
          memories,
          and(isOf('MEMORY'), eq(memories.id, sql`hit.row_id`), eq(memories.userId, sql`hit.user_id`)),
        )
        .leftJoin(
          documentChunks,
          and(
            isOf('CHUNK', 'DOCUMENT'),
            eq(documentChunks.id, sql`hit.chunk_id`),
            eq(documentChunks.userId, sql`hit.user_id`),
          ),
        )
        .leftJoin(
          documents,
          and(isOf('DOCUMENT'), eq(documents.id, sql`hit.row_id`), eq(documents.userId, sql`hit.user_id`)),
        )
        .leftJoin(toolEmbeddings, and(isOf('TOOL'), eq(toolEmbeddings.id, sql`hit.row_id`)))
        .where(withinDistance(options))
        .orderBy(asc(key), hitOrder(options), sql`hit.kind`, sql`hit.row_id`),
  );
  const lists = toLists(found, k, options, (hit) => hit as RecalledRow);
  return targets.map((_, i) => lists.get(String(i + 1)) ?? []);
}
