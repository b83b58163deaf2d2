import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { AgentAnswer, DocumentsAnswer, RecallAnswer } from '../../demo/answers.ts';
import { type Client, clientOf } from '../../demo/client.ts';
import { documentFiles, readDocuments } from '../../demo/documents.ts';
import { loadDocuments, loadMemories, loadTools } from '../../demo/load.ts';
import { showQueries } from '../../demo/report.ts';
import { demoQueries, exampleQueries } from '../../resolvers/examples.ts';
import type { Embedder } from '../../src/embedding/embedder.ts';
import { startRealEmbedder } from '../support/real-embedder.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

/** So many of the documents that a wrong one could come first. */
const someFiles = [
  'async-mutex/README.md',
  'pino/docs/help.md',
  'pino/docs/redaction.md',
  'fastify/docs/Guides/Detecting-When-Clients-Abort.md',
  'fastify/docs/Reference/Lifecycle.md',
];

let embedder: Embedder;
let server: TestServer;
let client: Client;

beforeAll(async () => {
  embedder = await startRealEmbedder();
  server = await startTestServer({ embedder });
  client = clientOf(`${server.url}/graphql`);
});

afterAll(async () => {
  await server.close();
  await embedder.close();
});

async function loadSome(onDone: (filename: string) => void = () => {}) {
  const documents = (await readDocuments()).filter(({ filename }) => someFiles.includes(filename));
  return {
    memories: await loadMemories(client),
    tools: await loadTools(client),
    documents: await loadDocuments(client, documents, ({ filename }) => onDone(filename)),
  };
}

describe('the first query to paste', () => {
  test('finds for each memory the one that means nearly the same, on a server with nothing in it', async () => {
    const [first] = exampleQueries;
    const { createMemories } = await client.send<{
      createMemories: { content: string; similar: { memory: { content: string } }[] }[];
    }>(first?.query ?? '');
    const topic = (text: string | undefined) =>
      ['goal|football', 'tea|drink', 'raining|wet'].findIndex((words) => new RegExp(words).test(text ?? ''));
    expect(createMemories).toHaveLength(6);
    for (const { content, similar } of createMemories) {
      expect(topic(similar[0]?.memory.content), content).toBe(topic(content));
    }
  });

  test('is one operation, like every example, so that a client that names none can send it', async () => {
    for (const { query } of exampleQueries) {
      expect(await client.send(query)).toBeDefined();
    }
  });
});

describe('the demo', { timeout: 120_000 }, () => {
  test('finds every document in the packages that are installed', async () => {
    const documents = await readDocuments();
    expect(documents.map(({ filename }) => filename)).toEqual(documentFiles);
    expect(documents.find(({ filename }) => filename.startsWith('@electric-sql'))?.metadata.package).toBe(
      '@electric-sql/pglite',
    );
  });

  test('says what was new, and changes nothing when it runs again', async () => {
    const done: string[] = [];
    const first = await loadSome((filename) => done.push(filename));
    expect(first.memories.created).toBe(first.memories.total);
    expect(first.tools.created).toBe(first.tools.total);
    expect(first.documents).toMatchObject({ total: someFiles.length, created: someFiles.length });
    expect(done.sort()).toEqual([...someFiles].sort());

    const before = await server.contents();
    const second = await loadSome();
    expect(second).toEqual({
      memories: { ...first.memories, created: 0 },
      tools: { ...first.tools, created: 0 },
      documents: { ...first.documents, created: 0 },
    });
    expect(await server.contents()).toEqual(before);
  });

  test('registers a tool anew when somebody changed what it does', async () => {
    await loadTools(client);
    await client.send(
      'mutation { registerTools(inputs: [{ toolName: "translate", toolDescription: "Something else." }]) { id } }',
    );
    expect(await loadTools(client)).toMatchObject({ created: 1 });
    const { tool } = await client.send<{ tool: { toolDescription: string } }>(
      '{ tool(name: "translate") { toolDescription } }',
    );
    expect(tool.toolDescription).toBe('Translates a text into another language.');
  });

  test('shows queries whose answers are right', async () => {
    await loadSome();
    const { similarMemories } = await client.send<RecallAnswer>(demoQueries.recall.query);
    expect(similarMemories.map(({ memory }) => memory.content)).toEqual([
      expect.stringContaining('peanuts'),
      expect.stringContaining('vegetarian'),
      expect.stringContaining('spicy'),
    ]);
    const { similarDocuments } = await client.send<DocumentsAnswer>(demoQueries.documents.query);
    expect(similarDocuments[0]?.document.filename).toContain('Detecting-When-Clients-Abort');
    expect(similarDocuments[0]?.chunk.content).toContain('when a browser is closed');
    const { rules, passages, tools } = await client.send<AgentAnswer>(demoQueries.agent.query);
    expect(rules[0]?.memory.content).toContain('must never show up in our log files');
    expect(passages.map(({ chunk }) => chunk.document.filename)).toEqual([
      expect.stringMatching(/^pino/),
      expect.stringMatching(/^pino/),
    ]);
    expect(tools[0]?.tool.toolName).toBe('search_logs');
  });

  test('prints each query with its answer', async () => {
    await loadSome();
    let printed = '';
    await showQueries(client, (text) => {
      printed += text;
    });
    for (const { title, query } of Object.values(demoQueries)) {
      expect(printed).toContain(title);
      expect(printed).toContain(query.replace(/^/gm, '   '));
    }
    expect(printed).toMatch(/ {3}0\.\d{3} {2}Ada must not eat peanuts or walnuts/);
    expect(printed).toMatch(/│ .*browser is closed/);
    expect(printed).toMatch(/memory {2}Names and card numbers/);
  });
});

describe('the client of the demo', () => {
  test('says that no server answers where nothing listens', async () => {
    const nobody = clientOf('http://127.0.0.1:1/graphql');
    await expect(nobody.send('{ __typename }')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: 'No server answers at http://127.0.0.1:1/graphql.',
    });
  });

  test('tells a server that is not ours by its answer', async () => {
    const other = createServer((_request, response) => response.end('<p>Hello</p>'));
    onTestFinished(() => void other.close());
    await once(other.listen(0, '127.0.0.1'), 'listening');
    const { port } = other.address() as AddressInfo;
    await expect(clientOf(`http://127.0.0.1:${port}/`).send('{ __typename }')).rejects.toThrow(
      /is no GraphQL server/,
    );
  });

  test("passes the server's own words on when an operation fails", async () => {
    await expect(client.send('{ similarMemories(text: "x", k: 0) { score } }')).rejects.toThrow(
      /k is how many matches to return/,
    );
  });
});
