import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type ChunkOrderField,
  ChunksDocument,
  CountChunksDocument,
  CountDocumentsDocument,
  CountMemoriesDocument,
  CountToolsDocument,
  CreateMemoriesDocument,
  CreateMemoryDocument,
  DeleteMemoryDocument,
  type DocumentOrderField,
  DocumentsDocument,
  IngestDocumentDocument,
  MemoriesDocument,
  type MemoryOrderField,
  type OrderDirection,
  RecordToolUseDocument,
  RegisterToolsDocument,
  type ToolOrderField,
  ToolsDocument,
} from '../generated/operations.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

// The four lists have pages alike. So one test reads all of them in every order, each with equal values.

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  // Rows of one request have the same time. Importance, usage and names repeat too.
  for (let batch = 0; batch < 3; batch++) {
    const inputs = Array.from({ length: 8 }, (_, i) => ({
      content: `memory ${batch} ${i}`,
      importanceScore: (i % 2) / 3,
    }));
    await server.request(CreateMemoriesDocument, { inputs });
  }
  for (const [i, filename] of ['b', 'a', 'b', 'B', 'ä', 'a'].entries()) {
    const content = `Document ${i} has a sentence. It has another one. And it has a third one.`;
    await server.request(IngestDocumentDocument, { input: { filename, content, chunkSize: 8, overlap: 0 } });
  }
  const names = ['hammer', 'Hammer', 'saw', 'drill', 'éclair', 'saw 2', 'a_b', 'a b'];
  const tools = names.map((toolName) => ({ toolName, toolDescription: 'a tool' }));
  await server.request(RegisterToolsDocument, { inputs: tools.slice(0, 5) });
  await server.request(RegisterToolsDocument, { inputs: tools.slice(5) });
  for (const name of ['saw', 'saw', 'drill', 'a b', 'a b'])
    await server.request(RecordToolUseDocument, { name });
});
afterAll(() => server.close());

interface Page {
  edges: { cursor: string; node: { id: string } }[];
  pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
}
interface Request {
  first?: number;
  after?: string | null;
  filters?: object | null;
  orderBy?: { field: never; direction: OrderDirection } | null;
}

interface List {
  table: string;
  page(request: Request): Promise<Page>;
  count(request: { after?: string; filters?: object }): Promise<number>;
  /** Each order with its column. The first is the default. */
  orders: [field: string, column: string, defaultDirection?: OrderDirection][];
}

const lists: Record<string, List> = {
  memories: {
    table: 'memories',
    page: async (request) => (await server.request(MemoriesDocument, request)).memories,
    count: async (request) => (await server.request(CountMemoriesDocument, request)).memories.totalCount,
    orders: [
      ['CREATED_AT', 'created_at', 'DESC'],
      ['UPDATED_AT', 'updated_at'],
      ['IMPORTANCE_SCORE', 'importance_score'],
      ['ID', 'id'],
    ] satisfies [MemoryOrderField, string, OrderDirection?][],
  },
  documents: {
    table: 'documents',
    page: async (request) => (await server.request(DocumentsDocument, request)).documents,
    count: async (request) => (await server.request(CountDocumentsDocument, request)).documents.totalCount,
    orders: [
      ['PROCESSED_AT', 'processed_at', 'DESC'],
      ['UPDATED_AT', 'updated_at'],
      ['FILENAME', 'filename'],
      ['ID', 'id'],
    ] satisfies [DocumentOrderField, string, OrderDirection?][],
  },
  chunks: {
    table: 'document_chunks',
    page: async (request) => (await server.request(ChunksDocument, request)).chunks,
    count: async (request) => (await server.request(CountChunksDocument, request)).chunks.totalCount,
    orders: [
      ['ID', 'id', 'ASC'],
      ['CREATED_AT', 'created_at'],
    ] satisfies [ChunkOrderField, string, OrderDirection?][],
  },
  tools: {
    table: 'tool_embeddings',
    page: async (request) => (await server.request(ToolsDocument, request)).tools,
    count: async (request) => (await server.request(CountToolsDocument, request)).tools.totalCount,
    orders: [
      ['TOOL_NAME', 'tool_name', 'ASC'],
      ['USAGE_COUNT', 'usage_count'],
      ['CREATED_AT', 'created_at'],
      ['UPDATED_AT', 'updated_at'],
      ['ID', 'id'],
    ] satisfies [ToolOrderField, string, OrderDirection?][],
  },
};

/** Reads every id, page by page, and checks the pageInfo of each page. */
async function walk(list: List, first: number, request: Request = {}): Promise<string[]> {
  const seen: string[] = [];
  let after: string | null = null;
  do {
    const { edges, pageInfo } = await list.page({ ...request, first, after });
    expect(edges.length).toBeLessThanOrEqual(first);
    if (pageInfo.hasNextPage) expect(edges).toHaveLength(first);
    expect(pageInfo.hasPreviousPage).toBe(after !== null);
    expect(pageInfo.startCursor).toBe(edges[0]?.cursor ?? null);
    expect(pageInfo.endCursor).toBe(edges.at(-1)?.cursor ?? null);
    seen.push(...edges.map(({ node }) => node.id));
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null);
  return seen;
}

const idsInOrder = async (table: string, order: string) =>
  (await server.sql<{ id: string }>(`select id from ${table} order by ${order}`)).map(({ id }) => id);

describe.each(Object.entries(lists))('the list of %s', (name, list) => {
  const cases = list.orders.flatMap(([field, column]) =>
    (['ASC', 'DESC'] as const).map((direction) => [field, direction, column] as const),
  );
  test.each(cases)('pages through everything once by %s %s', async (field, direction, column) => {
    const wanted = await idsInOrder(list.table, `${column} ${direction}, id ${direction}`);
    expect(wanted.length).toBeGreaterThan(5);
    const orderBy = { field: field as never, direction };
    for (const first of [1, 3, wanted.length, 200]) {
      expect(await walk(list, first, { orderBy })).toEqual(wanted);
    }
  });

  test('has equal values in the orders that are not unique', async () => {
    const [row] = await server.sql<{ distinct: number; all: number }>(
      `select count(distinct ${list.orders[1]?.[1]})::int as distinct, count(*)::int as all from ${list.table}`,
    );
    // Each document is written by a request of its own. Filenames repeat.
    if (name !== 'documents') expect(row?.distinct).toBeLessThan(row?.all ?? 0);
    else expect(await list.count({ filters: { filename: { eq: 'b' } } })).toBe(2);
  });

  test('is in its default order, twenty a page, when nothing is said or null', async () => {
    const [[, column, direction] = ['', '', '']] = list.orders;
    const wanted = await idsInOrder(list.table, `${column} ${direction}, id ${direction}`);
    for (const request of [{}, { after: null, filters: null, orderBy: null }, { filters: {} }]) {
      const { edges } = await list.page(request);
      expect(edges.map(({ node }) => node.id)).toEqual(wanted.slice(0, 20));
    }
  });

  test('of 0 gives none, and says whether there are any', async () => {
    expect(await list.page({ first: 0 })).toEqual({
      edges: [],
      pageInfo: { hasNextPage: true, hasPreviousPage: false, startCursor: null, endCursor: null },
    });
    expect(await list.page({ first: 0, filters: { id: { eq: '1000000' } } })).toMatchObject({
      pageInfo: { hasNextPage: false },
    });
  });

  test('counts all that pass the filters, wherever the page is', async () => {
    const all = await idsInOrder(list.table, 'id');
    const { edges } = await list.page({ first: 2 });
    expect(await list.count({})).toBe(all.length);
    expect(await list.count({ after: edges[1]?.cursor ?? '' })).toBe(all.length);
    expect(await list.count({ filters: { id: { gt: all[1] } } })).toBe(all.length - 2);
  });

  test('counts only when it is asked to', async () => {
    const counting = await server.statementsOf(() => list.count({}));
    expect(counting.filter(({ text }) => /count\(/.test(text))).toHaveLength(1);
    const paging = await server.statementsOf(() => list.page({ first: 2 }));
    expect(paging).toHaveLength(1);
    expect(paging[0]?.text).not.toMatch(/count\(/);
  });

  test('pages through what the filters leave', async () => {
    const all = await idsInOrder(list.table, 'id');
    const kept = all.filter((_, i) => i % 3 !== 0);
    const orderBy = { field: 'ID' as never, direction: 'ASC' as const };
    expect(await walk(list, 2, { filters: { id: { in: kept } }, orderBy })).toEqual(kept);
  });
});

describe('a list that changes while it is read', () => {
  test('neither repeats nor hides what stays', async () => {
    const list = lists.memories as List;
    const orderBy = { field: 'IMPORTANCE_SCORE' as never, direction: 'DESC' as const };
    const before = await idsInOrder('memories', 'importance_score desc, id desc');
    const first = await list.page({ first: 4, orderBy });
    const read = first.edges.map(({ node }) => node.id);
    expect(read).toEqual(before.slice(0, 4));
    // The test deletes a row before the cursor, a row behind the cursor, and the row of the cursor.
    await server.request(CreateMemoryDocument, { input: { content: 'comes first', importanceScore: 1 } });
    const { createMemory } = await server.request(CreateMemoryDocument, {
      input: { content: 'comes last', importanceScore: 0.001 },
    });
    await server.request(DeleteMemoryDocument, { id: read[3] ?? '' });
    const rest = await list.page({ first: 200, after: first.pageInfo.endCursor, orderBy });
    const lowest = await server.sql<{ id: string }>('select id from memories where importance_score < 0.001');
    const behind = rest.edges.map(({ node }) => node.id);
    expect(behind.filter((id) => id !== createMemory.id)).toEqual(before.slice(4));
    expect(behind.indexOf(createMemory.id)).toBe(behind.length - 1 - lowest.length);
  });
});
