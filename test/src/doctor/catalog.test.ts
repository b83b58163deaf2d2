import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { catalogText, recordCatalog } from '../../../build/catalog.ts';
import { catalogFile, expectedCatalog, readCatalog } from '../../../src/doctor/catalog.ts';
import { readMigrationState } from '../../../src/doctor/migrations.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { queryOn } from './support.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await openTestDatabase({ empty: true });
});
afterAll(() => database.close());

test('drizzle/catalog.json is what the migrations make, on any version of PostgreSQL (else: npm run catalog)', async () => {
  const committed = readFileSync(catalogFile, 'utf8');
  expect(catalogText(await recordCatalog(database.pool))).toBe(committed);
});

test('with all migrations, the file has exactly what the database has', async () => {
  const found = await queryOn(database.pool, (query) => readCatalog(query));
  const { applied } = await queryOn(database.pool, readMigrationState);
  const expected = expectedCatalog(applied);
  const key = ({ kind, table, name, definition }: (typeof found)[number] | (typeof expected)[number]) =>
    `${kind} ${table} ${name}: ${definition}`;
  expect(found.map(key).sort()).toEqual(expected.map(key).sort());
  expect(found.every(({ valid }) => valid)).toBe(true);
});
