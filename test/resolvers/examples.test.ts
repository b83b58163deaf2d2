import { parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exampleQueries } from '../../resolvers/examples.ts';
import type { Embedder } from '../../src/embedding/embedder.ts';
import {
  IngestDocumentDocument,
  RegisterToolsDocument,
  SimilarChunksDocument,
  SimilarDocumentsDocument,
  SimilarToolsDocument,
} from '../generated/operations.ts';
import { startRealEmbedder } from '../support/real-embedder.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

// With the real model, because the examples of the pages must work as they are, and their answers must make sense.

let embedder: Embedder;
let server: TestServer;

beforeAll(async () => {
  [embedder, server] = await startRealEmbedder().then(async (real) => [
    real,
    await startTestServer({ embedder: real }),
  ]);
});
afterAll(async () => {
  await server.close();
  await embedder.close();
});

describe('the example queries', () => {
  const operations = exampleQueries.flatMap(({ title, query }) =>
    parse(query).definitions.flatMap((definition) =>
      definition.kind === 'OperationDefinition' ? [{ title, query, name: definition.name?.value }] : [],
    ),
  );

  test.each(operations)('$title: $name is answered without an error, twice', async ({ query, name }) => {
    for (let time = 0; time < 2; time++) {
      const response = await fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query, operationName: name }),
      });
      expect(await response.json()).toEqual({ data: expect.any(Object) });
    }
  });
});

describe('meaning', () => {
  test('finds the chunk, the document and the tool that other words describe', async () => {
    const pages = {
      'install.md': '# Installation\n\nRun npm install in the folder of your project to add the library.',
      'license.md': '# License\n\nYou may copy and change this software under the Apache License 2.0.',
      'garden.md': '# Tomatoes\n\nWater the seedlings every morning and keep them out of the frost.',
    };
    for (const [filename, content] of Object.entries(pages))
      await server.request(IngestDocumentDocument, { input: { filename, content } });
    await server.request(RegisterToolsDocument, {
      inputs: [
        { toolName: 'get_forecast', toolDescription: 'Returns the weather of a place for the next days' },
        { toolName: 'sendEmail', toolDescription: 'Sends a message to a recipient' },
        { toolName: 'calc', toolDescription: 'Evaluates an arithmetic expression' },
      ],
    });
    const chunk = await server.request(SimilarChunksDocument, { text: 'caring for young plants', k: 1 });
    expect(chunk.similarChunks[0]?.chunk.content).toMatch(/^# Tomatoes/);
    const document = await server.request(SimilarDocumentsDocument, {
      text: 'how do I set up the package?',
      k: 1,
    });
    expect(document.similarDocuments[0]?.document.filename).toBe('install.md');
    const tool = await server.request(SimilarToolsDocument, {
      text: 'will it rain in Lisbon tomorrow?',
      k: 1,
    });
    expect(tool.similarTools[0]?.tool.toolName).toBe('get_forecast');
  });
});
