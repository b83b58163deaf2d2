import { and, inArray, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import { vectorLiteral } from '../../../schema/columns/vector.ts';
import { documentChunks, documents } from '../../../schema/index.ts';
import { FunesError, quote } from '../../errors.ts';
import { type Viewer, visibleTo } from '../../viewer.ts';
import type { SearchPlan } from '../plan.ts';
import type { EmbeddedQuery, Examples } from '../query.ts';
import { documentChunkTable, type RowTable } from '../tables.ts';
import { arrayLiteral } from './array-literal.ts';
import { comparableEmbedding, isComparable } from './comparable.ts';
import { withinDistance } from './hits.ts';
import { alias, column } from './pipeline.ts';

/** What rows are to be near to: a vector and, where words count, a text; expressions over an outer row. */
export interface Operands {
  vector: SQLWrapper;
  text: SQLWrapper | undefined;
}

/** The queries of a batch as a FROM item, each row of which is searched for by LATERAL hits. */
export interface CompiledQueries {
  /** What hits are near to, over a row of the queries. */
  operands: Operands;
  /** The FROM item of the queries with the hits of each. */
  from: (hits: SQL) => SQL;
  /** Tells the hits of one query from those of another. */
  key: SQL;
  /** The value of `key` for each query, in their order. */
  keys: readonly string[];
  where?: SQL | undefined;
}

/** Characters of a document that asks by its words: a tsvector, in which they are looked up, takes no more than 1 MB. */
const ASKING_LENGTH = sql.raw('200000');

const sourceVector = sql`${alias.source}.${column.vector}`;
const queryOperands: Operands = {
  vector: sql`${alias.query}.${column.vector}`,
  text: sql`${alias.query}.${column.text}`,
};

/** Queries as rows `query (vector, text, n)`, numbered from 1; sent as few parameters, read once. */
export function vectorQueries(queries: readonly EmbeddedQuery[]): CompiledQueries {
  return {
    operands: queryOperands,
    from: (hits) => sql`${unnestedQueries(queries)} cross join lateral ${hits} as ${alias.hit}`,
    key: sql`${alias.query}.n`,
    keys: queries.map((_, i) => String(i + 1)),
  };
}

function unnestedQueries(queries: readonly EmbeddedQuery[]): SQL {
  const vectors = arrayLiteral(queries.map(({ vector }) => vectorLiteral(vector)));
  const texts = arrayLiteral(queries.map(({ text }) => text ?? ''));
  if (!queries.some(({ except }) => except)) {
    return sql`unnest(${vectors}::vector[], ${texts}::text[]) with ordinality as ${alias.query} (${column.vector}, ${column.text}, n)`;
  }
  const excepted = arrayLiteral(queries.map(({ except }) => except ?? '0'));
  return sql`unnest(${vectors}::vector[], ${texts}::text[], ${excepted}::bigint[])
    with ordinality as ${alias.query} (${column.vector}, ${column.text}, ${column.excepted}, n)`;
}

/** Stored rows that ask: those that the viewer may see, and, except by KEYWORD, that have an embedding. */
export function rowQueries<Row>(
  { ranking }: SearchPlan,
  viewer: Viewer,
  searchTable: RowTable<Row>,
  ids: readonly string[],
): CompiledQueries {
  const { table, userId, sourceText } = searchTable;
  return {
    operands: { vector: comparableEmbedding(searchTable, alias.source), text: sourceText },
    from: (hits) => sql`${table} as ${alias.source} cross join lateral ${hits} as ${alias.hit}`,
    key: sql`${alias.source}.${column.id}`,
    keys: ids,
    where: and(
      inArray(sql`${alias.source}.${column.id}`, [...ids]),
      userId && visibleTo(viewer, sql`${alias.source}.${column.userId}`),
      ranking?.near === false ? undefined : isComparable(searchTable, alias.source),
    ),
  };
}

/** Stored documents that ask, by the means of their chunks and, where words count, all their text. */
export function documentQueries(
  { ranking }: SearchPlan,
  viewer: Viewer,
  ids: readonly string[],
): CompiledQueries {
  const asking = and(
    inArray(documentChunks.documentId, [...ids]),
    ranking?.near === false ? undefined : isComparable(documentChunkTable),
    visibleTo(viewer, documentChunks.userId),
  );
  const text = ranking?.words
    ? sql`, left(string_agg(content, ' ' order by chunk_index), ${ASKING_LENGTH}) as ${column.text}`
    : sql``;
  const means = sql`(select ${column.documentId}, avg(embedding) as ${column.vector}${text} from ${documentChunks}
    where ${asking} group by ${column.documentId})`;
  return {
    operands: { vector: sourceVector, text: sql`${alias.source}.${column.text}` },
    from: (hits) => sql`${means} as ${alias.source} cross join lateral ${hits} as ${alias.hit}`,
    key: sql`${alias.source}.${column.documentId}`,
    keys: ids,
  };
}

/** What was found of the examples, beside each hit; one row without a hit when there is none. */
export const exampleColumns = {
  known: sql<string[]>`to_json(${alias.source}.known)`,
  pending: sql<string[]>`to_json(${alias.source}.pending)`,
  isHit: sql<boolean>`${alias.hit}.${column.distance} is not null`,
};

/** Rows of a table that are examples. */
export function exampleRows<Row>(viewer: Viewer, table: RowTable<Row>, examples: Examples): SQL {
  const { id, userId } = table;
  return sql`select ${id} as ${column.id}, ${comparableEmbedding(table)} as ${column.vector} from ${table.table}
    where ${and(inArray(id, idsOf(examples)), userId && visibleTo(viewer, userId))}`;
}

/** Documents that are examples, by the means of their chunks. */
export function exampleDocuments(viewer: Viewer, examples: Examples): SQL {
  return sql`select ${documents.id} as ${column.id}, (select avg(${comparableEmbedding(documentChunkTable, sql`member`)}) from document_chunks member
      where member.document_id = ${documents.id} and member.user_id = ${documents.userId}) as ${column.vector}
    from ${documents} where ${and(inArray(documents.id, idsOf(examples)), visibleTo(viewer, documents.userId))}`;
}

/**
 * Examples as one row `source (vector)`: `2 * mean(like) - mean(unlike)`, scaled to length 1; without `unlike` `mean(like)`.
 * This is Rocchio's relevance feedback (in "The SMART Retrieval System", 1971) with the mean of the liked for a query and weights
 * of 1, and what Qdrant's recommend API calls `average_vector`. Each example counts once.
 */
export function exampleQueries(plan: SearchPlan, rows: SQL, { like, unlike }: Examples): CompiledQueries {
  const among = (ids: readonly string[]): SQLWrapper =>
    ids.length === 0 ? sql`false` : inArray(column.id, [...ids]);
  return {
    operands: { vector: sourceVector, text: undefined },
    from: (hits) => sql`(
    select known, pending, l2_normalize(case when away is null then near else near + near - away end) as ${column.vector}
    from (
      select coalesce(array_agg(${column.id}::text), '{}') as known,
        coalesce(array_agg(${column.id}::text) filter (where ${column.vector} is null), '{}') as pending,
        avg(${column.vector}) filter (where ${among(like)}) as near,
        avg(${column.vector}) filter (where ${among(unlike)}) as away
      from (${rows}) example) mean) ${alias.source}
    left join lateral ${hits} as ${alias.hit} on ${withinDistance(plan) ?? sql`true`}`,
    key: sql`1`,
    keys: ['1'],
  };
}

/**
 * The rows that are hits, of those found by examples.
 * @param label what a row is called in messages.
 * @throws FunesError NOT_FOUND for ids that the viewer sees no row with, CONFLICT for rows that have no embedding yet.
 */
export function hitsOfExamples<H extends { known: string[]; pending: string[]; isHit: boolean }>(
  rows: readonly H[],
  examples: Examples,
  label: string,
): H[] {
  const [first] = rows;
  const known = new Set(first?.known);
  const unknown = idsOf(examples).filter((id) => !known.has(id));
  if (unknown.length > 0) {
    throw new FunesError('NOT_FOUND', `There is no ${label} with id ${listed(unknown)}.`);
  }
  if (first && first.pending.length > 0) {
    throw new FunesError(
      'CONFLICT',
      `What ${label} ${listed(first.pending)} is like is not known yet, as its embedding is PENDING: ` +
        'leave it out, or ask again later.',
    );
  }
  return rows.filter(({ isHit }) => isHit);
}

function idsOf({ like, unlike }: Examples): string[] {
  return [...like, ...unlike];
}

/** The first of many, for a message. */
function listed(ids: readonly string[]): string {
  const shown = ids.slice(0, 10).map((id) => quote(id));
  return `${shown.join(', ')}${ids.length > shown.length ? ` and ${ids.length - shown.length} more` : ''}`;
}
