import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ChunkResolver } from '../../resolvers/chunk/chunk-resolver.ts';
import { MemoryResolver } from '../../resolvers/memory/memory-resolver.ts';
import { buildSchema } from '../../resolvers/schema.ts';
import { ToolResolver } from '../../resolvers/tool/tool-resolver.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { type FuzzReport, fuzz } from './fuzz.ts';

// Operations made from the schema. `npm run test:fuzz -- 20000` sends more of them, FUZZ_SEED other ones.

const operations = Number(process.env.FUZZ_OPERATIONS ?? 1000);
const seed = Number(process.env.FUZZ_SEED ?? 20_261);
const schema = buildSchema();
let server: TestServer;

beforeEach(async () => {
  server = await startTestServer();
  // Something to find from the beginning.
  const { errors } = await server.raw(
    `mutation ($content: String!, $tools: [RegisterToolInput!]!) {
      createMemories(inputs: [
        { content: "the walnut train", sessionId: "talk-1", metadata: { turn: 1, tags: ["cello"] } }
        { content: "coffee in Lisbon", sessionId: "talk-1", userId: "ana", importanceScore: 0.9 }
        { content: "the passport of the orchid", sessionId: "talk-1", userId: "李小龍" }
      ]) { id }
      old: createMemories(inputs: [{ content: "an old cello" }, { content: "an old train" }, { content: "an old orchid" }]) { id }
      archiveMemories(input: { filters: { content: { startsWith: "an old" } }, dryRun: false }) { count }
      ingestDocument(input: { filename: "start.md", content: $content, chunkSize: 16, overlap: 4 }) { chunkCount }
      registerTools(inputs: $tools) { id }
    }`,
    {
      content: 'The train to Lisbon carries coffee, a cello and a passport. '.repeat(6),
      tools: ['train', 'coffee', 'cello'].map((name) => ({
        toolName: name,
        toolDescription: `Finds ${name}.`,
      })),
    },
  );
  expect(errors).toBeUndefined();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await server.close();
});

const send = (count: number): Promise<FuzzReport> =>
  fuzz({ schema, post: (query, variables) => server.raw(query, variables), operations: count, seed });

test(`${operations} operations do not fail the server, and reach all of the schema`, async () => {
  const report = await send(operations);
  const share = report.withoutError / report.operations;
  console.log(
    `seed ${seed}: ${report.operations} operations, ${(share * 100).toFixed(1)} % answered without an error; ` +
      `${report.members - report.missing.length} of ${report.members} members of the schema reached, ` +
      `all but ${report.unanswered.length} without an error (${report.unanswered.join(', ')}); ` +
      `errors: ${JSON.stringify(report.codes)}`,
  );
  expect(report.missing).toEqual([]);
  expect(report.operations).toBe(operations);
  expect(share).toBeGreaterThanOrEqual(0.6);
}, 0);

describe('a bug in a resolver is found', () => {
  const found = expect.objectContaining({ message: expect.stringContaining('INTERNAL_SERVER_ERROR') });

  test('that throws for one value of an argument', async () => {
    const memories = MemoryResolver.prototype.memories;
    vi.spyOn(MemoryResolver.prototype, 'memories').mockImplementation(function (
      this: MemoryResolver,
      ...args
    ) {
      if (JSON.stringify(args).includes('"importanceScore"')) throw new TypeError('planted');
      return memories.apply(this, args);
    });
    await expect(send(operations)).rejects.toEqual(found);
  }, 0);

  test('that returns null where the schema says there is something', async () => {
    vi.spyOn(ChunkResolver.prototype, 'document').mockResolvedValue(null as never);
    await expect(send(operations)).rejects.toEqual(found);
  }, 0);

  test('that stands in a mutation, and shows at the second time only', async () => {
    const recordToolUse = ToolResolver.prototype.recordToolUse;
    vi.spyOn(ToolResolver.prototype, 'recordToolUse').mockImplementation(async function (
      this: ToolResolver,
      ...args
    ) {
      const tool = await recordToolUse.apply(this, args);
      if (tool.usageCount > 1) throw new RangeError('planted');
      return tool;
    });
    await expect(send(operations)).rejects.toEqual(found);
  }, 0);
});
