import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HashEmbedder, hashVector } from '../../../testkit/hash-embedder.ts';
import {
  CountToolsDocument,
  DeleteToolDocument,
  RecordToolUseDocument,
  type RegisterToolInput,
  RegisterToolsDocument,
  SimilarToolsDocument,
  ToolDocument,
  ToolEmbeddingDocument,
  ToolNeighboursDocument,
  ToolsDocument,
} from '../../generated/operations.ts';
import { cosine } from '../../support/real-embedder.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
const embedder = new HashEmbedder();

beforeAll(async () => {
  server = await startTestServer({ embedder });
});
beforeEach(() => server.sql('delete from tool_embeddings'));
afterAll(() => server.close());

const register = async (...inputs: RegisterToolInput[]) =>
  (await server.request(RegisterToolsDocument, { inputs })).registerTools;
const read = async (name: string) => (await server.request(ToolDocument, { name })).tool;
const recordUse = async (name: string) =>
  (await server.request(RecordToolUseDocument, { name })).recordToolUse;

const schema = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer', default: 3 } },
  required: ['city'],
};
const weather = {
  toolName: 'get_weather',
  toolDescription: 'Forecasts the weather of a city',
  toolParameters: schema,
};
const mail = { toolName: 'sendMail', toolDescription: 'Sends a letter by mail' };

describe('registerTools', () => {
  test('stores every field, and gives the tools in the order of the inputs as a later query does', async () => {
    const tools = await register(mail, weather);
    expect(tools).toMatchObject([
      { ...mail, toolParameters: null, usageCount: 0, lastUsed: null, embeddingStatus: 'READY' },
      { ...weather, usageCount: 0, lastUsed: null, embeddingModel: embedder.model },
    ]);
    expect(await read('sendMail')).toEqual(tools[0]);
    expect(await read('get_weather')).toEqual(tools[1]);
  });

  test('of a name that is taken keeps id, usage and creation, replaces the rest, and renews updatedAt', async () => {
    const [first] = await register(weather);
    await recordUse(weather.toolName);
    const used = await recordUse(weather.toolName);
    await server.sql(`update tool_embeddings set updated_at = '2001-01-01'`);
    const [second] = await register({ toolName: weather.toolName, toolDescription: 'Measures rain' });
    expect(second).toEqual({
      ...first,
      toolDescription: 'Measures rain',
      toolParameters: null,
      usageCount: 2,
      lastUsed: used.lastUsed,
      updatedAt: second?.updatedAt,
    });
    expect(Date.parse(second?.updatedAt ?? '')).toBeGreaterThan(Date.parse('2002-01-01'));
    expect((await server.request(CountToolsDocument)).tools.totalCount).toBe(1);
  });

  test('embeds the name and the description, anew when the description changes', async () => {
    const vectorOf = async () =>
      (await server.request(ToolEmbeddingDocument, { name: mail.toolName })).tool?.embedding ?? [];
    await register(mail);
    expect(cosine(await vectorOf(), hashVector('sendMail sends a letter by mail'))).toBeCloseTo(1, 5);
    await register({ ...mail, toolDescription: 'Delivers parcels' });
    expect(cosine(await vectorOf(), hashVector('sendMail delivers parcels'))).toBeCloseTo(1, 5);
  });

  test('of the same tools in two orders by several agents at once never fails', async () => {
    const batch = Array.from({ length: 100 }, (_, i) => ({
      toolName: `tool ${i}`,
      toolDescription: `version of ${i}`,
    }));
    const agents = Array.from({ length: 6 }, (_, i) => (i % 2 === 0 ? batch : batch.toReversed()));
    const answers = await Promise.all(agents.map((inputs) => register(...inputs)));
    for (const [i, tools] of answers.entries())
      expect(tools.map(({ toolName }) => toolName)).toEqual(agents[i]?.map(({ toolName }) => toolName));
    expect((await server.request(CountToolsDocument)).tools.totalCount).toBe(100);
  });

  test('of nothing gives nothing', async () => {
    expect(await register()).toEqual([]);
  });

  test('tells names apart that differ in case, accents or blanks', async () => {
    const names = ['Clock', 'clock', 'clóck', 'clock ', ' clock'];
    const tools = await register(
      ...names.map((toolName) => ({ toolName, toolDescription: 'tells the time' })),
    );
    expect(new Set(tools.map(({ id }) => id)).size).toBe(names.length);
    for (const name of names) expect((await read(name))?.toolName).toBe(name);
  });
});

describe('recordToolUse', () => {
  test('counts one use, and notes when', async () => {
    const [created] = await register(mail);
    await server.sql(`update tool_embeddings set updated_at = '2001-01-01'`);
    const used = await recordUse(mail.toolName);
    expect(used).toEqual({ ...created, usageCount: 1, lastUsed: used.lastUsed, updatedAt: used.updatedAt });
    expect(Date.parse(used.lastUsed ?? '')).toBeGreaterThanOrEqual(Date.parse(created?.createdAt ?? ''));
    expect(used.updatedAt).toBe(used.lastUsed);
  });

  test('twenty times at once counts twenty', async () => {
    await register(mail, weather);
    await Promise.all(Array.from({ length: 20 }, () => recordUse(mail.toolName)));
    expect(await read(mail.toolName)).toMatchObject({ usageCount: 20 });
    expect(await read(weather.toolName)).toMatchObject({ usageCount: 0 });
  });
});

describe('deleteTool', () => {
  test('deletes the tool, and tells whether it was there', async () => {
    await register(mail, weather);
    expect(await server.request(DeleteToolDocument, { name: mail.toolName })).toEqual({ deleteTool: true });
    expect(await read(mail.toolName)).toBeNull();
    expect(await server.request(DeleteToolDocument, { name: mail.toolName })).toEqual({ deleteTool: false });
    expect((await read(weather.toolName))?.toolName).toBe(weather.toolName);
  });

  test('lets the name be registered as a new tool', async () => {
    const [before] = await register(mail);
    await recordUse(mail.toolName);
    await server.request(DeleteToolDocument, { name: mail.toolName });
    const [after] = await register(mail);
    expect(after).toMatchObject({ usageCount: 0, lastUsed: null });
    expect(after?.id).not.toBe(before?.id);
  });
});

describe('tools', () => {
  test('are found by filters on each kind of field', async () => {
    await register(mail, weather);
    await recordUse(mail.toolName);
    const names = async (filters: object) =>
      (await server.request(ToolsDocument, { filters })).tools.edges.map(({ node }) => node.toolName);
    expect(await names({})).toEqual(['get_weather', 'sendMail']);
    expect(await names({ usageCount: { gt: 0 } })).toEqual(['sendMail']);
    expect(await names({ lastUsed: { eq: null } })).toEqual(['get_weather']);
    expect(await names({ toolParameters: { contains: { required: ['city'] } } })).toEqual(['get_weather']);
    expect(
      await names({
        toolParameters: { at: [{ path: ['properties', 'days', 'default'], number: { lte: 3 } }] },
      }),
    ).toEqual(['get_weather']);
    expect(await names({ not: { toolName: { startsWith: 'get_' } } })).toEqual(['sendMail']);
    expect(
      await names({ or: [{ toolName: { eq: 'x' } }, { toolDescription: { contains: 'letter' } }] }),
    ).toEqual(['sendMail']);
    expect(await names({ embeddingStatus: { eq: 'PENDING' } })).toEqual([]);
  });
});

describe('similarTools and Tool.similar', () => {
  const tools = [
    weather,
    { ...mail, toolName: 'mail' },
    { toolName: 'postcard.v2', toolDescription: 'Prints a postcard of a city' },
    { toolName: 'climate', toolDescription: 'Compares the climate of a city with the weather' },
  ];
  const textOf = ({ toolName, toolDescription }: RegisterToolInput) => `${toolName} ${toolDescription}`;
  const nearestTo = (vector: ArrayLike<number>, from = tools) =>
    from
      .map((tool) => ({ name: tool.toolName, distance: 1 - cosine(vector, hashVector(textOf(tool))) }))
      .sort((a, b) => a.distance - b.distance);
  const shown = (matches: { tool: { toolName: string }; distance: number }[]) =>
    matches.map(({ tool, distance }) => ({ name: tool.toolName, distance }));
  const close = (list: { name: string; distance: number }[]) =>
    list.map(({ name, distance }) => ({ name, distance: expect.closeTo(distance, 5) }));

  test('give the k nearest to a text or a vector', async () => {
    await register(...tools);
    const text = 'the weather of a city';
    const byText = await server.request(SimilarToolsDocument, { text, k: 3 });
    expect(shown(byText.similarTools)).toEqual(close(nearestTo(hashVector(text)).slice(0, 3)));
    const byVector = await server.request(SimilarToolsDocument, { vector: [...hashVector(text)], k: 3 });
    expect(byVector).toEqual(byText);
    for (const { distance, similarity, score } of byText.similarTools) {
      expect(similarity).toBeCloseTo(1 - distance, 12);
      expect(score).toBe(similarity);
    }
  });

  test('give the nearest to a tool itself, never it, and with a text the nearest to that', async () => {
    await register(...tools);
    const others = tools.slice(1);
    const own = await server.request(ToolNeighboursDocument, { name: weather.toolName, k: 3 });
    expect(shown(own.tool?.similar ?? [])).toEqual(close(nearestTo(hashVector(textOf(weather)), others)));
    const text = 'Prints a letter, sends a postcard';
    const near = await server.request(ToolNeighboursDocument, { name: weather.toolName, text, k: 3 });
    expect(shown(near.tool?.similar ?? [])).toEqual(close(nearestTo(hashVector(text), others)));
  });

  test('take filters and options', async () => {
    await register(...tools);
    const text = 'the weather of a city';
    const filters = { toolParameters: { at: [{ path: ['type'], exists: true }] } };
    const filtered = await server.request(SimilarToolsDocument, { text, filters });
    expect(filtered.similarTools.map(({ tool }) => tool.toolName)).toEqual(['get_weather']);
    const euclidean = nearestTo(hashVector(text)).map(({ name, distance }) => ({
      name,
      distance: Math.sqrt(2 * distance),
    }));
    const maxDistance = ((euclidean[1]?.distance ?? 0) + (euclidean[2]?.distance ?? 0)) / 2;
    const { similarTools } = await server.request(SimilarToolsDocument, {
      text,
      options: { metric: 'EUCLIDEAN', maxDistance },
    });
    expect(shown(similarTools)).toEqual(close(euclidean.slice(0, 2)));
    for (const { distance, similarity } of similarTools)
      expect(similarity).toBeCloseTo(1 / (1 + distance), 12);
  });
});
