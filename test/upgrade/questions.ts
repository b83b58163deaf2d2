import { documentRows, memoryRows } from './rows.ts';

/** Something that is asked of the API on the database of a dump. */
export interface Question {
  name: string;
  query: string;
  variables?: Record<string, unknown>;
  /**
   * Where the answer has the cursor of its last object. Then the next page is asked for with `after`, up to three pages, and
   * the answer is the list of pages.
   */
  lastCursor?: (data: never) => string | null | undefined;
}

/** Answers one request, as a server does. */
export type Post = (
  query: string,
  variables: Record<string, unknown>,
) => Promise<{ data?: unknown; errors?: unknown }>;

/** The answer to a question: `data`, a list of it where there are pages, and `errors` where there are any. */
export async function ask(post: Post, { query, variables = {}, lastCursor }: Question): Promise<unknown> {
  const pages: unknown[] = [];
  let after: string | null | undefined;
  do {
    const { data, errors } = await post(query, after == null ? variables : { ...variables, after });
    if (errors !== undefined) return { errors };
    pages.push(data);
    after = lastCursor?.(data as never);
  } while (after != null && pages.length < 3);
  return lastCursor === undefined ? pages[0] : pages.map(withoutCursors);
}

/** What a cursor is made of is nobody's business; that it leads to the next page is what counts. */
function withoutCursors(page: unknown): unknown {
  return JSON.parse(JSON.stringify(page, (key, value) => (/^(endC|c)ursor$/.test(key) ? undefined : value)));
}

const fragments = {
  M: `fragment M on Memory { id userId content contentSummary embeddingModel embeddingStatus source sessionId
    importanceScore metadata idempotencyKey createdAt updatedAt }`,
  D: `fragment D on Document { id userId filename filePath fileType fileSize contentHash totalChunks processedAt
    updatedAt metadata }`,
  C: `fragment C on Chunk { id userId documentId chunkIndex totalChunks content contentSummary embeddingModel
    embeddingStatus chunkSize overlapSize startOffset endOffset metadata createdAt }`,
  T: `fragment T on Tool { id toolName toolDescription toolParameters embeddingModel embeddingStatus usageCount lastUsed
    createdAt updatedAt }`,
};

const parts = '{ keyword context recency importance }';

/** An operation with the fragments that it names. */
const withFragments = (query: string): string =>
  [
    query,
    ...Object.entries(fragments).flatMap(([name, text]) => (query.includes(`...${name} `) ? [text] : [])),
  ].join('\n');

const question = (name: string, query: string, variables?: Record<string, unknown>): Question => ({
  name,
  query: withFragments(query),
  ...(variables && { variables }),
});

interface List {
  field: string;
  fragment: string;
  filters: string;
  order: string;
  orders: readonly string[];
}

const lists: readonly List[] = [
  {
    field: 'memories',
    fragment: 'M',
    filters: 'MemoryFilters',
    order: 'MemoryOrder',
    orders: ['CREATED_AT', 'ID', 'IMPORTANCE_SCORE', 'UPDATED_AT'],
  },
  {
    field: 'documents',
    fragment: 'D',
    filters: 'DocumentFilters',
    order: 'DocumentOrder',
    orders: ['FILENAME', 'ID', 'PROCESSED_AT', 'UPDATED_AT'],
  },
  {
    field: 'chunks',
    fragment: 'C',
    filters: 'ChunkFilters',
    order: 'ChunkOrder',
    orders: ['ID', 'CREATED_AT'],
  },
  {
    field: 'tools',
    fragment: 'T',
    filters: 'ToolFilters',
    order: 'ToolOrder',
    orders: ['CREATED_AT', 'ID', 'TOOL_NAME', 'UPDATED_AT', 'USAGE_COUNT'],
  },
];

const inOrder = lists.flatMap(({ field, fragment, order, orders }) =>
  orders.flatMap((by) =>
    ['ASC', 'DESC'].map((direction) =>
      question(
        `${field} by ${by} ${direction}`,
        `query ($orderBy: ${order}) { ${field}(first: 4, orderBy: $orderBy) { totalCount edges { node { ...${fragment} } } } }`,
        { orderBy: { field: by, direction } },
      ),
    ),
  ),
);

const inPages = lists.map(
  ({ field, filters, order, orders }): Question => ({
    ...question(
      `${field} in pages`,
      `query ($filters: ${filters}, $orderBy: ${order}, $after: String) {
        ${field}(first: 15, filters: $filters, orderBy: $orderBy, after: $after) {
          totalCount pageInfo { hasNextPage hasPreviousPage endCursor } edges { node { id } }
        }
      }`,
      {
        filters: { not: { id: { in: ['1', '2', '3'] } } },
        orderBy: { field: orders.at(-1), direction: 'DESC' },
      },
    ),
    lastCursor: (data) =>
      (data as Record<string, { pageInfo: { hasNextPage: boolean; endCursor: string | null } }>)[field]
        ?.pageInfo.endCursor,
  }),
);

const filtersOf: Record<string, Record<string, object>> = {
  memories: {
    'of one user': { userId: { eq: '李小龍' } },
    'of a user with quotes in the name': { userId: { eq: 'o\'brien \\ "q"' } },
    'that wait for an embedding': { embeddingStatus: { eq: 'PENDING' } },
    'of a session': { sessionId: { in: ['talk-2', 'talk-3'] } },
    'with a key': { idempotencyKey: { startsWith: 'key-' } },
    'without a key or a session': { idempotencyKey: { eq: null }, sessionId: { eq: null } },
    'by metadata': { metadata: { contains: { tags: ['travel'] } } },
    'by a number in metadata': { metadata: { at: [{ path: ['turn'], number: { gte: 20, lt: 60 } }] } },
    'of a time': { createdAt: { gte: '2026-02-01T00:00:00Z', lt: '2026-02-03T00:00:00Z' } },
    'that matter or came by mail': { or: [{ importanceScore: { gt: 0.9 } }, { source: { eq: 'mail' } }] },
    'with odd letters': { content: { contains: '𐎠𐎡' } },
  },
  documents: {
    'of one user': { userId: { eq: 'ana' } },
    'by metadata': { metadata: { at: [{ path: ['kind'], string: { eq: 'bill' } }] } },
    'of a folder': { filePath: { startsWith: '/reports/2026/' } },
    'of a size': { fileSize: { gt: 500 }, totalChunks: { gte: 4 } },
  },
  chunks: {
    'of documents': { document: { filename: { in: ['report-3.txt', 'report-7.md'] } } },
    'at the end': { chunkIndex: { gte: 3 } },
    'that wait for an embedding': { embeddingStatus: { eq: 'PENDING' } },
  },
  tools: {
    'never used': { lastUsed: { eq: null }, toolName: { startsWith: 'get' } },
    'used often': { usageCount: { gt: 1 } },
    'by parameters': { toolParameters: { contains: { properties: { invoice: { depth: 2 } } } } },
    'without parameters': { toolParameters: { at: [{ path: ['type'], exists: false }] } },
  },
};

const filtered = lists.flatMap(({ field, filters }) =>
  Object.entries(filtersOf[field] ?? {}).map(([name, given]) =>
    question(
      `${field} ${name}`,
      `query ($filters: ${filters}) { ${field}(first: 50, filters: $filters, orderBy: { field: ID }) { totalCount edges { node { id } } } }`,
      { filters: given },
    ),
  ),
);

const lookups = [
  question('a memory', '{ memory(id: "13") { ...M embedding } }'),
  question('a memory that waits for its embedding', '{ memory(id: "7") { ...M embedding } }'),
  question('a memory of the archive', '{ memory(id: "2") { id } }'),
  question(
    'a document with its chunks',
    '{ document(id: "5") { ...D chunks(first: 10) { totalCount edges { node { ...C } } } } }',
  ),
  question(
    'a chunk with its neighbours',
    '{ chunk(id: "10") { ...C embedding document { id filename } previous { id } next { id next { id } } } }',
  ),
  question('a tool', '{ tool(name: "create_invoice") { ...T } one: tool(name: "getInvoice") { ...T } }'),
  question('no tool', '{ tool(name: "nothing") { id } }'),
];

interface Kind {
  field: string;
  row: string;
  shown: string;
  filters: string;
  texts: readonly string[];
  filter: object;
}

const kinds: readonly Kind[] = [
  {
    field: 'similarMemories',
    row: 'memory',
    shown: 'id userId content',
    filters: 'MemoryFilters',
    texts: ['who must not eat nuts', 'database connections of the billing service'],
    filter: { userId: { eq: 'ana' } },
  },
  {
    field: 'similarChunks',
    row: 'chunk',
    shown: 'id documentId content',
    filters: 'ChunkFilters',
    texts: ['train seat at the window', 'cello quartet'],
    filter: { document: { userId: { in: ['ana', '李小龍'] } } },
  },
  {
    field: 'similarDocuments',
    row: 'document',
    shown: 'id filename',
    filters: 'DocumentFilters',
    texts: ['tea without sugar', 'passport and visa'],
    filter: { metadata: { at: [{ path: ['number'], number: { lt: 40 } }] } },
  },
  {
    field: 'similarTools',
    row: 'tool',
    shown: 'id toolName',
    filters: 'ToolFilters',
    texts: ['will it rain tomorrow', 'send money with a bank transfer'],
    filter: { usageCount: { eq: 0 } },
  },
];

const optionSets: Record<string, object> = {
  'by meaning': {},
  'by meaning, exactly': { exact: true },
  'by straight-line distance': { metric: 'EUCLIDEAN' },
  'by inner product': { metric: 'INNER_PRODUCT' },
  'by words': { mode: 'KEYWORD' },
  'by both': { mode: 'HYBRID' },
  'by both, joined by rank': { mode: 'HYBRID', fusion: 'RANK' },
  'within a distance': { maxDistance: 0.6 },
  'in the nearest part': { percentile: 0.02 },
};

const searches = kinds.flatMap(({ field, row, shown, filters, texts, filter }) => {
  const query = `query ($text: String, $like: [ID!], $unlike: [ID!], $filters: ${filters}, $options: SearchOptions, $after: String) {
    ${field}(text: $text, like: $like, unlike: $unlike, filters: $filters, options: $options, k: 6, after: $after) {
      cursor distance similarity score scoreParts ${parts} ${row} { ${shown} }
    }
  }`;
  const paged = query.replace('k: 6', 'k: 4').replace(`scoreParts ${parts}`, '');
  const cursorOf = (data: never) =>
    (data as Record<string, { cursor: string | null }[]>)[field]?.at(-1)?.cursor;
  const without = query.replace('cursor distance', 'distance');
  return [
    ...texts.flatMap((text) =>
      Object.entries(optionSets).map(([name, options]) =>
        question(`${field} for "${text}" ${name}`, without, { text, options }),
      ),
    ),
    ...['SEMANTIC', 'KEYWORD', 'HYBRID'].map((mode) =>
      question(`${field} with filters, ${mode}`, without, {
        text: texts[1],
        filters: filter,
        options: { mode },
      }),
    ),
    question(`${field} like examples`, without, { like: ['21', '23'], unlike: ['33'] }),
    question(`${field} unlike each other`, without, { text: texts[0], options: { diversity: 0.5 } }),
    ...['SEMANTIC', 'HYBRID'].map(
      (mode): Question => ({
        ...question(`${field} in pages, ${mode}`, paged, { text: texts[1], options: { mode } }),
        lastCursor: cursorOf,
      }),
    ),
  ];
});

const others = [
  question(
    'similarMemories by importance',
    `{ similarMemories(text: "coffee and cake", k: 6, options: { weights: { importance: 1 } }) {
        score distance scoreParts { importance } memory { id importanceScore } } }`,
  ),
  question(
    'what is similar to a row',
    `{ memory(id: "21") { similar(k: 4) { distance memory { id } } }
       document(id: "9") { similar(k: 4) { distance document { id } chunk { id } } }
       chunk(id: "30") { similar(k: 4) { distance chunk { id } } }
       tool(name: "getInvoice") { similar(k: 4) { distance tool { toolName } } } }`,
  ),
  ...['SEMANTIC', 'KEYWORD', 'HYBRID'].map((mode) =>
    question(
      `recall of all kinds, ${mode}`,
      `query ($options: SearchOptions) {
        recall(text: "exchange the train ticket to Lisbon", kinds: [MEMORY, CHUNK, DOCUMENT, TOOL], k: 12, options: $options) {
          __typename
          ... on MemoryMatch { score distance memory { id } }
          ... on ChunkMatch { score distance chunk { id } }
          ... on DocumentMatch { score distance document { id } }
          ... on ToolMatch { score distance tool { id } }
        }
      }`,
      { options: { mode } },
    ),
  ),
  question(
    'what would be archived',
    `mutation { archiveMemories(input: { dryRun: true, olderThan: "2026-01-20T00:00:00Z", importanceBelow: 0.3 }) {
        count sample { ...M } } }`,
  ),
];

/** These change rows, so they come last and in this order. */
const writes = [
  question('memories out of the archive', 'mutation { restoreMemories(ids: ["2", "6", "8", "9999"]) }'),
  question(
    'memories that were in the archive',
    '{ a: memory(id: "2") { ...M embedding } b: memory(id: "6") { ...M } c: memory(id: "8") { ...M } d: memory(id: "4") { id } }',
  ),
  question(
    'a new memory, with a new id',
    'mutation { createMemory(input: { content: "The first one after the upgrade", userId: "ana" }) { id userId source importanceScore metadata embeddingStatus } }',
  ),
  question(
    'a memory that was stored with this key before',
    `mutation ($input: CreateMemoryInput!) { createMemory(input: $input) { ...M } }`,
    { input: { userId: 'default_user', idempotencyKey: 'key-0 ü', content: memoryRows()[0]?.content } },
  ),
  question(
    'a new document, with new ids',
    `mutation { ingestDocument(input: { filename: "new.md", content: "# New\\n\\nAfter the upgrade.", userId: "ana" }) {
        created chunkCount document { id totalChunks chunks { edges { node { id chunkIndex content embeddingStatus } } } } } }`,
  ),
  question(
    'a document whose bytes are there already',
    `mutation ($input: IngestDocumentInput!) { ingestDocument(input: $input) { created chunkCount document { ...D } } }`,
    { input: { filename: 'again.txt', content: documentRows()[1]?.content, userId: 'ana' } },
  ),
  question(
    'a tool that is used once more',
    'mutation { recordToolUse(name: "getInvoice") { id usageCount } }',
  ),
  question(
    'tools that are registered again, and a new one',
    `mutation { registerTools(inputs: [
        { toolName: "getInvoice", toolDescription: "Reads an invoice." }
        { toolName: "brand_new", toolDescription: "There was none like it." }
      ]) { toolName toolDescription toolParameters usageCount embeddingStatus } }`,
  ),
  question(
    'a memory with another text',
    'mutation { updateMemory(id: "7", input: { content: "Understood by now: the cello", sessionId: null }) { id content sessionId embeddingStatus createdAt } }',
  ),
  question(
    'memories into the archive',
    'mutation { archiveMemories(input: { dryRun: false, filters: { sessionId: { eq: "talk-4" } } }) { count sample { id } } }',
  ),
  question(
    'what is deleted',
    'mutation { deleteDocument(id: "12") deleteMemories(ids: ["1", "3", "4"]) deleteMemory(id: "5") deleteTool(name: "list.invoice") }',
  ),
  question(
    'how many rows are left',
    '{ memories { totalCount } documents { totalCount } chunks { totalCount } tools { totalCount } }',
  ),
];

/** All of them, in the order in which they must be asked. */
export const questions: readonly Question[] = [
  question(
    'how many rows there are',
    '{ memories { totalCount } documents { totalCount } chunks { totalCount } tools { totalCount } }',
  ),
  ...inOrder,
  ...inPages,
  ...filtered,
  ...lookups,
  ...searches,
  ...others,
  ...writes,
];
