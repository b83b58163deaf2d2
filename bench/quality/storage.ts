import { createHash } from 'node:crypto';
import type { Client } from '../support/client.ts';
import type { Collection, DataSet, Item } from './data-set.ts';

/** What the API says of a stored item, under names that are the same for every kind. */
interface Row {
  id: string;
  text: string;
  name?: string;
  session?: string;
  embedding?: number[] | null;
}

/** How items of a kind are written, listed and removed through the API. */
interface Storage {
  /** A query for a page of the rows of `$user`, in the items' order, with their embeddings or without. */
  list(embedding: string): string;
  /** How an item is stored. */
  toRow(item: Item): Omit<Row, 'id'>;
  write(client: Client, user: string, items: readonly Item[]): Promise<void>;
  remove(client: Client, rows: readonly Row[]): Promise<void>;
  /** Items that are written in one call, few enough that progress can be seen. */
  batch: number;
}

/** The kinds of field that search them, with what a match calls its row. */
export const searchFields: Record<DataSet['kind'], { field: string; filters: string; row: string }> = {
  memory: { field: 'similarMemories', filters: 'MemoryFilters', row: 'memory' },
  document: { field: 'similarDocuments', filters: 'DocumentFilters', row: 'document' },
  tool: { field: 'similarTools', filters: 'ToolFilters', row: 'tool' },
};

const page = 'pageInfo { hasNextPage endCursor }';

const storages: Record<DataSet['kind'], Storage> = {
  memory: {
    list: (embedding) => `query BenchMemories($user: String!, $after: String) {
      page: memories(first: 200, after: $after, filters: { userId: { eq: $user } }, orderBy: { field: ID, direction: ASC }) {
        edges { node { id text: content session: sessionId ${embedding} } } ${page}
      }
    }`,
    toRow: ({ text, session }) => ({ text, ...(session !== undefined && { session }) }),
    write: async (client, user, items) => {
      const inputs = items.map(({ text, session }) => ({ content: text, userId: user, sessionId: session }));
      await client(
        'mutation BenchWrite($inputs: [CreateMemoryInput!]!) { createMemories(inputs: $inputs) { id } }',
        { inputs },
      );
    },
    remove: async (client, rows) => {
      const ids = rows.map(({ id }) => id);
      for (let i = 0; i < ids.length; i += 1000) {
        await client('mutation BenchRemove($ids: [ID!]!) { deleteMemories(ids: $ids) }', {
          ids: ids.slice(i, i + 1000),
        });
      }
    },
    batch: 100,
  },
  document: {
    list: () => `query BenchDocuments($user: String!, $after: String) {
      page: documents(first: 200, after: $after, filters: { userId: { eq: $user } }, orderBy: { field: FILENAME, direction: ASC }) {
        edges { node { id name: filename text: contentHash } } ${page}
      }
    }`,
    toRow: ({ key, text }) => ({
      name: filename(key),
      text: createHash('sha256').update(text).digest('hex'),
    }),
    write: async (client, user, items) => {
      const ingest = `mutation BenchIngest($input: IngestDocumentInput!) { ingestDocument(input: $input) { created } }`;
      await Promise.all(
        items.map(({ key, text }) =>
          client(ingest, { input: { filename: filename(key), content: text, userId: user } }),
        ),
      );
    },
    remove: async (client, rows) => {
      for (const { id } of rows) {
        await client('mutation BenchRemove($id: ID!) { deleteDocument(id: $id) }', { id });
      }
    },
    batch: 8,
  },
  tool: {
    // Tools have no owner; the benchmark's database has only its own.
    list: (embedding) => `query BenchTools($after: String) {
      page: tools(first: 200, after: $after, orderBy: { field: ID, direction: ASC }) {
        edges { node { id name: toolName text: toolDescription ${embedding} } } ${page}
      }
    }`,
    toRow: ({ name = '', text }) => ({ name, text }),
    write: async (client, _user, items) => {
      const inputs = items.map(({ name, text }) => ({ toolName: name, toolDescription: text }));
      await client(
        'mutation BenchWrite($inputs: [RegisterToolInput!]!) { registerTools(inputs: $inputs) { id } }',
        { inputs },
      );
    },
    remove: async (client, rows) => {
      for (const { name } of rows) {
        await client('mutation BenchRemove($name: String!) { deleteTool(name: $name) }', { name });
      }
    },
    batch: 100,
  },
};

/** So that the order of names is that of the judgements' numbers. */
const filename = (key: string) => `${key.padStart(6, '0')}.txt`;

/**
 * Stores the items of a collection through the API, unless exactly they are there, and gives the keys of their ids.
 * @param report hears how many of the items are written.
 */
export async function store(
  client: Client,
  kind: DataSet['kind'],
  { user, items }: Collection,
  onProgress: (written: number) => void,
): Promise<Map<string, string>> {
  const storage = storages[kind];
  let rows = await listRows(client, storage, user);
  if (!holds(rows, items, storage)) {
    await storage.remove(client, rows);
    for (let i = 0; i < items.length; i += storage.batch) {
      onProgress(i);
      await storage.write(client, user, items.slice(i, i + storage.batch));
    }
    rows = await listRows(client, storage, user);
    if (!holds(rows, items, storage)) throw new Error(`The API does not list what was stored for ${user}.`);
  }
  return new Map(rows.map(({ id }, i) => [id, items[i]?.key ?? '']));
}

/** The stored embeddings of a collection's items, in their order. */
export async function readVectors(
  client: Client,
  kind: DataSet['kind'],
  user: string,
): Promise<Float32Array[]> {
  const rows = await listRows(client, storages[kind], user, true);
  return rows.map(({ id, embedding }) => {
    if (!embedding) throw new Error(`${kind} ${id} has no embedding.`);
    return Float32Array.from(embedding);
  });
}

function holds(rows: readonly Row[], items: readonly Item[], { toRow }: Storage): boolean {
  return (
    rows.length === items.length &&
    items.every((item, i) => {
      const { text, name, session } = toRow(item);
      const row = rows[i];
      return row?.text === text && row.name === name && (row.session ?? undefined) === session;
    })
  );
}

async function listRows(client: Client, { list }: Storage, user: string, vectors = false): Promise<Row[]> {
  const rows: Row[] = [];
  for (let after: string | undefined; ; ) {
    const { page }: ListAnswer = await client(list(vectors ? 'embedding' : ''), { user, after });
    rows.push(...page.edges.map(({ node }) => node));
    if (!page.pageInfo.hasNextPage) return rows;
    after = page.pageInfo.endCursor;
  }
}

interface ListAnswer {
  page: { edges: { node: Row }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
}
