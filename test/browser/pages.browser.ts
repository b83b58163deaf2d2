import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { exampleQueries } from '../../resolvers/examples.ts';
import { type ServedProcess, serve } from '../support/served-process.ts';

const sandboxCdn = /^https:\/\/embeddable-sandbox\.cdn\.apollographql\.com\//;

let browser: Browser;
let server: ServedProcess;
let page: Page;
/** The complaints of the page: errors of its scripts, and what its Content-Security-Policy refused. */
let complaints: string[];

beforeAll(async () => {
  [server, browser] = await Promise.all([
    serve(),
    chromium.launch({
      executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
      args: [
        ...[
          '--no-sandbox',
          '--disable-gpu',
          '--disable-quic',
          '--no-first-run',
          '--disable-background-networking',
        ],
        ...['--disable-component-update', '--disable-sync'],
      ],
    }),
  ]);
});
afterAll(async () => {
  await Promise.all([browser?.close(), server?.stop()]);
});

beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 1300, height: 850 } });
  complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('net::ERR_')) complaints.push(message.text());
  });
});
afterEach(() => page.close());

/**
 * Types a query into a new tab, key by key, and presses the button that runs it until the answer is the expected one: for a moment
 * after the last key GraphiQL still has the name of the operation that the tab before has.
 */
async function run(query: string, expected: RegExp): Promise<void> {
  await page.getByRole('button', { name: 'New tab' }).click();
  await page.locator('.graphiql-query-editor .monaco-editor').first().click();
  await page.keyboard.type(query);
  await page.keyboard.press('Escape'); // The list of completions would take the click.
  const pressed = async () => {
    await page.locator('.graphiql-execute-button').click();
    return answer();
  };
  await expect.poll(pressed, { timeout: 30_000, interval: 500 }).toMatch(expected);
}

/** Returns the text of an editor, which draws spaces as no-break spaces. */
async function shown(selector: string): Promise<string> {
  return (await page.locator(selector).innerText()).replaceAll('\u00a0', ' ');
}

const answer = () => shown('.graphiql-response');

test('without a network / opens GraphiQL, where a typed mutation and a typed search show their results', async () => {
  await page.route(sandboxCdn, (route) => route.abort('internetdisconnected'));
  await page.goto(server.url);
  await page.waitForURL('**/graphiql');
  await page.locator('.graphiql-query-editor .monaco-editor').first().waitFor();

  await run(
    'mutation { createMemories(inputs: [{content: "Ada cannot eat peanuts"}, {content: "The train leaves at nine"}]) { id } }',
    /"createMemories"[\s\S]*"id": "\d+"/,
  );

  await run(
    '{ similarMemories(text: "which food is dangerous for her?", k: 1) { memory { content } } }',
    /"content": "Ada cannot eat peanuts"/,
  );
  expect(complaints).toEqual([]);
});

test('GraphiQL shows the example queries in tabs and the documentation of the schema', async () => {
  await page.goto(`${server.url}/graphiql`);
  await expect.poll(() => shown('.graphiql-query-editor .view-lines')).toContain('mutation FirstMemories {');
  expect(await page.locator('.graphiql-tab').allInnerTexts()).toHaveLength(exampleQueries.length);

  await page
    .getByRole('button', { name: /documentation/i })
    .first()
    .click();
  const documentation = page.locator('.graphiql-doc-explorer');
  await documentation.getByRole('link', { name: 'Query', exact: true }).click();
  await documentation.getByRole('link', { name: 'similarMemories' }).click();
  await expect.poll(() => documentation.innerText()).toMatch(/text[\s\S]*String/);
  expect(complaints).toEqual([]);
});

test('with the CDN / starts its Sandbox on this server, with the examples', async () => {
  // This script replaces the script of the CDN, which cannot be reached offline. It shows the options that it is
  // started with.
  const body = `window.EmbeddedSandbox = class { constructor(options) {
    document.querySelector(options.target).textContent = JSON.stringify(options);
  } };`;
  await page.route(sandboxCdn, (route) => route.fulfill({ contentType: 'text/javascript', body }));
  await page.goto(server.url);
  await page.locator('#sandbox').getByText('initialEndpoint').waitFor();

  const options = JSON.parse(await page.locator('#sandbox').innerText());
  expect(options).toMatchObject({
    initialEndpoint: `${server.url}/graphql`,
    endpointIsEditable: false,
    runTelemetry: false,
  });
  for (const { title } of exampleQueries) expect(options.initialState.document).toContain(`# ${title}`);
  expect(await page.evaluate(() => document.body.innerText)).not.toContain('Opening Apollo Sandbox');
  expect(complaints).toEqual([]);
});

test('when the CDN does not answer / opens GraphiQL after a few seconds', async () => {
  await page.route(sandboxCdn, () => {}); // This request gets no answer.
  await page.goto(server.url, { waitUntil: 'commit' });
  await page.waitForURL('**/graphiql', { timeout: 30_000, waitUntil: 'commit' });
});
