import { createHash } from 'node:crypto';
import type { Client } from '../support/client.ts';
import type { Collection, DataSet, Item } from './data-set.ts';

/** A stored item as the benchmark reads it from the API. The fields have one name for every kind. */
interface Row {
  id: string;
  text: string;
  name?: string;
  session?: string;
  embedding?: number[] | null;
}

/** How the items of one kind are written, listed and removed through the API. */
interface Storage {
  /** Returns a query for a page of the rows of `$user`, in the order of the items. `embedding` is '' or the field. */
  list(embedding: string): string;
  /** Returns the row of an item. */
  toRow(item: Item): Omit<Row, 'id'>;
  write(client: Client, user: string, items: readonly Item[]): Promise<void>;
  remove(client: Client, rows: readonly Row[]): Promise<void>;
  /** How many items are written in one call. Few, so that progress can be seen. */
  batch: number;
}

/** For each kind: the field that searches, the type of its filters, and the field of a match that holds the row. */
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
    // Tools have no owner. The benchmark has a database of its own, so all tools are of this set.
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

/** Returns a filename for a key. Filenames have the order of the numbers in the judgements. */
const filename = (key: string) => `${key.padStart(6, '0')}.txt`;

/**
 * Stores the items of a collection through the API, unless exactly these items are stored already.
 * @param onProgress is called with the number of items that are written.
 * @returns the key of each stored item, by its id.
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

/** Reads the stored embeddings of a collection, in the order of its items. */
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
