import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clientOf } from '../../demo/client.ts';
import { readDocuments } from '../../demo/documents.ts';
import { loadDocuments, loadMemories, loadTools } from '../../demo/load.ts';
import { demoQueries, exampleQueries } from '../../resolvers/examples.ts';
import type { Embedder } from '../../src/embedding/embedder.ts';
import { startRealEmbedder } from '../support/real-embedder.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const page = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const readme = page('README.md');
const api = page('docs/api.md');

interface Example {
  query: string;
  variables?: object;
  headers?: Record<string, string>;
  answer: object;
}

/** Returns the code blocks of a page: their languages and contents, and whether an answer follows. */
function blocksOf(text: string) {
  const blocks = [...text.matchAll(/^```(\w+)\n((?:(?!^```).*\n)*)^```$/gm)];
  return blocks.map(([, language = '', content = ''], i) => ({
    language,
    content,
    answer: blocks[i + 1]?.[1] === 'json' ? blocks[i + 1]?.[2] : undefined,
  }));
}

/** Returns the queries of a page, in GraphQL or in a curl command, each with the answer below it. */
function examplesOf(text: string): Example[] {
  return blocksOf(text).flatMap(({ language, content, answer = 'null' }) => {
    const sent = language === 'graphql' ? { query: content } : bodyOf(content);
    return sent ? [{ ...sent, answer: JSON.parse(answer) as object }] : [];
  });
}

/** Returns the request that a curl command sends. */
function bodyOf(command: string): Omit<Example, 'answer'> | undefined {
  const body = /^curl .*? -d '(.*?)'$/ms.exec(command)?.[1];
  const headers = [...command.matchAll(/ -H '([^:]+): ([^']*)'/g)].map(([, name, value]) => [name, value]);
  return body === undefined ? undefined : { ...JSON.parse(body), headers: Object.fromEntries(headers) };
}

let embedder: Embedder;
let server: TestServer;

/** Sends an example and compares its answer. Of an error, the pages show the message and the code. */
async function check({ query, variables, headers, answer }: Example): Promise<void> {
  const { status: _status, errors, ...rest } = await server.raw(query, variables, headers);
  const told = errors?.map(({ message, extensions }) => ({ message, extensions }));
  expect({ ...rest, ...(told && { errors: told }) }, query).toEqual(expectation(answer));
}

/**
 * Returns what an answer must be. Computed numbers may differ in their last digits from machine to machine. Times may
 * differ.
 */
function expectation(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? value : expect.closeTo(value, 4);
  if (Array.isArray(value)) return value.map(expectation);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      name === 'tookMs' ? expect.any(Number) : expectation(field),
    ]),
  );
}

beforeAll(async () => {
  embedder = await startRealEmbedder();
  server = await startTestServer({ embedder });
});

afterAll(async () => {
  await server.close();
  await embedder.close();
});

describe('the pages', () => {
  test.each([
    ['README.md', readme],
    ['docs/api.md', api],
  ])('%s shows an answer to every query', (_, text) => {
    const queries = blocksOf(text).filter(
      ({ language, content }) => language === 'graphql' || /^curl /m.test(content),
    );
    expect(queries.filter(({ answer }) => answer === undefined)).toEqual([]);
    expect(examplesOf(text)).toHaveLength(queries.length);
    const answers = blocksOf(text).filter(({ language }) => language === 'json');
    expect(answers).toHaveLength(queries.length);
  });

  test('README.md begins with the query that the server prints, and shows one of the demo', () => {
    const [first, , third] = examplesOf(readme);
    expect(first?.query.trim()).toBe(exampleQueries[0]?.query);
    expect(third?.query.trim()).toBe(demoQueries.recall.query);
  });
});

// The tests need this order, as the pages do: the first queries, then the demo, then all of docs/api.md.
describe('the examples', () => {
  test('of README.md before the demo get the answers that are shown', async () => {
    for (const example of examplesOf(readme).slice(0, 2)) await check(example);
  });

  test('of README.md after the demo get the answers that are shown', { timeout: 120_000 }, async () => {
    const client = clientOf(`${server.url}/graphql`);
    await loadMemories(client);
    await loadTools(client);
    // The answers come from these documents. The others are farther from the queries.
    const named = (await readDocuments()).filter(({ filename }) => api.includes(filename));
    expect(named.length).toBeGreaterThan(1);
    await loadDocuments(client, named, () => {});
    for (const example of examplesOf(readme).slice(2)) await check(example);
  });

  test('of docs/api.md get the answers that are shown', async () => {
    for (const example of examplesOf(api)) await check(example);
  });

  test.each([
    ['as it stands', (loop: string) => loop, 'all'],
    [
      'with diversity',
      (loop: string) => loop.replace('mode: HYBRID', 'mode: HYBRID, diversity: 0.5'),
      'one page',
    ],
  ])('of a loop over the pages of a search ends, %s', async (_, change, expected) => {
    const loops = blocksOf(api).filter(({ language }) => language === 'js');
    expect(loops).toHaveLength(1);
    const shown: string[][] = [];
    const show = (matches: { memory: { content: string } }[]) =>
      void shown.push(matches.map(({ memory }) => memory.content));
    const send = async (query: string, variables: object) => {
      const { data, errors } = await server.raw(query, variables);
      expect(errors).toBeUndefined();
      if (shown.length > 10) throw new Error('The loop does not end.');
      return data;
    };
    const loop = change(loops[0]?.content ?? '');
    await Object.getPrototypeOf(send).constructor('send', 'show', loop)(send, show);

    const { memories } = (await send('{ memories(first: 200) { edges { node { content } } } }', {})) as {
      memories: { edges: { node: { content: string } }[] };
    };
    const all = memories.edges.map(({ node }) => node.content);
    expect(all.length).toBeGreaterThan(40);
    if (expected === 'all') expect(shown.flat().sort()).toEqual(all.sort());
    else expect(shown.map(({ length }) => length)).toEqual([20]);
  });
});
