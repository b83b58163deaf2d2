import DataLoader from 'dataloader';
import { graphql } from 'graphql';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Context, createContext } from '../../../resolvers/context.ts';
import { buildSchema } from '../../../resolvers/schema.ts';
import { EMBEDDING_DIMENSIONS } from '../../../schema/columns/vector.ts';
import type { Services } from '../../../src/services.ts';
import { createMemories } from '../../../src/store/memories.ts';
import { localViewer } from '../../../src/viewer.ts';
import { HashEmbedder } from '../../../testkit/hash-embedder.ts';
import { recordStatements, type Statement } from '../../../testkit/statements.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { sharedChunker } from '../../support/shared-chunker.ts';
import { sharedExtractor } from '../../support/shared-extractor.ts';

const schema = buildSchema();

const fiftyWithNeighbours = `{
  memories(first: 50) { edges { node { id similar(k: 5) { distance memory { id content } } } } }
}`;

describe('searches of one request', () => {
  let db: TestDatabase;
  let services: Services;
  const embedder = new HashEmbedder();

  beforeAll(async () => {
    db = await openTestDatabase();
    services = {
      database: db.pool,
      embedder,
      extractor: sharedExtractor,
      chunker: sharedChunker,
      log: pino({ level: 'silent' }),
    };
    const inputs = Array.from({ length: 60 }, (_, n) => ({
      content: `note ${n} on subject ${n % 7} by author ${n % 5}`,
    }));
    await createMemories(services, localViewer, inputs);
  });
  afterAll(() => db.close());

  async function run(source: string, change: (context: Context) => Context = (context) => context) {
    const { database, statements } = recordStatements(db.pool);
    const [calls, texts] = [embedder.calls, embedder.texts];
    const contextValue = change(createContext({ ...services, database }, localViewer));
    const { data, errors } = await graphql({ schema, source, contextValue });
    expect(errors).toBeUndefined();
    return { data, statements, calls: embedder.calls - calls, texts: embedder.texts - texts };
  }

  const withoutBatching = (context: Context): Context => {
    const { similarMemories } = context.loaders;
    const one = new DataLoader(
      (keys: readonly Parameters<typeof similarMemories.load>[0][]) =>
        Promise.all(keys.map((key) => similarMemories.load(key))),
      { cache: false, maxBatchSize: 1, batchScheduleFn: (callback) => setImmediate(callback) },
    );
    // Each search has a turn of the event loop to itself, as in a resolver that searches by itself.
    let turn: Promise<unknown> = Promise.resolve();
    const load: typeof similarMemories.load = (key) => {
      const result = turn.then(() => one.load(key));
      turn = result;
      return result;
    };
    return {
      ...context,
      loaders: {
        ...context.loaders,
        similarMemories: Object.assign(Object.create(similarMemories), { load }),
      },
    };
  };

  test('fifty memories with five neighbours each cost two statements and no embedding', async () => {
    const { data, statements, calls } = await run(fiftyWithNeighbours);
    expect(statements.map(firstWords)).toEqual([
      expect.stringMatching(/^select/),
      expect.stringMatching(/^select/),
    ]);
    expect(calls).toBe(0);
    const { edges } = (
      data as { memories: { edges: { node: { id: string; similar: { memory: { id: string } }[] } }[] } }
    ).memories;
    expect(edges).toHaveLength(50);
    for (const { node } of edges) {
      expect(node.similar).toHaveLength(5);
      expect(node.similar.map(({ memory }) => memory.id)).not.toContain(node.id);
    }
  });

  test('the same would be seen as 51 statements if each memory searched by itself (control)', async () => {
    const [batched, separate] = [
      await run(fiftyWithNeighbours),
      await run(fiftyWithNeighbours, withoutBatching),
    ];
    expect(separate.statements).toHaveLength(51);
    expect(separate.data).toEqual(batched.data);
  });

  test('fifty memories asked with one text embed it once and search once', async () => {
    const { data, statements, texts } = await run(
      '{ memories(first: 50) { edges { node { id similar(text: "subject 3", k: 5) { memory { id } } } } } }',
    );
    expect(statements).toHaveLength(2);
    expect(texts).toBe(1);
    const { edges } = (
      data as { memories: { edges: { node: { id: string; similar: { memory: { id: string } }[] } }[] } }
    ).memories;
    for (const { node } of edges) {
      expect(node.similar).toHaveLength(5);
      expect(node.similar.map(({ memory }) => memory.id)).not.toContain(node.id);
    }
  });

  test('aliases with twenty texts are one statement, and each gets its own matches', async () => {
    const aliases = Array.from(
      { length: 20 },
      (_, n) => `a${n}: similarMemories(text: "note ${n}", k: 1) { memory { content } }`,
    );
    const { data, statements, texts } = await run(`{ ${aliases.join(' ')} }`);
    expect(statements).toHaveLength(1);
    expect(texts).toBe(20);
    const single = await run('{ similarMemories(text: "note 7", k: 1) { memory { content } } }');
    expect((data as Record<string, unknown>).a7).toEqual(
      (single.data as Record<string, unknown>).similarMemories,
    );
  });

  test('searches with other filters or another k are statements of their own', async () => {
    const { statements } = await run(`{
      a: similarMemories(text: "note 1", k: 2) { score }
      b: similarMemories(text: "note 2", k: 3) { score }
      c: similarMemories(text: "note 3", k: 2, filters: { source: { eq: "chat" } }) { score }
    }`);
    expect(statements).toHaveLength(3);
  });

  test('embeddings leave the database only when they are selected, and then together', async () => {
    const without = await run('{ memories(first: 50) { edges { node { id content } } } }');
    expect(without.statements.map(selected)).not.toContainEqual(
      expect.stringMatching(/"embedding"(?! is null)/),
    );
    const { data, statements } = await run('{ memories(first: 50) { edges { node { embedding } } } }');
    expect(statements).toHaveLength(2);
    const { edges } = (data as { memories: { edges: { node: { embedding: number[] } }[] } }).memories;
    for (const { node } of edges) expect(node.embedding).toHaveLength(EMBEDDING_DIMENSIONS);
  });

  test('totalCount is counted only when it is asked for', async () => {
    expect((await run('{ memories(first: 1) { edges { cursor } } }')).statements).toHaveLength(1);
    const { data, statements } = await run('{ memories(first: 1) { totalCount } }');
    expect(statements).toHaveLength(2);
    expect(data).toEqual({ memories: { totalCount: 60 } });
  });
});

const firstWords = ({ text }: Statement) => text.trim().slice(0, 20);
const selected = ({ text }: Statement) => text.slice(0, text.indexOf(' from '));
