import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { format } from 'sql-formatter';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_USER } from '../../../schema/columns/common.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { forms, reported, secondPages } from './forms.ts';

// test/sql has the statement that each form of search sends, so that a reviewer sees every change of a statement.
// test/sql/user has those of some forms as a user sends them. `npm run sql:update` writes these files.

const folder = join(import.meta.dirname, '../../sql');

/** Forms whose statement differs for a user. */
const ofUser = ['nearest', 'nearest-filtered', 'keyword', 'documents-by-best-chunk-hybrid'];

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

  async function ask(query: string, headers: Record<string, string> = {}): Promise<unknown> {
    const { data, errors } = await server.raw(query, {}, headers);
    expect(errors).toBeUndefined();
    return data;
  }

  async function isCommitted(
    name: string,
    query: string,
    headers: Record<string, string> = {},
  ): Promise<void> {
    const statements = await server.statementsOf(() => ask(query, headers));
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

  test.each(ofUser)('%s of a user is the committed one', (name) =>
    isCommitted(join('user', name), `{ ${forms[name]} }`, { 'x-funes-user': DEFAULT_USER }),
  );

  test('has no file of a form that is gone', () => {
    const known = { ...forms, ...secondPages, ...reported };
    const filesIn = (...path: string[]) =>
      readdirSync(join(folder, ...path)).flatMap((file) =>
        file.endsWith('.sql') ? basename(file, '.sql') : [],
      );
    expect(filesIn().filter((name) => !(name in known))).toEqual([]);
    expect(filesIn('user').sort()).toEqual([...ofUser].sort());
  });
});

function readable(statement: string): string {
  return `${format(statement, { language: 'postgresql', expressionWidth: 110 })};`;
}
