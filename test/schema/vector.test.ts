import { sql } from 'drizzle-orm';
import { integer, pgTable } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { halfvec, type VectorInput, vector } from '../../schema/columns/vector.ts';
import type { Transaction } from '../../src/database/transaction.ts';
import { asOwner } from '../../testkit/owner.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';

const table = pgTable('vectors', {
  n: integer('n').notNull(),
  whole: vector('whole', { dimensions: 3 }),
  half: halfvec('half', { dimensions: 3 }),
});

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
  await write((tx) => tx.execute(sql`create table vectors (n int, whole vector(3), half halfvec(3))`));
});
afterAll(() => db.close());

const write = <T>(work: (tx: Transaction) => Promise<T>) => asOwner(db.pool, work);

describe('a vector column', () => {
  test.each<[string, VectorInput]>([
    ['a list of numbers', [0.1, -2, 3e-3]],
    ['a Float32Array', Float32Array.of(0.1, -2, 3e-3)],
  ])('takes %s, and gives 32-bit floats, of halfvec with the precision of 16 bits', async (_, given) => {
    const [row] = await write((tx) =>
      tx.insert(table).values({ n: 1, whole: given, half: given }).returning(),
    );
    expect(row?.whole).toEqual(Float32Array.of(0.1, -2, 3e-3));
    expect(row?.half).toBeInstanceOf(Float32Array);
    for (const [i, value] of [...(row?.half ?? [])].entries()) {
      const wanted = given[i] as number;
      expect(Math.abs(value - wanted)).toBeLessThanOrEqual(Math.abs(wanted) / 1024);
    }
  });

  test('may be NULL', async () => {
    const [row] = await write((tx) => tx.insert(table).values({ n: 2, whole: null }).returning());
    expect(row).toEqual({ n: 2, whole: null, half: null });
  });

  test.each<[string, VectorInput, RegExp]>([
    ['too short', [1, 2], /A vector must have 3 numbers, not 2/],
    ['too long', Float32Array.of(1, 2, 3, 4), /must have 3 numbers, not 4/],
    ['not a number', [1, Number.NaN, 3], /Element 1 of the vector is NaN/],
    ['infinite', [1, 2, Number.NEGATIVE_INFINITY], /Element 2 of the vector is -Infinity/],
  ])('refuses what is %s, and nothing is stored', async (_, given, message) => {
    const before = await write((tx) => tx.$count(table));
    for (const values of [
      { n: 3, whole: given },
      { n: 3, half: given },
    ]) {
      await expect(write(async (tx) => tx.insert(table).values(values))).rejects.toThrow(message);
    }
    expect(await write((tx) => tx.$count(table))).toBe(before);
  });
});
