import { and, asc, eq, inArray, type SQL, sql } from 'drizzle-orm';
import { documentChunks, documents, memories, toolEmbeddings } from '../../schema/index.ts';
import { type Database, transaction } from '../database/transaction.ts';
import { FunesError } from '../errors.ts';
import { checkText } from '../input/checks.ts';
import { limits } from '../input/limits.ts';
import {
  type ChunkRow,
  chunkColumns,
  type DocumentRow,
  documentColumns,
  type MemoryRow,
  memoryColumns,
  type ToolRow,
  toolColumns,
} from '../store/rows.ts';
import type { Viewer } from '../viewer.ts';
import type { SearchKind, SearchLoader } from './loader.ts';
import type { Match } from './matches.ts';
import { isRanked } from './options.ts';
import { type RecallFilters, type RecallKind, type RecallSource, recallParts } from './recall-kinds.ts';
import { reachOf, readingOptions, type SearchRequest, type Target, targetRows } from './request.ts';
import { loadPage, type Paged, readSearch, type SearchArguments } from './similar.ts';
import { chunkReach } from './sql/documents.ts';
import { hitColumns, hitOrder, toLists, withinDistance } from './sql/hits.ts';
import { nearestOfAll, rankedOfAll } from './sql/recall.ts';

/** A row of one of the kinds; a document with the chunk of it that is nearest. */
export type RecalledRow = { id: string } & (
  | { kind: 'MEMORY'; memory: MemoryRow }
  | { kind: 'CHUNK'; chunk: ChunkRow }
  | { kind: 'DOCUMENT'; document: DocumentRow; chunk: ChunkRow }
  | { kind: 'TOOL'; tool: ToolRow }
);

/** Which kinds, and which rows of each. */
export interface RecallScope {
  kinds: readonly RecallKind[];
  filters: RecallFilters;
}

export type RecallLoader = SearchLoader<RecallScope, Match<RecalledRow>>;

export const recallSearch: SearchKind<RecallScope, Match<RecalledRow>, RecallSource[]> = {
  name: 'recall',
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
  search: Omit<SearchArguments<RecallFilters>, 'filters'> & {
    kinds: readonly RecallKind[];
    filters?: RecallFilters | null | undefined;
  },
): Promise<Paged<Match<RecalledRow>>[]> {
  const scope = { kinds: checkKinds(search.kinds), filters: search.filters ?? {} };
  checkFilters(scope);
  const { options, ...request } = readSearch(search);
  if (options.weights && scope.kinds.some((kind) => kind !== 'MEMORY')) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'options.weights is for memories, nothing else has an importance: leave it out, or ask for kinds: [MEMORY].',
    );
  }
  const near = { text: checkText(text, 'text', limits.queryLength) };
  return loadPage(loader, { near, ...request, filters: scope, options }, search.after);
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
  asked: SearchRequest<RecallSource[]>,
): Promise<Match<RecalledRow>[][]> {
  const { options } = asked;
  const sources = asked.conditions.map(({ kind, conditions: own }) => ({
    kind,
    conditions: recallParts[kind].visible(viewer, own),
  }));
  const request = { ...asked, conditions: sources };
  const hits = isRanked(options) ? rankedOfAll(request) : nearestOfAll(request);
  const among = (...kinds: RecallKind[]) => kinds.filter((kind) => sources.some((s) => s.kind === kind));
  const isOf = (...kinds: RecallKind[]): SQL => inArray(sql`hit.kind`, among(...kinds));
  const key = sql`query.n`;
  const reaches = sources.map(({ kind }) =>
    kind === 'DOCUMENT' ? chunkReach(asked) : reachOf(recallParts[kind].target, asked),
  );
  const found = await transaction(database, viewer, readingOptions(request, Math.max(...reaches)), (tx) =>
    tx
      .select({
        ...hitColumns(key, request),
        kind: sql<RecallKind>`hit.kind`,
        id: sql<string>`hit.row_id::text`,
        memory: memoryColumns,
        chunk: chunkColumns,
        document: documentColumns,
        tool: toolColumns,
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
      .where(withinDistance(request))
      .orderBy(asc(key), hitOrder(request), sql`hit.kind`, sql`hit.row_id`),
  );
  const lists = toLists(found, request, (hit) => hit as RecalledRow);
  return targets.map((_, i) => lists.get(String(i + 1)) ?? []);
}
