import { expect, test } from 'vitest';
import { readMem0 } from '../../../../src/transfer/formats/mem0.ts';
import { read, readUntilError, summary } from './read.ts';

const vegetarian = {
  id: '892db2ae-06d9-49e5-8b3e-585ef9b85b8e',
  memory: 'Is a vegetarian',
  hash: 'd35a4b2c',
  metadata: { category: 'food', weight: 0.5 },
  created_at: '2024-07-20T01:30:36.275141-07:00',
  updated_at: null,
  user_id: 'alice',
  agent_id: 'cook',
  run_id: 'run-7',
};

const record = {
  kind: 'memory',
  userId: 'alice',
  content: 'Is a vegetarian',
  createdAt: '2024-07-20T08:30:36.275141Z',
  sessionId: 'run-7',
  source: 'mem0',
  metadata: {
    category: 'food',
    weight: 0.5,
    mem0: { id: vegetarian.id, hash: 'd35a4b2c', agent_id: 'cook' },
  },
};

test('reads an object with results, also with other lists in it', async () => {
  const file = { count: 1, relations: [{ memory: 'none' }], results: [vegetarian], next: null };
  expect(await read(readMem0, JSON.stringify(file, null, 2), 7)).toEqual([
    { ...record, inputPath: 'results[0]' },
  ]);
});

test('reads a bare list', async () => {
  expect(await read(readMem0, JSON.stringify([vegetarian]))).toEqual([{ ...record, inputPath: '[0]' }]);
});

test('nothing to import is no error', async () => {
  expect(await read(readMem0, '{"results": []}')).toEqual([]);
  expect(await read(readMem0, '[]')).toEqual([]);
});

test('what is wrong with one memory leaves the others', async () => {
  const file = `{"results": [
    {"id": 1, "memory": "  "},
    {"id": 2, "text": "no memory"},
    {"id": 3, "memory": "a", "metadata": {"list": [{"order": 1234567890123456789}]}},
    {"id": 4, "memory": "b", "metadata": {"size": 1e400}},
    {"id": 5, "memory": "c", "metadata": "text"},
    {"id": 6, "memory": "d", "created_at": "20.7.2024"},
    {"id": 7, "memory": "e", "metadata": {"order": 9007199254740991}, "user_id": 42}
  ]}`;
  const records = await read(readMem0, file);
  expect(summary(records)).toEqual([
    'leftOut results[0]: has no text',
    'failed results[1]: results[1] is no memory of mem0: it has no field "memory".',
    'failed results[2]: results[2].metadata.list[0].order has the number 1234567890123456789, which would become ' +
      '1234567890123456800. Write it as a string.',
    'failed results[3]: results[3].metadata.size has the number 1e400, which is beyond 1.8e308. Write it as a string.',
    'failed results[4]: results[4].metadata is not an object.',
    'failed results[5]: results[5].created_at is no time: "20.7.2024". Times are like 2024-05-01, ' +
      '2024-05-01T12:00:00.5Z, or seconds since 1970.',
    'e',
  ]);
  expect(records.at(-1)).toMatchObject({
    userId: '42',
    metadata: { order: 9007199254740991, mem0: { id: 7 } },
  });
});

test.each([
  ['{"memories": []}', 'The file has no mem0 memories: it is an object without a list "results".'],
  [
    '{"results": {"memory": "a"}}',
    'The file has no mem0 memories: it is an object without a list "results".',
  ],
  ['{"results": [{"memory": "a"}', 'The file ends too early, behind results[0]: the rest of it is missing.'],
  ['{"results": [{"memory": "a"},]}', 'The file is not valid JSON in results[1]: unexpected "]" at byte 29.'],
])('%s is refused', async (file, message) => {
  expect((await readUntilError(readMem0, file)).message).toBe(message);
});
