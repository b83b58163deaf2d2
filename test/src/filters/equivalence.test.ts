import { isDeepStrictEqual } from 'node:util';
import { type SQL, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import fc, { type Arbitrary } from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documentChunks, documents, memories, toolEmbeddings } from '../../../schema/index.ts';
import { transaction } from '../../../src/database/transaction.ts';
import { FunesError } from '../../../src/errors.ts';
import {
  compileChunkFilters,
  compileDocumentFilters,
  compileMemoryFilters,
  compileToolFilters,
} from '../../../src/filters/filters.ts';
import { localViewer } from '../../../src/viewer.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import {
  someChunkFilters,
  someDocumentFilters,
  someMemoryFilters,
  someMetadataFilters,
  someToolFilters,
} from './arbitraries.ts';
import { passes, type Row, sense } from './reference.ts';
import { storeDocuments, storeMemories, storeTools } from './rows.ts';

interface Stored {
  table: PgTable & { id: PgColumn };
  rows: Row[];
}

let database: TestDatabase;
let stored: Record<'memories' | 'documents' | 'chunks' | 'tools', Stored>;

beforeAll(async () => {
  database = await openTestDatabase();
  stored = await transaction(database.pool, localViewer, { access: 'write' }, async (tx) => {
    const ofDocuments = await storeDocuments(tx);
    return {
      memories: { table: memories, rows: await storeMemories(tx) },
      documents: { table: documents, rows: ofDocuments.documents },
      chunks: { table: documentChunks, rows: ofDocuments.chunks },
      tools: { table: toolEmbeddings, rows: await storeTools(tx) },
    };
  });
});
afterAll(() => database.close());

type Compile<T> = (filters: T) => SQL | undefined;

const seed = 7;
/** For how many filters one statement looks. */
const batch = 50;

/** The ids of the rows that each of the conditions lets pass, read by one statement. */
async function found({ table }: Stored, conditions: readonly (SQL | undefined)[]): Promise<number[][]> {
  const lists = conditions.map(
    (condition, i) =>
      sql`array(select ${table.id} from ${table} where ${condition ?? sql`true`} order by 1) as ${sql.identifier(`f${i}`)}`,
  );
  const [row] = await transaction(database.pool, localViewer, { access: 'read' }, (tx) =>
    tx.execute<Record<string, string>>(sql`select ${sql.join(lists, sql`, `)}`),
  );
  return conditions.map((_, i) => JSON.parse((row?.[`f${i}`] ?? '').replace('{', '[').replace('}', ']')));
}

function expected({ rows }: Stored, filters: object, options = {}): number[] {
  const passing = rows.filter((row) => passes(row, filters, options));
  return passing.map((row) => Number(row.id)).sort((a, b) => a - b);
}

/** What the compiler says of a filter that it refuses; undefined when it compiles the filter. */
function refusal<T>(compile: Compile<T>, filters: T): string | undefined {
  try {
    compile(filters);
    return undefined;
  } catch (error) {
    if (error instanceof FunesError && error.code === 'BAD_USER_INPUT') return error.message;
    throw error;
  }
}

/** That a filter is refused exactly when a part of it says nothing. */
function expectSense<T extends object>(filters: T, compile: Compile<T>): void {
  const said = refusal(compile, filters);
  if (sense(filters) === 'refused') expect(said).toMatch(/^filters\.\S+ says nothing/);
  else expect(said).toBeUndefined();
}

/** That the two agree on one filter. `options` plants a mistake in the plain evaluation. */
const agreement = <T extends object>(
  of: Stored,
  arbitrary: Arbitrary<T>,
  compile: Compile<T>,
  options = {},
) =>
  fc.asyncProperty(arbitrary, async (filters) => {
    expectSense(filters, compile);
    if (sense(filters) === 'refused') return;
    expect(await found(of, [compile(filters)])).toEqual([expected(of, filters, options)]);
  });

/**
 * Compares the two on arbitrary filters, many in a statement, until `numRuns` filters were compared that are not refused; the
 * others must be refused. Returns the part of the compared filters that told rows apart: on the rest the two may agree by
 * chance.
 */
async function compareOn<T extends object>(
  of: Stored,
  arbitrary: Arbitrary<T>,
  compile: Compile<T>,
  numRuns: number,
): Promise<number> {
  const samples: T[] = [];
  let refused = 0;
  for (const filters of fc.sample(arbitrary, { numRuns: 2 * numRuns, seed })) {
    if (samples.length === numRuns) break;
    expectSense(filters, compile);
    if (sense(filters) === 'refused') refused += 1;
    else samples.push(filters);
  }
  expect(samples).toHaveLength(numRuns);
  expect(refused).toBeGreaterThan(numRuns / 50);
  let telling = 0;
  for (let from = 0; from < numRuns; from += batch) {
    const filters = samples.slice(from, from + batch);
    const wanted = filters.map((each) => expected(of, each));
    const ids = await found(of, filters.map(compile)).catch((error: unknown) => error);
    // One by one, so that the filter at fault is shown, and made as small as it can be.
    if (!isDeepStrictEqual(ids, wanted))
      await fc.assert(agreement(of, arbitrary, compile), { numRuns: 2 * numRuns, seed });
    expect(ids).toEqual(wanted);
    telling += wanted.filter(({ length }) => length > 0 && length < of.rows.length).length;
  }
  return telling / numRuns;
}

describe('the SQL of a filter finds exactly the rows that a plain evaluation of the filter finds', {
  timeout: 120_000,
}, () => {
  test('in memories', async () => {
    expect(await compareOn(stored.memories, someMemoryFilters, compileMemoryFilters, 400)).toBeGreaterThan(
      0.25,
    );
  });

  test('inside the metadata of memories', async () => {
    expect(await compareOn(stored.memories, someMetadataFilters, compileMemoryFilters, 500)).toBeGreaterThan(
      0.25,
    );
  });

  test('in documents', async () => {
    expect(
      await compareOn(stored.documents, someDocumentFilters, compileDocumentFilters, 250),
    ).toBeGreaterThan(0.25);
  });

  test('in chunks, and through them in their documents', async () => {
    expect(await compareOn(stored.chunks, someChunkFilters, compileChunkFilters, 300)).toBeGreaterThan(0.25);
  });

  test('in tools, whose parameters may be NULL', async () => {
    expect(await compareOn(stored.tools, someToolFilters, compileToolFilters, 300)).toBeGreaterThan(0.25);
  });

  test('and a mistake in either would be noticed, and shown as a single condition', async () => {
    const mistaken = agreement(stored.memories, someMemoryFilters, compileMemoryFilters, {
      neSkipsNull: true,
    });
    const outcome = await fc.check(mistaken, { numRuns: 500, seed });
    expect(outcome.failed).toBe(true);
    const counterexample = JSON.stringify(outcome.counterexample);
    expect(counterexample).toMatch(/"(ne|notIn)":/);
    expect(counterexample).not.toMatch(/"(and|or|not)":/);
  });
});
