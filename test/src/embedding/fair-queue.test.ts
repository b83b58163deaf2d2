import { expect, test } from 'vitest';
import { FairQueue } from '../../../src/embedding/fair-queue.ts';

const items = (caller: string, ...weights: number[]) =>
  weights.map((weight, i) => ({ name: `${caller}${i}`, weight }));
const names = (taken: { name: string }[]) => taken.map(({ name }) => name).join(' ');

function queueOf(callers: Record<string, number[]>) {
  const queue = new FairQueue<string, { name: string; weight: number }>();
  for (const [caller, weights] of Object.entries(callers)) queue.add(caller, items(caller, ...weights));
  return queue;
}

test('one take fills the budget from several callers', () => {
  const queue = queueOf({ a: [2, 2], b: [3], c: [1, 9] });
  expect(names(queue.take(8))).toBe('a0 a1 b0 c0');
  expect(queue.weight).toBe(9);
});

test('a caller with much left goes to the back after its turn', () => {
  const queue = queueOf({ book: [5, 5, 5, 5], memory: [1] });
  expect(names(queue.take(10))).toBe('book0 book1');
  expect(names(queue.take(10))).toBe('memory0 book2');
  expect(names(queue.take(10))).toBe('book3');
  expect(queue.empty).toBe(true);
});

test('an item heavier than the budget is taken alone', () => {
  const queue = queueOf({ a: [50, 1] });
  expect(names(queue.take(10))).toBe('a0');
  expect(names(queue.take(10))).toBe('a1');
});

test('what a caller adds later comes after what it added before', () => {
  const queue = queueOf({ a: [1, 1] });
  queue.add('a', [{ name: 'later', weight: 1 }]);
  expect(names(queue.take(10))).toBe('a0 a1 later');
});

test('dropping a caller forgets its items and their weight', () => {
  const queue = queueOf({ a: [4, 4], b: [1] });
  queue.drop('a');
  expect(queue.weight).toBe(1);
  expect(queue.callers()).toEqual(['b']);
  expect(names(queue.take(10))).toBe('b0');
  expect(queue.take(10)).toEqual([]);
});

test('a caller whose item is too heavy for the rest of a take keeps its turn', () => {
  const queue = queueOf({ a: [3], heavy: [8], b: [1] });
  expect(names(queue.take(10))).toBe('a0');
  queue.add('c', items('c', 1));
  expect(names(queue.take(8))).toBe('heavy0');
});

test('nothing is taken of what is too heavy if nothing must be', () => {
  const queue = queueOf({ a: [50] });
  expect(queue.take(10, false)).toEqual([]);
  expect(queue.weight).toBe(50);
});
