import type { SQL } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import fc, { type Arbitrary } from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documentChunks, documents, memories, toolEmbeddings } from '../../../schema/index.ts';
import { transaction } from '../../../src/database/transaction.ts';
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
import { passes, type Row } from './reference.ts';
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

async function found({ table }: Stored, condition: SQL | undefined): Promise<number[]> {
  const rows = await transaction(database.pool, localViewer, { access: 'read' }, (tx) =>
    tx.select({ id: table.id }).from(table).where(condition).orderBy(table.id),
  );
  return rows.map(({ id }) => Number(id));
}

function expected({ rows }: Stored, filters: object, options = {}): number[] {
  const passing = rows.filter((row) => passes(row, filters, options) ?? true);
  return passing.map((row) => Number(row.id)).sort((a, b) => a - b);
}

/** Compares SQL and the reference on arbitrary filters. Returns the share of filters that part of the rows pass. */
async function compareOn<T extends object>(
  of: Stored,
  arbitrary: Arbitrary<T>,
  compile: (filters: T) => SQL | undefined,
  numRuns: number,
): Promise<number> {
  let telling = 0;
  await fc.assert(
    fc.asyncProperty(arbitrary, async (filters) => {
      const ids = expected(of, filters);
      expect(await found(of, compile(filters))).toEqual(ids);
      if (ids.length > 0 && ids.length < of.rows.length) telling += 1;
    }),
    { numRuns, seed: 7 },
  );
  return telling / numRuns;
}

// Each test sends hundreds of queries, which take a busy machine a while.
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
    const outcome = await fc.check(
      fc.asyncProperty(someMemoryFilters, async (filters) => {
        const mistaken = expected(stored.memories, filters, { neSkipsNull: true });
        expect(await found(stored.memories, compileMemoryFilters(filters))).toEqual(mistaken);
      }),
      { numRuns: 500, seed: 7 },
    );
    expect(outcome.failed).toBe(true);
    const counterexample = JSON.stringify(outcome.counterexample);
    expect(counterexample).toMatch(/"(ne|notIn)":/);
    expect(counterexample).not.toMatch(/"(and|or|not)":/);
  });
});
