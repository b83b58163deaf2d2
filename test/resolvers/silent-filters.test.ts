import { getNamedType, isInputObjectType, isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildSchema } from '../../resolvers/schema.ts';
import {
  ArchiveMemoriesDocument,
  CreateMemoriesDocument,
  IngestDocumentDocument,
  RegisterToolsDocument,
} from '../generated/operations.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

// A client that loses a value on the way must be told, instead of getting the rows of everybody. Operations are written out here,
// because what counts is how the query is written.

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  const inputs = ['ada', 'bob'].flatMap((userId) =>
    ['tea', 'coffee'].map((drink) => ({ content: `${userId} drinks ${drink}`, userId, sessionId: drink })),
  );
  await server.request(CreateMemoriesDocument, { inputs });
  const archived = inputs.map((input) => ({ ...input, content: `${input.content} no more` }));
  await server.request(CreateMemoriesDocument, { inputs: archived });
  await server.request(ArchiveMemoriesDocument, {
    input: { filters: { content: { contains: 'no more' } }, dryRun: false },
  });
  for (const { userId, sessionId } of inputs) {
    const input = { filename: `${sessionId} of ${userId}.txt`, content: `${userId}, ${sessionId}.`, userId };
    await server.request(IngestDocumentDocument, { input });
  }
  await server.request(RegisterToolsDocument, {
    inputs: inputs.map(({ content, userId }) => ({ toolName: content, toolDescription: userId })),
  });
});
afterAll(() => server.close());

interface FilteredField {
  /** The type of the filters, and the field of it that tells Ada's rows from Bob's. */
  type: string;
  field: string;
  /** How messages call the filters; `filters` unless told. */
  name?: string;
  /** The selection with these filters. */
  ask(filters: string): string;
}

const memory = { type: 'MemoryFilters', field: 'userId' };
const document = { type: 'DocumentFilters', field: 'userId' };
const chunk = { type: 'ChunkFilters', field: 'userId' };
// A tool has no user, so its description stands for one.
const tool = { type: 'ToolFilters', field: 'toolDescription' };
const edges = (node: string) => `{ edges { node { ${node} } } }`;

/** Every field that takes filters, and recall for each of its kinds. */
const filteredFields: Record<string, FilteredField> = {
  'Query.memories': { ...memory, ask: (filters) => `memories(filters: ${filters}) ${edges('userId')}` },
  'Query.documents': { ...document, ask: (filters) => `documents(filters: ${filters}) ${edges('userId')}` },
  'Query.chunks': { ...chunk, ask: (filters) => `chunks(filters: ${filters}) ${edges('userId')}` },
  'Query.tools': { ...tool, ask: (filters) => `tools(filters: ${filters}) ${edges('toolDescription')}` },
  'Query.similarMemories': {
    ...memory,
    ask: (filters) => `similarMemories(text: "tea", filters: ${filters}) { memory { userId } }`,
  },
  'Query.similarDocuments': {
    ...document,
    ask: (filters) => `similarDocuments(text: "tea", filters: ${filters}) { document { userId } }`,
  },
  'Query.similarChunks': {
    ...chunk,
    ask: (filters) => `similarChunks(text: "tea", filters: ${filters}) { chunk { userId } }`,
  },
  'Query.similarTools': {
    ...tool,
    ask: (filters) => `similarTools(text: "tea", filters: ${filters}) { tool { toolDescription } }`,
  },
  'Memory.similar': {
    ...memory,
    ask: (filters) =>
      `memories(first: 1) ${edges(`similar(text: "tea", filters: ${filters}) { memory { userId } }`)}`,
  },
  'Document.similar': {
    ...document,
    ask: (filters) =>
      `documents(first: 1) ${edges(`similar(text: "tea", filters: ${filters}) { document { userId } }`)}`,
  },
  'Chunk.similar': {
    ...chunk,
    ask: (filters) =>
      `chunks(first: 1) ${edges(`similar(text: "tea", filters: ${filters}) { chunk { userId } }`)}`,
  },
  'Tool.similar': {
    ...tool,
    ask: (filters) =>
      `tools(first: 1) ${edges(`similar(text: "tea", filters: ${filters}) { tool { toolDescription } }`)}`,
  },
  'Mutation.archiveMemories': {
    ...memory,
    name: 'input.filters',
    ask: (filters) =>
      `archiveMemories(input: { importanceBelow: 1, filters: ${filters} }) { sample { userId } }`,
  },
  'Query.archivedMemories': {
    ...memory,
    ask: (filters) => `archivedMemories(filters: ${filters}) ${edges('userId')}`,
  },
  'Query.recall': {
    ...memory,
    name: 'filters.memories',
    ask: (filters) =>
      `recall(text: "tea", kinds: [MEMORY], filters: { memories: ${filters} }) { ... on MemoryMatch { memory { userId } } }`,
  },
  'Query.recall of chunks': {
    ...chunk,
    name: 'filters.chunks',
    ask: (filters) =>
      `recall(text: "tea", kinds: [CHUNK], filters: { chunks: ${filters} }) { ... on ChunkMatch { chunk { userId } } }`,
  },
  'Query.recall of documents': {
    ...document,
    name: 'filters.documents',
    ask: (filters) =>
      `recall(text: "tea", kinds: [DOCUMENT], filters: { documents: ${filters} }) { ... on DocumentMatch { document { userId } } }`,
  },
  'Query.recall of tools': {
    ...tool,
    name: 'filters.tools',
    ask: (filters) =>
      `recall(text: "tea", kinds: [TOOL], filters: { tools: ${filters} }) { ... on ToolMatch { tool { toolDescription } } }`,
  },
};

/** Mutations of all rows that pass filters, which they need. Each is a dry run. */
const byCondition: Record<string, FilteredField> = {
  'Mutation.deleteMemoriesWhere': {
    ...memory,
    ask: (filters) => `deleteMemoriesWhere(filters: ${filters}) { sample { userId } }`,
  },
  'Mutation.restoreMemoriesWhere': {
    ...memory,
    ask: (filters) => `restoreMemoriesWhere(filters: ${filters}) { sample { userId } }`,
  },
  'Mutation.deleteDocumentsWhere': {
    ...document,
    ask: (filters) => `deleteDocumentsWhere(filters: ${filters}) { sample { userId } }`,
  },
};

function operation(coordinate: string, variables: string, selection: string): string {
  return `${coordinate.startsWith('Mutation.') ? 'mutation' : 'query'} (${variables}) { ${selection} }`;
}

/** Whose rows are in an answer, each user once. */
async function answered(query: string, variables: object = {}): Promise<string[]> {
  const { data, errors } = await server.raw(query, variables);
  expect(errors).toBeUndefined();
  const names = JSON.stringify(data).matchAll(/"(?:userId|toolDescription)":"(\w+)"/g);
  return [...new Set([...names].map(([, name]) => name as string))].sort();
}

async function refused(query: string, variables: object = {}): Promise<string> {
  const { data, errors = [] } = await server.raw(query, variables);
  expect(errors.map(({ extensions }) => extensions)).toEqual([{ code: 'BAD_USER_INPUT' }]);
  expect(JSON.stringify(data ?? null)).not.toMatch(/ada|bob/);
  return errors[0]?.message ?? '';
}

test('every field that takes filters is tried here', () => {
  const takesFilters = Object.values(buildSchema().getTypeMap())
    .filter(isObjectType)
    .flatMap((type) => Object.values(type.getFields()).map((field) => ({ type, field })))
    .filter(({ field: { args } }) =>
      args.some(({ type }) => {
        const named = getNamedType(type);
        return isInputObjectType(named) && (named.name.endsWith('Filters') || 'filters' in named.getFields());
      }),
    )
    .map(({ type, field }) => `${type.name}.${field.name}`);
  const named = Object.keys({ ...filteredFields, ...byCondition }).map((name) => name.split(' ')[0]);
  expect([...new Set(named)].sort()).toEqual(takesFilters.sort());
});

describe.each(Object.entries({ ...filteredFields, ...byCondition }))('%s', (coordinate, filtered) => {
  const { type, field, name = 'filters', ask } = filtered;
  const byOperand = operation(coordinate, '$user: String', ask(`{ ${field}: { eq: $user } }`));

  test('refuses an operator whose variable has no value', async () => {
    expect(await answered(byOperand, { user: 'ada' })).toEqual(['ada']);
    for (const variables of [{}, { other: 'ada' }])
      expect(await refused(byOperand, variables)).toBe(
        `${name}.${field}.eq is the variable $user, which has no value: send one, or leave ${name}.${field}.eq out.`,
      );
  });

  test('refuses a field whose variable has no value', async () => {
    const query = operation(coordinate, '$which: StringFilter', ask(`{ ${field}: $which }`));
    expect(await answered(query, { which: { eq: 'bob' } })).toEqual(['bob']);
    expect(await refused(query)).toMatch(`${name}.${field} is the variable $which, which has no value: `);
    expect(await refused(query, { which: {} })).toMatch(`${name}.${field} says nothing: `);
  });

  test('refuses parts of filters in a variable that say nothing', async () => {
    const query = operation(coordinate, `$filters: ${type}!`, ask('$filters'));
    const user = { [field]: { eq: 'ada' } };
    expect(await answered(query, { filters: user })).toEqual(['ada']);
    for (const [filters, at] of [
      [{ [field]: {} }, field],
      [{ not: {} }, 'not'],
      [{ and: [user, {}] }, 'and[1]'],
      [{ or: [{}, user] }, 'or[0]'],
    ] as const)
      expect(await refused(query, { filters })).toMatch(`${name}.${at} says nothing: `);
    for (const at of ['and', 'or', 'not'])
      expect(await refused(query, { filters: { [at]: null } })).toMatch(
        `${name}.${at} is null, which says nothing: `,
      );
  });

  test(
    coordinate in byCondition
      ? 'refuses filters that are empty as a whole'
      : 'takes filters that are empty as a whole for none',
    async () => {
      if (coordinate in byCondition) {
        const query = operation(coordinate, `$filters: ${type}!`, ask('$filters'));
        for (const filters of [{}, { and: [] }, { or: [] }])
          expect(await refused(query, { filters })).toMatch(/^filters has no condition, /);
        return;
      }
      const query = operation(coordinate, `$filters: ${type}`, ask('$filters'));
      for (const filters of [null, {}, { and: [] }, { or: [] }])
        expect(await answered(query, { filters })).toEqual(['ada', 'bob']);
      expect(await answered(`${query.split(' (')[0]} { ${ask('{}')} }`)).toEqual(['ada', 'bob']);
    },
  );
});

describe('a variable of filters as a whole may have no value', () => {
  test.each(Object.entries(filteredFields).filter(([, { name }]) => name === undefined))(
    'in %s',
    async (coordinate, { type, ask }) => {
      expect(await answered(operation(coordinate, `$filters: ${type}`, ask('$filters')))).toEqual([
        'ada',
        'bob',
      ]);
    },
  );

  test('in recall, but not for one of its kinds', async () => {
    const recall = (type: string, filters: string) =>
      `query ($filters: ${type}) { recall(text: "tea", kinds: [MEMORY], filters: ${filters}) { ... on MemoryMatch { memory { userId } } } }`;
    expect(await answered(recall('RecallFilters', '$filters'))).toEqual(['ada', 'bob']);
    expect(await refused(recall('MemoryFilters', '{ memories: $filters }'))).toMatch(
      /^filters\.memories is the variable \$filters, /,
    );
  });

  test('but not in the input of archiveMemories, which would archive more than was meant', async () => {
    const query = `mutation ($filters: MemoryFilters) {
      archiveMemories(input: { importanceBelow: 1, dryRun: false, filters: $filters }) { count }
    }`;
    const before = await server.contents();
    expect(await refused(query)).toMatch(/^input\.filters is the variable \$filters, /);
    expect(await server.contents()).toEqual(before);
  });
});

describe('a variable without a value is found', () => {
  test.each([
    ['$v: [MemoryFilters!]', '{ and: $v }', 'filters.and'],
    ['$v: [MemoryFilters!]', '{ userId: { eq: "ada" }, or: $v }', 'filters.or'],
    ['$v: MemoryFilters', '{ not: $v }', 'filters.not'],
    ['$v: String', '{ or: [{ userId: { eq: "ada" } }, { userId: { eq: $v } }] }', 'filters.or[1].userId.eq'],
    ['$v: String', '{ or: { not: { userId: { eq: $v } } } }', 'filters.or[0].not.userId.eq'],
    ['$v: [String!]', '{ userId: { in: $v } }', 'filters.userId.in'],
    ['$v: String', '{ userId: { eq: "ada", startsWith: $v } }', 'filters.userId.startsWith'],
    ['$v: JSONObject', '{ metadata: { contains: $v } }', 'filters.metadata.contains'],
    ['$v: String', '{ metadata: { contains: { a: { b: $v } } } }', 'filters.metadata.contains.a.b'],
    ['$v: String', '{ metadata: { contains: { a: [1, $v] } } }', 'filters.metadata.contains.a[1]'],
    ['$v: [JSONPathFilter!]', '{ metadata: { at: $v } }', 'filters.metadata.at'],
    ['$v: FloatFilter', '{ metadata: { at: { path: "a", number: $v } } }', 'filters.metadata.at[0].number'],
    [
      '$v: Float',
      '{ metadata: { at: [{ path: "a", exists: true }, { path: "b", exists: true, number: { gt: $v } }] } }',
      'filters.metadata.at[1].number.gt',
    ],
  ])('%s in %s', async (variable, filters, at) => {
    const query = `query (${variable}) { memories(filters: ${filters}) { edges { node { userId } } } }`;
    expect(await refused(query)).toBe(
      `${at} is the variable $v, which has no value: send one, or leave ${at} out.`,
    );
  });

  test('in the document of a chunk', async () => {
    const query = `query ($name: String) {
      chunks(filters: { document: { filename: { eq: $name } } }) { edges { node { userId } } }
    }`;
    expect(await answered(query, { name: 'tea of ada.txt' })).toEqual(['ada']);
    expect(await refused(query)).toMatch(/^filters\.document\.filename\.eq is the variable \$name, /);
  });

  test('in a fragment inside a fragment, and the error tells the field', async () => {
    const query = `query ($user: String) { mine: memories(first: 1) { ...Page } }
      fragment Page on MemoryConnection { edges { node { ... on Memory { ...Near } } } }
      fragment Near on Memory { near: similar(filters: { userId: { eq: $user } }) { memory { userId } } }`;
    expect(await answered(query, { user: 'bob' })).toEqual(['bob']);
    const { errors = [] } = await server.raw(query);
    expect(errors).toMatchObject([
      {
        message: expect.stringMatching(/^filters\.userId\.eq is the variable \$user, /),
        path: ['mine', 'edges', 0, 'node', 'near'],
      },
    ]);
  });

  test('each time that the same query is sent, and only when its value is missing', async () => {
    const query =
      'query ($user: String) { tools(filters: { toolDescription: { eq: $user } }) { totalCount } }';
    for (let round = 0; round < 3; round++) {
      expect((await server.raw(query, { user: 'ada' })).data).toEqual({ tools: { totalCount: 2 } });
      expect(await refused(query)).toMatch(/^filters\.toolDescription\.eq /);
    }
  });

  test('in one operation of a document, while the others need no value', async () => {
    const body = (operationName: string) =>
      fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          operationName,
          query: `query All { memories { totalCount } }
            query Mine($user: String) { memories(filters: { userId: { eq: $user } }) { totalCount } }`,
        }),
      }).then((response) => response.json());
    expect(await body('All')).toEqual({ data: { memories: { totalCount: 4 } } });
    expect(await body('Mine')).toMatchObject({
      errors: [{ message: expect.stringMatching(/^filters\.userId\.eq /) }],
    });
  });

  test('in a request by GET', async () => {
    const query =
      'query ($user: String) { memories(filters: { userId: { eq: $user } }) { edges { node { userId } } } }';
    const response = await fetch(`${server.url}/graphql?${new URLSearchParams({ query })}`, {
      headers: { 'apollo-require-preflight': 'true' },
    });
    expect(await response.json()).toMatchObject({
      errors: [
        { message: expect.stringMatching(/^filters\.userId\.eq /), extensions: { code: 'BAD_USER_INPUT' } },
      ],
    });
  });
});

describe('a variable counts as given', () => {
  test('by its default value', async () => {
    const query =
      'query ($user: String = "bob") { memories(filters: { userId: { eq: $user } }) { edges { node { userId } } } }';
    expect(await answered(query)).toEqual(['bob']);
    expect(await answered(query, { user: 'ada' })).toEqual(['ada']);
  });

  test('by a default value of null, or null that is sent', async () => {
    const asking = (variable: string) =>
      `query (${variable}) { memories(filters: { sessionId: { ne: $session } }) { edges { node { userId } } } }`;
    expect(await answered(asking('$session: String = null'))).toEqual(['ada', 'bob']);
    expect(await answered(asking('$session: String'), { session: null })).toEqual(['ada', 'bob']);
    const byUser = 'query ($user: String) { memories(filters: { userId: { eq: $user } }) { totalCount } }';
    expect(await refused(byUser, { user: null })).toMatch(/^filters\.userId\.eq is null, /);
  });

  test('where the field that it stands in is left out', async () => {
    const skipped = `query ($user: String, $mine: Boolean!) {
      tools { edges { node { toolDescription } } }
      memories(filters: { userId: { eq: $user } }) @include(if: $mine) { edges { node { userId } } }
    }`;
    expect(await answered(skipped, { mine: false })).toEqual(['ada', 'bob']);
    expect((await server.raw(skipped, { mine: true })).errors?.[0]?.message).toMatch(/^filters\.userId\.eq /);
  });

  test('outside filters, also under a key of metadata that is called so', async () => {
    const { data, errors } = await server.raw(
      `mutation ($tag: String, $source: String) {
        createMemory(input: { content: "fine", source: $source, metadata: { filters: { tag: $tag } } }) { metadata source }
      }`,
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({ createMemory: { metadata: { filters: {} }, source: expect.any(String) } });
  });
});
