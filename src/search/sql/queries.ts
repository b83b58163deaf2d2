import { and, inArray, isNotNull, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import { vectorLiteral } from '../../../schema/columns/vector.ts';
import { documentChunks, documents } from '../../../schema/index.ts';
import { FunesError, quote } from '../../errors.ts';
import { type Viewer, visibleTo } from '../../viewer.ts';
import type { SearchPlan } from '../plan.ts';
import type { EmbeddedQuery, Examples } from '../query.ts';
import type { RowTable } from '../tables.ts';
import { arrayLiteral } from './array-literal.ts';
import { withinDistance } from './hits.ts';
import { alias, column } from './pipeline.ts';

/** What to compare rows with: a vector and, if words count, a text; expressions over an outer row. */
export interface Operands {
  vector: SQLWrapper;
  text: SQLWrapper | undefined;
}

/** The queries of a batch as a FROM item, with the hits of each query by LATERAL. */
export interface CompiledQueries {
  /** The operands of the hits, over a row of the queries. */
  operands: Operands;
  /** The FROM item of the queries with the hits of each. */
  from: (hits: SQL) => SQL;
  /** The expression that identifies the query of a hit. */
  key: SQL;
  /** The value of `key` for each query, in their order. */
  keys: readonly string[];
  where?: SQL | undefined;
}

/** How many characters of a document count if its words are the query: a tsvector may have 1 MB at most. */
const ASKING_LENGTH = sql.raw('200000');

/** The model of the query, if the query is a stored row, a document or examples. */
export const sourceModel = sql`${alias.source}.embedding_model`;

const sourceVector = sql`${alias.source}.${column.vector}`;
const queryOperands: Operands = {
  vector: sql`${alias.query}.${column.vector}`,
  text: sql`${alias.query}.${column.text}`,
};

/** Queries by text or vector, as rows `query (vector, text, n)`, numbered from 1. Arrays keep the parameters few. */
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

/** Stored rows as queries. Only rows that the viewer may see and, unless the mode is KEYWORD, that have an embedding. */
export function rowQueries<Row>(
  { ranking }: SearchPlan,
  viewer: Viewer,
  searchTable: RowTable<Row>,
  ids: readonly string[],
): CompiledQueries {
  const { table, userId, embedding, sourceText } = searchTable;
  const vector = sql`${alias.source}.${sql.raw(embedding.name)}`;
  return {
    operands: { vector, text: sourceText },
    from: (hits) => sql`${table} as ${alias.source} cross join lateral ${hits} as ${alias.hit}`,
    key: sql`${alias.source}.${column.id}`,
    keys: ids,
    where: and(
      inArray(sql`${alias.source}.${column.id}`, [...ids]),
      userId && visibleTo(viewer, sql`${alias.source}.${column.userId}`),
      ranking?.near === false ? undefined : sql`${vector} is not null`,
    ),
  };
}

/**
 * Stored documents as queries: the means of their chunks and, if words count, the text of all chunks. If the embeddings of a document's
 * chunks are of several models, those of the installation's model count, else those of the model that most of them have.
 */
export function documentQueries(
  { ranking }: SearchPlan,
  viewer: Viewer,
  ids: readonly string[],
): CompiledQueries {
  const near = ranking?.near !== false;
  const asking = and(
    inArray(documentChunks.documentId, [...ids]),
    near ? isNotNull(documentChunks.embedding) : undefined,
    visibleTo(viewer, documentChunks.userId),
  );
  const text = ranking?.words
    ? sql`, left(string_agg(content, ' ' order by chunk_index), ${ASKING_LENGTH}) as ${column.text}`
    : sql``;
  const model = near ? sql`embedding_model` : sql`null::varchar`;
  const means = sql`(select distinct on (${column.documentId}) ${column.documentId}, ${model} as embedding_model, avg(embedding) as ${column.vector}${text}
    from ${documentChunks} where ${asking} group by ${column.documentId}, ${model} order by ${column.documentId}, ${modelOrder(model)})`;
  return {
    operands: { vector: sourceVector, text: sql`${alias.source}.${column.text}` },
    from: (hits) => sql`${means} as ${alias.source} cross join lateral ${hits} as ${alias.hit}`,
    key: sql`${alias.source}.${column.documentId}`,
    keys: ids,
  };
}

/** Puts the installation's model first, then the model that most of the grouped rows have. */
function modelOrder(model: SQL): SQL {
  return sql`${model} = (select embedding_model from installation) desc nulls last, count(*) desc, ${model}`;
}

/** Columns beside each hit: which examples exist, which have no embedding yet, and the models of the others. Without hits there is one row that has them. */
export const exampleColumns = {
  known: sql<string[]>`to_json(${alias.source}.known)`,
  pending: sql<string[]>`to_json(${alias.source}.pending)`,
  models: sql<string[]>`to_json(${alias.source}.models)`,
  isHit: sql<boolean>`${alias.hit}.${column.distance} is not null`,
};

/** Selects examples that are rows of a table. */
export function exampleRows<Row>(viewer: Viewer, table: RowTable<Row>, examples: Examples): SQL {
  const { id, userId, embedding, embeddingModel } = table;
  return sql`select ${id} as ${column.id}, ${embedding} as ${column.vector}, ${embeddingModel} as embedding_model from ${table.table}
    where ${and(inArray(id, idsOf(examples)), userId && visibleTo(viewer, userId))}`;
}

/** Selects examples that are documents, with the means of their chunks. */
export function exampleDocuments(viewer: Viewer, examples: Examples): SQL {
  return sql`select ${documents.id} as ${column.id}, mean.vector as ${column.vector}, mean.embedding_model
    from ${documents} left join lateral (select avg(member.embedding) as vector, member.embedding_model from document_chunks member
      where member.document_id = ${documents.id} and member.user_id = ${documents.userId} and member.embedding is not null
      group by member.embedding_model order by ${modelOrder(sql`member.embedding_model`)} limit 1) mean on true
    where ${and(inArray(documents.id, idsOf(examples)), visibleTo(viewer, documents.userId))}`;
}

/**
 * Examples as one query, the row `source (vector)`: `2 * mean(like) - mean(unlike)`, or `mean(like)` without `unlike`, scaled to
 * length 1. This is Rocchio's relevance feedback (in "The SMART Retrieval System", 1971) with `mean(like)` as the query and weights of
 * 1. Qdrant's recommend API calls it `average_vector`. Each example counts once.
 */
export function exampleQueries(plan: SearchPlan, rows: SQL, { like, unlike }: Examples): CompiledQueries {
  const among = (ids: readonly string[]): SQLWrapper =>
    ids.length === 0 ? sql`false` : inArray(column.id, [...ids]);
  return {
    operands: { vector: sourceVector, text: undefined },
    from: (hits) => sql`(
    select known, pending, models, models[1] as embedding_model, l2_normalize(case when away is null then near else near + near - away end) as ${column.vector}
    from (
      select coalesce(array_agg(${column.id}::text), '{}') as known,
        coalesce(array_agg(${column.id}::text) filter (where ${column.vector} is null), '{}') as pending,
        coalesce(array_agg(distinct embedding_model::text) filter (where embedding_model is not null), '{}') as models,
        avg(${column.vector}) filter (where ${among(like)}) as near,
        avg(${column.vector}) filter (where ${among(unlike)}) as away
      from (${rows}) example) mean) ${alias.source}
    left join lateral ${hits} as ${alias.hit} on ${withinDistance(plan) ?? sql`true`}`,
    key: sql`1`,
    keys: ['1'],
  };
}

/**
 * Checks the examples, and returns the rows that are hits.
 * @param label what messages call a row.
 * @throws FunesError NOT_FOUND for ids of no row that the viewer may see, CONFLICT for examples that have no embedding yet,
 *   BAD_USER_INPUT for examples whose embeddings are of different models.
 */
export function hitsOfExamples<
  H extends { known: string[]; pending: string[]; models: string[]; isHit: boolean },
>(rows: readonly H[], examples: Examples, label: string): H[] {
  const [first] = rows;
  const known = new Set(first?.known);
  const unknown = idsOf(examples).filter((id) => !known.has(id));
  if (unknown.length > 0) {
    throw new FunesError('NOT_FOUND', `There is no ${label} with id ${listed(unknown)}.`);
  }
  if (first && first.pending.length > 0) {
    throw new FunesError(
      'CONFLICT',
      `The embedding of ${label} ${listed(first.pending)} is still PENDING: leave the example out, or ask again later.`,
    );
  }
  if (first && first.models.length > 1) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `The embeddings of the examples are of different models, ${listed(first.models)}, and cannot be compared: send examples of one.`,
    );
  }
  return rows.filter(({ isHit }) => isHit);
}

function idsOf({ like, unlike }: Examples): string[] {
  return [...like, ...unlike];
}

/** The first ten ids, for a message. */
function listed(ids: readonly string[]): string {
  const shown = ids.slice(0, 10).map((id) => quote(id));
  return `${shown.join(', ')}${ids.length > shown.length ? ` and ${ids.length - shown.length} more` : ''}`;
}
