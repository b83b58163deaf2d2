import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ChunksDocument,
  CreateMemoryDocument,
  DocumentChunksDocument,
  IngestDocumentDocument,
  MemoriesDocument,
  RegisterToolsDocument,
  ToolsDocument,
} from '../../generated/operations.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

// What the tests of wrong input share. Every error has a code for programs and a message for people. The message names the
// argument and what is allowed, and quotes at most a line of the input. Nothing is stored.

export type Operation = Parameters<TestServer['raw']>[0];
type Code = 'BAD_USER_INPUT' | 'LIMIT_EXCEEDED' | 'NOT_FOUND' | 'CONFLICT';
/** The operation that is sent. Its variables are a function if they depend on stored rows. */
export type Case = [
  what: string,
  Operation,
  variables: object | (() => object),
  message: RegExp | string,
  Code?,
];

export function refuses(title: string, cases: Case[]) {
  test.each(cases)(title, async (_, operation, variables, message, code = 'BAD_USER_INPUT') => {
    const before = await stored.server.contents();
    const { data, errors = [] } = await stored.server.raw(
      operation,
      typeof variables === 'function' ? variables() : variables,
    );
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toMatch(message);
    expect(errors[0]?.extensions).toEqual({ code });
    expect(errors[0]?.message.length).toBeLessThan(700);
    expect(Object.values(data ?? {}).filter((value) => value !== null)).toEqual([]);
    expect(await stored.server.contents()).toEqual(before);
  });
}

let running: TestServer | undefined;

/** The server, and the ids of its rows to which wrong input can refer. */
export const stored = {
  get server(): TestServer {
    if (running === undefined) throw new Error('There is no server: call storeRows in the test file.');
    return running;
  },
  ids: { memory: '', document: '', chunk: '' },
  cursors: {
    memories: '',
    memoriesById: '',
    memoriesUpwards: '',
    chunks: '',
    tools: '',
    /** Cursor of the chunks of a document other than `ids.document`. */
    firstDocument: '',
  },
};

/** Starts the server of a test file with a few rows in each table. */
export function storeRows(): void {
  beforeAll(async () => {
    running = await startTestServer();
    const { server, ids, cursors } = stored;
    const input = { content: 'the memory that was there before', idempotencyKey: 'taken' };
    ids.memory = (await server.request(CreateMemoryDocument, { input })).createMemory.id;
    for (const filename of ['first.txt', 'second.txt']) {
      const content = `All of ${filename}.\n\n${'It has several sentences. '.repeat(20)}`;
      const { ingestDocument } = await server.request(IngestDocumentDocument, {
        input: { filename, content, chunkSize: 20 },
      });
      ids.document = ingestDocument.document.id;
      const { document } = await server.request(DocumentChunksDocument, { id: ids.document });
      if (filename === 'first.txt') cursors.firstDocument = document?.chunks.edges[0]?.cursor ?? '';
      ids.chunk = document?.chunks.edges[0]?.node.id ?? '';
    }
    await server.request(RegisterToolsDocument, {
      inputs: [{ toolName: 'clock', toolDescription: 'tells the time' }],
    });
    const memoriesBy = async (orderBy?: { field: 'ID' | 'CREATED_AT'; direction: 'ASC' | 'DESC' }) =>
      (await server.request(MemoriesDocument, { orderBy })).memories.edges[0]?.cursor ?? '';
    cursors.memories = await memoriesBy();
    cursors.memoriesById = await memoriesBy({ field: 'ID', direction: 'DESC' });
    cursors.memoriesUpwards = await memoriesBy({ field: 'CREATED_AT', direction: 'ASC' });
    cursors.chunks = (await server.request(ChunksDocument)).chunks.edges[0]?.cursor ?? '';
    cursors.tools = (await server.request(ToolsDocument)).tools.edges[0]?.cursor ?? '';
  });
  afterAll(() => stored.server.close());
}

export const newMemory = (input: object) => ({ input: { content: 'fine', ...input } });
export const memoryChange = (input: object) => () => ({ id: stored.ids.memory, input });
export const newDocument = (input: object) => ({
  input: { filename: 'notes.txt', content: 'fine', ...input },
});
export const documentChange = (input: object) => () => ({ id: stored.ids.document, input });
export const newTool = (input: object) => ({
  inputs: [{ toolName: 'new', toolDescription: 'is new', ...input }],
});
export const file = (bytes: string | Uint8Array) => ({
  content: null,
  contentBase64: Buffer.from(bytes).toString('base64'),
});

/** Returns the name of an operation. */
export const nameOf = (operation: Operation) =>
  /(?:query|mutation) (\w+)/.exec(operation.toString())?.[1] ?? '';
