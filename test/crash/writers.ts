import { randomInt } from 'node:crypto';

/** A function that sends a request to the server, and returns its data. */
export type Send = <Data>(query: string, variables?: object) => Promise<Data>;

/** Returns a function that sends requests to the server at `url`. It throws if the answer does not come, or has an error. */
export function sender(url: string): Send {
  return async <Data>(query: string, variables: object = {}) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data: Data; errors?: { message: string }[] };
    if (errors) throw new Error(`The server refused a request: ${errors[0]?.message}`);
    return data;
  };
}

/** A kind of write, and how to read back what was written. */
export interface WriteKind<Written> {
  /** Sends a write, and returns its id and what must be in the database from now on. */
  write(send: Send): Promise<{ id: string; written: Written }>;
  /** Reads all that is in the database, by id. */
  readAll(send: Send): Promise<Map<string, Written>>;
}

const words = [
  'tide',
  'harbour',
  'Ölhafen',
  '港',
  'ladder',
  '🦀',
  'winch',
  'mañana',
  'buoy',
  'door',
  "o'clock",
  '\\',
  '%',
];

/** Returns a text of so many random words. */
export function randomText(length: number): string {
  return Array.from({ length }, () => words[randomInt(words.length)]).join(' ');
}

interface Memory {
  content: string;
  importanceScore: number;
  metadata: unknown;
}

export const memoryWrites: WriteKind<Memory> = {
  async write(send) {
    const written = {
      content: randomText(randomInt(5, 200)),
      importanceScore: randomInt(101) / 100,
      metadata: { note: randomText(3), order: randomInt(2 ** 40) },
    };
    const { createMemory } = await send<{ createMemory: { id: string } }>(
      'mutation ($input: CreateMemoryInput!) { createMemory(input: $input) { id } }',
      { input: written },
    );
    return { id: createMemory.id, written };
  },
  async readAll(send) {
    const nodes = await readPages<Memory & { id: string }>(
      send,
      'memories',
      'id content importanceScore metadata',
    );
    return new Map(nodes.map(({ id, ...memory }) => [id, memory]));
  },
};

export const documentWrites: WriteKind<{ text: string }> = {
  async write(send) {
    const text = randomText(randomInt(20, 400));
    const input = { filename: 'tides.txt', content: text, chunkSize: 64, overlap: 8 };
    const { ingestDocument } = await send<{ ingestDocument: { document: { id: string } } }>(
      'mutation ($input: IngestDocumentInput!) { ingestDocument(input: $input) { document { id } } }',
      { input },
    );
    return { id: ingestDocument.document.id, written: { text } };
  },
  async readAll(send) {
    interface Node {
      id: string;
      text: string;
      totalChunks: number;
      chunks: { totalCount: number };
    }
    const fields = 'id text(limit: 100000) totalChunks chunks { totalCount }';
    const nodes = await readPages<Node>(send, 'documents', fields);
    for (const { id, totalChunks, chunks } of nodes) {
      if (chunks.totalCount !== totalChunks)
        throw new Error(`Document ${id} has ${chunks.totalCount} of its ${totalChunks} chunks.`);
    }
    return new Map(nodes.map(({ id, text }) => [id, { text }]));
  },
};

interface Page<Node> {
  pageInfo: { hasNextPage: boolean; endCursor: string };
  edges: { node: Node }[];
}

async function readPages<Node>(send: Send, field: string, fields: string): Promise<Node[]> {
  const nodes: Node[] = [];
  for (let after: string | undefined; ; ) {
    const data = await send<Record<string, Page<Node>>>(
      `query ($after: String) { page: ${field}(first: 50, after: $after) { pageInfo { hasNextPage endCursor } edges { node { ${fields} } } } }`,
      { after },
    );
    const page = data.page as Page<Node>;
    nodes.push(...page.edges.map(({ node }) => node));
    if (!page.pageInfo.hasNextPage) return nodes;
    after = page.pageInfo.endCursor;
  }
}

/** Clients that write without a pause until the server is gone. */
export interface Writers {
  /** Writes that were sent and not answered yet. */
  inFlight(): number;
  /** Resolves when no client goes on. Returns how many writes the end of the server interrupted. */
  ended: Promise<number>;
}

/**
 * Starts clients that write one after the other. What is acknowledged goes into `acknowledged` at once.
 * @throws (through `ended`) the refusal of a write. Only an answer that does not come is taken for the end of the server.
 */
export function startWriters<Written>(
  url: string,
  kind: WriteKind<Written>,
  acknowledged: Map<string, Written>,
  clients = 4,
): Writers {
  const send = sender(url);
  let inFlight = 0;
  let interrupted = 0;
  async function client(): Promise<void> {
    for (;;) {
      inFlight += 1;
      try {
        const { id, written } = await kind.write(send);
        acknowledged.set(id, written);
      } catch (error) {
        // How fetch says that the connection is gone, before the answer or in the middle of it.
        if (!(error instanceof TypeError)) throw error;
        interrupted += 1;
        return;
      } finally {
        inFlight -= 1;
      }
    }
  }
  const ended = Promise.all(Array.from({ length: clients }, client)).then(() => interrupted);
  return { inFlight: () => inFlight, ended };
}
