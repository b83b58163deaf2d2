import 'reflect-metadata';
import { PgDialect } from 'drizzle-orm/pg-core';
import {
  type ExecutionResult,
  type GraphQLInputObjectType,
  GraphQLString,
  graphql,
  isInputObjectType,
} from 'graphql';
import { Arg, buildSchemaSync, Query, Resolver } from 'type-graphql';
import { describe, expect, test } from 'vitest';
import { ChunkFilters } from '../../../resolvers/filters/chunk-filters.ts';
import { DocumentFilters } from '../../../resolvers/filters/document-filters.ts';
import { MemoryFilters } from '../../../resolvers/filters/memory-filters.ts';
import { ToolFilters } from '../../../resolvers/filters/tool-filters.ts';
import { chunkFields, documentFields, memoryFields, toolFields } from '../../../src/filters/fields.ts';
import {
  compileChunkFilters,
  compileDocumentFilters,
  compileMemoryFilters,
  compileToolFilters,
} from '../../../src/filters/filters.ts';

const dialect = new PgDialect();

/** Returns the SQL and the parameters of a filter that passed through GraphQL. */
function compiled(condition: ReturnType<typeof compileMemoryFilters>): string {
  if (!condition) return 'no filter';
  const { sql, params } = dialect.sqlToQuery(condition);
  return `${sql} ${JSON.stringify(params)}`;
}

@Resolver()
class FilterResolver {
  @Query(() => GraphQLString)
  memories(@Arg('filters', () => MemoryFilters, { nullable: true }) filters: MemoryFilters): string {
    return compiled(compileMemoryFilters(filters));
  }

  @Query(() => GraphQLString)
  documents(@Arg('filters', () => DocumentFilters, { nullable: true }) filters: DocumentFilters): string {
    return compiled(compileDocumentFilters(filters));
  }

  @Query(() => GraphQLString)
  chunks(@Arg('filters', () => ChunkFilters, { nullable: true }) filters: ChunkFilters): string {
    return compiled(compileChunkFilters(filters));
  }

  @Query(() => GraphQLString)
  tools(@Arg('filters', () => ToolFilters, { nullable: true }) filters: ToolFilters): string {
    return compiled(compileToolFilters(filters));
  }
}

const schema = buildSchemaSync({ resolvers: [FilterResolver], validate: false });

const inputTypes = Object.values(schema.getTypeMap()).filter(isInputObjectType);

const ask = async (source: string, variableValues = {}): Promise<ExecutionResult> =>
  graphql({ schema, source, variableValues });

async function memoriesSql(filters: string): Promise<unknown> {
  const { data, errors } = await ask(`{ memories(filters: ${filters}) }`);
  return errors ? errors.map(({ message }) => message).join('\n') : data?.memories;
}

test.each([
  ['MemoryFilters', memoryFields],
  ['DocumentFilters', documentFields],
  ['ChunkFilters', chunkFields],
  ['ToolFilters', toolFields],
])('%s offers exactly the fields that the compiler knows', (name, fields) => {
  const type = schema.getType(name) as GraphQLInputObjectType;
  expect(Object.keys(type.getFields()).sort()).toEqual([...Object.keys(fields), 'and', 'or', 'not'].sort());
});

test('every input type, field and operator is documented and optional but a path', () => {
  expect(inputTypes.length).toBeGreaterThan(10);
  for (const type of inputTypes) {
    expect(type.description, type.name).toBeTruthy();
    for (const field of Object.values(type.getFields())) {
      expect(field.description, `${type.name}.${field.name}`).toBeTruthy();
      expect(String(field.type).endsWith('!'), `${type.name}.${field.name}`).toBe(field.name === 'path');
    }
  }
});

describe('the compiler gets from GraphQL what a client wrote', () => {
  test('dates, enums, ids and lists of one', async () => {
    const filters =
      '{createdAt: {gte: "2024-05-01T14:00:00+02:00"}, embeddingStatus: {eq: FAILED}, id: {in: 7}}';
    expect(await memoriesSql(filters)).toBe(
      '("memories"."id" = any($1::bigint[]) and "memories"."embedding_error" is not null and ' +
        '"memories"."created_at" >= $2::timestamptz) ["{\\"7\\"}","2024-05-01T12:00:00.000Z"]',
    );
  });

  test('nested filters, and a path of one key without brackets', async () => {
    const filters = '{or: [{source: {eq: "a"}}, {not: {metadata: {at: {path: "n", boolean: {eq: true}}}}}]}';
    expect(await memoriesSql(filters)).toBe(
      '("memories"."source" = $1::text or ("memories"."metadata" @> $2::text::jsonb) is not true) ' +
        '["a","{\\"n\\":true}"]',
    );
  });

  test('JSON from a variable and from the query alike', async () => {
    const expected = '"memories"."metadata" @> $1::text::jsonb ["{\\"a\\":[1,{\\"b\\":null}]}"]';
    expect(await memoriesSql('{metadata: {contains: {a: [1, {b: null}]}}}')).toBe(expected);
    const { data } = await ask('query ($filters: MemoryFilters) { memories(filters: $filters) }', {
      filters: { metadata: { contains: { a: [1, { b: null }] } } },
    });
    expect(data?.memories).toBe(expected);
  });

  test('sizes beyond 32 bits, through the document of a chunk', async () => {
    const { data } = await ask('{ chunks(filters: {document: {fileSize: {gt: 5000000000}}}) }');
    expect(data?.chunks).toContain('"documents"."file_size" > $1::numeric) ["5000000000"]');
  });

  test('no filter, and whole filters that say nothing', async () => {
    expect((await ask('{ memories documents chunks tools }')).data).toEqual({
      memories: 'no filter',
      documents: 'no filter',
      chunks: 'no filter',
      tools: 'no filter',
    });
    expect(await memoriesSql('null')).toBe('no filter');
    expect(await memoriesSql('{}')).toBe('no filter');
    expect(await memoriesSql('{and: [], or: []}')).toBe('no filter');
  });
});

test.each([
  ['{colour: {eq: "red"}}', 'Field "colour" is not defined by type "MemoryFilters".'],
  ['{source: {like: "a%"}}', 'Field "like" is not defined by type "StringFilter". Did you mean "lte"?'],
  ['{source: "chat"}', 'Expected value of type "StringFilter", found "chat".'],
  ['{importanceScore: {gt: "0.5"}}', 'Float cannot represent non numeric value: "0.5"'],
  ['{importanceScore: {gt: 1e400}}', 'filters.importanceScore.gt must be a finite number, not Infinity.'],
  ['{embeddingStatus: {eq: DONE}}', 'Value "DONE" does not exist in "EmbeddingStatus" enum.'],
  ['{createdAt: {gt: "yesterday"}}', 'DateTime cannot represent an invalid date-time-string yesterday.'],
  ['{metadata: {regex: "a"}}', 'Field "regex" is not defined by type "JSONFilter".'],
  ['{metadata: {at: {path: "a", like: "b"}}}', 'Field "like" is not defined by type "JSONPathFilter".'],
  [
    '{metadata: {at: {exists: true}}}',
    'Field "JSONPathFilter.path" of required type "[String!]!" was not provided.',
  ],
  ['{metadata: {contains: "a"}}', 'JSONObject cannot represent non-object value: "a"'],
  ['{source: {in: ["a", null]}}', 'Expected value of type "String!", found null.'],
])('%s is answered with a message that names what is wrong', async (filters, message) => {
  expect(await memoriesSql(filters)).toBe(message);
});

test('a variable without a value inside JSON does not widen the filter', async () => {
  const { errors } = await ask('query ($a: Int) { memories(filters: {metadata: {contains: {a: $a}}}) }');
  expect(errors?.[0]?.message).toBe('filters.metadata.contains contains a variable that has no value.');
});
