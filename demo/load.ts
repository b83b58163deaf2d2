import { createHash } from 'node:crypto';
import type { Client } from './client.ts';
import { conversations } from './conversations.ts';
import type { DemoDocument } from './documents.ts';
import { type DemoTool, tools } from './tools.ts';

/** How many rows the demo has of a kind, and how many of them are new. */
export interface Loaded {
  total: number;
  created: number;
}

const inFlight = 3;

const operations = {
  countMemories: `query CountDemoMemories($keys: [String!]) {
  memories(first: 1, filters: { idempotencyKey: { in: $keys } }) { totalCount }
}`,
  createMemories: `mutation CreateDemoMemories($inputs: [CreateMemoryInput!]!) {
  createMemories(inputs: $inputs) { id }
}`,
  readTools: `query ReadDemoTools($names: [String!]) {
  tools(first: 200, filters: { toolName: { in: $names } }) { edges { node { toolName toolDescription toolParameters } } }
}`,
  registerTools: `mutation RegisterDemoTools($inputs: [RegisterToolInput!]!) {
  registerTools(inputs: $inputs) { id }
}`,
  ingestDocument: `mutation IngestDemoDocument($input: IngestDocumentInput!) {
  ingestDocument(input: $input) { created chunkCount }
}`,
};

/** Stores the conversations as memories. Because of their idempotency keys, a second run stores nothing. */
export async function loadMemories(client: Client): Promise<Loaded> {
  const inputs = conversations.flatMap(({ sessionId, topic, statements }) =>
    statements.map(([content, importanceScore]) => ({
      content,
      importanceScore,
      sessionId,
      source: 'demo',
      metadata: { topic },
      // The key is made of the content. So a later version of the demo with other content never uses an old key.
      idempotencyKey: `demo-${createHash('sha256').update(content).digest('hex').slice(0, 16)}`,
    })),
  );
  const keys = inputs.map(({ idempotencyKey }) => idempotencyKey);
  const { memories } = await client.send<{ memories: { totalCount: number } }>(operations.countMemories, {
    keys,
  });
  await client.send(operations.createMemories, { inputs });
  return { total: inputs.length, created: inputs.length - memories.totalCount };
}

/** Registers the tools that are not registered yet in this form. */
export async function loadTools(client: Client): Promise<Loaded> {
  const answer = await client.send<{ tools: { edges: { node: DemoTool }[] } }>(operations.readTools, {
    names: tools.map(({ toolName }) => toolName),
  });
  const known = new Set(answer.tools.edges.map(({ node }) => identityOf(node)));
  const inputs = tools.filter((tool) => !known.has(identityOf(tool)));
  if (inputs.length > 0) await client.send(operations.registerTools, { inputs });
  return { total: tools.length, created: inputs.length };
}

/** Ingests the documents, a few at a time, and calls `onDone` for each. The server ignores bytes that it already has. */
export async function loadDocuments(
  client: Client,
  documents: readonly DemoDocument[],
  onDone: (document: DemoDocument) => void,
): Promise<Loaded & { chunks: number }> {
  const loaded = { total: documents.length, created: 0, chunks: 0 };
  const waiting = documents.values();
  const worker = async () => {
    for (const input of waiting) {
      const { ingestDocument } = await client.send<{
        ingestDocument: { created: boolean; chunkCount: number };
      }>(operations.ingestDocument, { input });
      loaded.created += ingestDocument.created ? 1 : 0;
      loaded.chunks += ingestDocument.chunkCount;
      onDone(input);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return loaded;
}

/** Returns a string that is equal for equal tools, for any order of the keys of their parameters. */
function identityOf({ toolName, toolDescription, toolParameters }: DemoTool): string {
  return JSON.stringify([toolName, toolDescription, sorted(toolParameters)]);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
