import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientOf } from '../../demo/client.ts';
import { readDocuments } from '../../demo/documents.ts';
import { loadDocuments, loadMemories, loadTools } from '../../demo/load.ts';
import { demoQueries, exampleQueries } from '../../resolvers/examples.ts';
import { settingNames } from '../../src/config.ts';
import type { Embedder } from '../../src/embedding/embedder.ts';
import { startRealEmbedder } from '../support/real-embedder.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const file = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const readme = file('README.md');

/** The queries of the README, each with the answer that stands below it, in their order. */
const examples = [...readme.matchAll(/^```graphql\n(.*?)^```\n\n(?:[^`\n]*\n\n)?```json\n(.*?)^```$/gms)].map(
  ([, query = '', answer = '']) => ({ query, answer: JSON.parse(answer) as object }),
);

let embedder: Embedder;
let server: TestServer;

beforeAll(async () => {
  embedder = await startRealEmbedder();
  server = await startTestServer(embedder);
  const client = clientOf(`${server.url}/graphql`);
  await loadMemories(client);
  await loadTools(client);
  // Those that the README's answers come from; the others are farther from what it asks.
  const named = (await readDocuments()).filter(({ filename }) => readme.includes(filename));
  expect(named.length).toBeGreaterThan(1);
  await loadDocuments(client, named, () => {});
}, 120_000);

afterAll(async () => {
  await server.close();
  await embedder.close();
});

/** What an answer must be: numbers that are computed may differ in the last digits from machine to machine. */
function expectation(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? value : expect.closeTo(value, 4);
  if (Array.isArray(value)) return value.map(expectation);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, expectation(field)]));
}

describe('the README', () => {
  it('shows an answer to every query', () => {
    expect(examples).toHaveLength([...readme.matchAll(/^```graphql$/gm)].length);
    expect(examples.length).toBeGreaterThan(8);
  });

  it('begins with the query that the server prints, and shows one of the demo', () => {
    expect(examples[0]?.query.trim()).toBe(exampleQueries[0]?.query);
    expect(examples[1]?.query.trim()).toBe(demoQueries.recall.query);
  });

  it('shows the answers that its queries get', { timeout: 60_000 }, async () => {
    for (const { query, answer } of examples) {
      const { status: _status, errors, ...rest } = await server.raw(query);
      const told = errors?.map(({ message, extensions }) => ({ message, extensions }));
      expect({ ...rest, ...(told && { errors: told }) }, query).toEqual(expectation(answer));
    }
  });

  it('lists every setting, as does .env.example', () => {
    const listed = [...readme.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name);
    expect(listed.sort()).toEqual([...settingNames].sort());
    const example = file('.env.example');
    for (const name of settingNames) expect(example).toMatch(new RegExp(`^# ${name}=`, 'm'));
  });

  it('shows each default of a setting as .env.example has it', () => {
    const defaults = [...readme.matchAll(/^\| `([A-Z_]+)` \| (?:`([^`]*)`)? ?\|/gm)];
    expect(defaults).toHaveLength(settingNames.length);
    const example = file('.env.example');
    for (const [, name = '', value = ''] of defaults) {
      if (name !== 'DATABASE_URL') expect(example).toMatch(new RegExp(`^# ${name}=${value}$`, 'm'));
    }
  });
});
