import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { format } from 'sql-formatter';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { forms, reported, secondPages } from './forms.ts';

// test/sql has the statement that each form of search sends, so that a reviewer sees every change of a statement.
// `npm run sql:update` writes these files.

const folder = join(import.meta.dirname, '../../sql');
describe('the statement of a search', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startTestServer();
    const { errors } = await server.raw(`mutation {
      createMemories(inputs: [{ content: "violin" }, { content: "harbor" }, { content: "violin", source: "chat", metadata: { lang: "en" } }]) { id }
      ingestDocument(input: { filename: "a.md", content: "violin" }) { created }
    }`);
    expect(errors).toBeUndefined();
  });
  afterAll(() => server.close());

  async function ask(query: string): Promise<unknown> {
    const { data, errors } = await server.raw(query);
    expect(errors).toBeUndefined();
    return data;
  }

  async function isCommitted(name: string, query: string): Promise<void> {
    const statements = await server.statementsOf(() => ask(query));
    expect(statements).toHaveLength(query.includes('first: 2') ? 2 : 1);
    const { text, settings } = statements.at(-1) ?? { text: '', settings: '' };
    await expect(`${settings.replaceAll('; ', ';\n')};\n\n${readable(text)}\n`).toMatchFileSnapshot(
      join(folder, `${name}.sql`),
    );
  }

  test.each(Object.entries(forms))('%s is the committed one', (name, fields) =>
    isCommitted(name, `{ ${fields} }`),
  );

  test.each(Object.entries(secondPages))('%s is the committed one', async (name, fields) => {
    const first = JSON.stringify(await ask(`{ page: ${fields.replace(' AFTER', '')} }`));
    const cursor = /"cursor":("[\w-]+")/.exec(first)?.[1];
    await isCommitted(name, `{ page: ${fields.replace(' AFTER', `, after: ${cursor}`)} }`);
  });

  test.each(Object.entries(reported))('%s is the committed one', (name, fields) =>
    isCommitted(name, `query @searchReport { ${fields} }`),
  );

  test('has no file of a form that is gone', () => {
    const known = { ...forms, ...secondPages, ...reported };
    const files = readdirSync(folder).filter((file) => file.endsWith('.sql'));
    expect(files.filter((file) => !(basename(file, '.sql') in known))).toEqual([]);
  });
});

function readable(statement: string): string {
  return `${format(statement, { language: 'postgresql', expressionWidth: 110 })};`;
}
