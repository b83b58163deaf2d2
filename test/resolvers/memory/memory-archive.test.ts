import { beforeEach, describe, expect, test } from 'vitest';
import { EMBEDDING_DIMENSIONS } from '../../../schema/columns/vector.ts';
import {
  ArchiveMemoriesDocument,
  type ArchiveMemoriesInput,
  ArchiveMemoriesWithNeighboursDocument,
  CreateMemoriesDocument,
  type CreateMemoryInput,
  DeleteMemoriesDocument,
  MemoriesDocument,
  MemoryDocument,
  MemoryNeighboursDocument,
  RecallDocument,
  RestoreMemoriesDocument,
  type SearchOptions,
  SimilarMemoriesDocument,
  UpdateMemoryDocument,
} from '../../generated/operations.ts';
import { type Case, refuses, stored, storeRows } from '../wrong-input/refusals.ts';

storeRows();

/** Each test has a session of its own, so that no test archives memories of another. */
let sessionId = '';
let sessions = 0;
beforeEach(() => {
  sessionId = `session ${++sessions}`;
});

async function create(...inputs: (string | CreateMemoryInput)[]) {
  const { createMemories } = await stored.server.request(CreateMemoriesDocument, {
    inputs: inputs.map((input) => ({
      sessionId,
      ...(typeof input === 'string' ? { content: input } : input),
    })),
  });
  return createMemories as [(typeof createMemories)[0], ...typeof createMemories];
}
const archive = async (input: Partial<ArchiveMemoriesInput> = {}) => {
  const filters = { sessionId: { eq: sessionId } };
  const all = { dryRun: false, filters, ...input };
  return (await stored.server.request(ArchiveMemoriesDocument, { input: all })).archiveMemories;
};
const restore = async (...ids: string[]) =>
  (await stored.server.request(RestoreMemoriesDocument, { ids })).restoreMemories;
const read = async (id: string) => (await stored.server.request(MemoryDocument, { id })).memory;
/** Returns the contents of the memories of the session that lists show, in the order in which they were stored. */
const listed = async () => {
  const { memories } = await stored.server.request(MemoriesDocument, {
    first: 200,
    filters: { sessionId: { eq: sessionId } },
    orderBy: { field: 'ID', direction: 'ASC' },
  });
  return memories.edges.map(({ node }) => node.content);
};
/** Returns all rows of the session in a table, digit by digit. */
const rowsOf = async (table: 'memories' | 'memories_archive') =>
  (
    await stored.server.sql<{ row: string }>(
      `select t::text as row from ${table} t where session_id = $1 order by id`,
      [sessionId],
    )
  ).map(({ row }) => row);
const idsIn = (memories: { id: string }[]) => memories.map(({ id }) => id);
/** Stores a memory whose key an archived memory has, as versions did that did not look into the archive. */
const storeWithKey = async (content: string, idempotencyKey: string) => {
  const [row] = await stored.server.sql<{ id: string }>(
    'insert into memories (content, session_id, idempotency_key) values ($1, $2, $3) returning id::text',
    [content, sessionId, idempotencyKey],
  );
  return row as { id: string };
};
const setCreatedAt = (id: string, time: string) =>
  stored.server.sql('update memories set created_at = $2::text::timestamptz where id = $1', [id, time]);

describe('archiveMemories', () => {
  test('is a dry run unless told otherwise: counts and shows them, and changes nothing', async () => {
    const created = await create('first', 'second', 'third');
    const before = await stored.server.contents();
    const filters = { sessionId: { eq: sessionId } };
    const { archiveMemories } = await stored.server.request(ArchiveMemoriesDocument, { input: { filters } });
    expect(archiveMemories).toEqual({ count: 3, sample: created });
    expect(await archive({ dryRun: true })).toEqual(archiveMemories);
    expect(await stored.server.contents()).toEqual(before);
    expect(await archive()).toEqual(archiveMemories);
  });

  test('moves all that is stored of a memory, and notes when', async () => {
    const [{ id }] = await create({
      content: 'with everything',
      contentSummary: 'all',
      source: 'notes',
      userId: 'ada',
      importanceScore: 0.1 + 0.2,
      metadata: { a: [1, { b: null }] },
      idempotencyKey: 'ada/all',
    });
    await setCreatedAt(id, '2020-02-29 12:34:56.123456+00');
    const columns =
      'id, user_id, content, content_summary, embedding, embedding_model, source, session_id, importance_score, ' +
      'metadata, idempotency_key, created_at, updated_at';
    const stillLive = await stored.server.sql(`select row(${columns})::text from memories where id = $1`, [
      id,
    ]);
    expect((await archive()).count).toBe(1);
    expect(
      await stored.server.sql(`select row(${columns})::text from memories_archive where id = $1`, [id]),
    ).toEqual(stillLive);
    const [archived] = await stored.server.sql<{ age: string }>(
      'select extract(epoch from now() - archived_at) as age from memories_archive where id = $1',
      [id],
    );
    expect(Number(archived?.age)).toBeGreaterThanOrEqual(0);
    expect(Number(archived?.age)).toBeLessThan(60);
  });

  test('takes those that meet all that is said', async () => {
    const created = await create(
      { content: 'old and trivial', importanceScore: 0.1, source: 'a' },
      { content: 'old and important', importanceScore: 0.9, source: 'a' },
      { content: 'new and trivial', importanceScore: 0.1, source: 'a' },
      { content: 'old and trivial, from elsewhere', importanceScore: 0.1, source: 'b' },
    );
    for (const { id, content } of created)
      if (content.startsWith('old')) await setCreatedAt(id, '2020-01-01T00:00:00Z');
    const request: Partial<ArchiveMemoriesInput> = {
      olderThan: '2021-01-01T00:00:00Z',
      importanceBelow: 0.5,
      filters: { sessionId: { eq: sessionId }, source: { eq: 'a' } },
    };
    for (const alone of ['olderThan', 'importanceBelow'] as const)
      expect((await archive({ filters: null, [alone]: request[alone], dryRun: true })).count).toBe(3);
    const { count, sample } = await archive(request);
    expect([count, sample.map(({ content }) => content)]).toEqual([1, ['old and trivial']]);
    expect(await listed()).toEqual([
      'old and important',
      'new and trivial',
      'old and trivial, from elsewhere',
    ]);
  });

  test('leaves those that are exactly as old or as important as the bound', async () => {
    const [{ id }] = await create({ content: 'on the edge', importanceScore: 0.25 });
    await setCreatedAt(id, '2020-01-01T00:00:00.500Z');
    const count = async (input: Partial<ArchiveMemoriesInput>) =>
      (await archive({ ...input, dryRun: true })).count;
    expect(await count({ olderThan: '2020-01-01T00:00:00.500Z' })).toBe(0);
    expect(await count({ olderThan: '2020-01-01T00:00:00.501Z' })).toBe(1);
    expect(await count({ importanceBelow: 0.25 })).toBe(0);
    expect(await count({ importanceBelow: 0.26 })).toBe(1);
    expect(await count({ importanceBelow: 0 })).toBe(0);
    expect(await count({ importanceBelow: 1 })).toBe(1);
  });

  test('counts all of them and shows the ten oldest, oldest first', async () => {
    const created = await create(...Array.from({ length: 25 }, (_, i) => `number ${i}`));
    // The memory that was stored last is the oldest.
    for (const [i, { id }] of created.entries()) await setCreatedAt(id, `2020-01-${31 - i}T00:00:00Z`);
    const oldest = idsIn(created).reverse().slice(0, 10);
    for (const dryRun of [true, false]) {
      const { count, sample } = await archive({ dryRun });
      expect([count, idsIn(sample)]).toEqual([25, oldest]);
    }
  });

  test('of none gives none', async () => {
    const before = await stored.server.contents();
    for (const dryRun of [true, false]) expect(await archive({ dryRun })).toEqual({ count: 0, sample: [] });
    expect(await stored.server.contents()).toEqual(before);
  });

  test('is one statement, and a dry run is one in a transaction that cannot write', async () => {
    await create('first', 'second');
    const dry = await stored.server.statementsOf(() => archive({ dryRun: true }));
    expect(dry.map(({ settings }) => settings)).toEqual([expect.stringMatching(/^begin read only/)]);
    const moves = await stored.server.statementsOf(() => archive());
    expect(moves.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^with "moved" as \(delete from "memories" .*insert into "memories_archive" /s),
    ]);
  });

  test('by several requests at once moves each memory once', async () => {
    const created = await create(...Array.from({ length: 100 }, (_, i) => `of a hundred ${i}`));
    const answers = await Promise.all(Array.from({ length: 6 }, () => archive()));
    expect(answers.reduce((sum, { count }) => sum + count, 0)).toBe(100);
    expect(await rowsOf('memories')).toEqual([]);
    expect(await rowsOf('memories_archive')).toHaveLength(100);
    const restored = await Promise.all(Array.from({ length: 6 }, () => restore(...idsIn(created))));
    expect(restored.reduce((sum, count) => sum + count, 0)).toBe(100);
    expect(await rowsOf('memories')).toHaveLength(100);
    expect(await rowsOf('memories_archive')).toEqual([]);
  });

  test('shows what it archived without what only a stored memory has', async () => {
    await create('cranes over the marsh', 'cranes over the fields');
    const look = async (dryRun: boolean) => {
      const input = { dryRun, filters: { content: { eq: 'cranes over the marsh' } } };
      return (await stored.server.request(ArchiveMemoriesWithNeighboursDocument, { input })).archiveMemories
        .sample[0];
    };
    const before = await look(true);
    expect([before?.embedding?.length, before?.similar.length]).toEqual([EMBEDDING_DIMENSIONS, 5]);
    expect(await look(false)).toEqual({ ...before, embedding: null, similar: [] });
  });
});

describe('an archived memory', () => {
  test('is out of sight of lookups, lists, searches and changes', async () => {
    const text = 'a heron stands in the reeds';
    const [live, { id } = { id: '' }] = await create('a heron flies away', text);
    expect((await archive({ filters: { content: { eq: text } } })).count).toBe(1);
    expect(await read(id)).toBeNull();
    expect(await listed()).toEqual([live.content]);
    const searches: SearchOptions[] = [{}, { exact: true }, { mode: 'KEYWORD' }, { mode: 'HYBRID' }];
    for (const options of searches) {
      const search = { text, k: 200, options };
      const { similarMemories } = await stored.server.request(SimilarMemoriesDocument, search);
      expect(similarMemories.map(({ memory }) => memory.id)).toContain(live.id);
      expect(similarMemories.map(({ memory }) => memory.id)).not.toContain(id);
      const near = { id: live.id, k: 200, options };
      const { memory } = await stored.server.request(MemoryNeighboursDocument, near);
      expect(memory?.similar.map((match) => match.memory.id)).not.toContain(id);
      const { recall } = await stored.server.request(RecallDocument, search);
      expect(JSON.stringify(recall)).toContain(live.content);
      expect(JSON.stringify(recall)).not.toContain(text);
    }
    await expect(stored.server.request(SimilarMemoriesDocument, { like: [id] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(
      stored.server.request(UpdateMemoryDocument, { id, input: { importanceScore: 1 } }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('keeps its idempotency key, so that the same write is not stored again', async () => {
    const input = { content: 'said before', idempotencyKey: 'still known' };
    const [first] = await create(input);
    await archive();
    expect(await create(input)).toEqual([first]);
    expect(await read(first.id)).toBeNull();
  });
});

describe('restoreMemories', () => {
  test('brings back the very same rows, down to the microsecond and the last digit, and searches find them', async () => {
    const [first, second] = await create(
      { content: 'otters in the millpond', metadata: { seen: 2 }, idempotencyKey: 'otters', userId: 'ada' },
      'badgers under the hedge',
    );
    await setCreatedAt(first.id, '2020-02-29 12:34:56.123456+00');
    await stored.server.sql(
      `update memories set updated_at = '2021-01-01 00:00:00.000001+00' where id = $1`,
      [first.id],
    );
    const [shown, before] = [await read(first.id), await rowsOf('memories')];
    expect((await archive()).count).toBe(2);
    expect(await rowsOf('memories')).toEqual([]);
    expect(await restore(first.id, second?.id ?? '')).toBe(2);
    expect(await rowsOf('memories')).toEqual(before);
    expect(await rowsOf('memories_archive')).toEqual([]);
    expect(await read(first.id)).toEqual(shown);
    for (const mode of ['SEMANTIC', 'KEYWORD', 'HYBRID'] as const) {
      const { similarMemories } = await stored.server.request(SimilarMemoriesDocument, {
        text: 'otters in the millpond',
        k: 1,
        options: { mode },
      });
      expect(similarMemories.map(({ memory }) => memory)).toEqual([shown]);
    }
  });

  test('brings back a memory that waits for its embedding', async () => {
    const [{ id }] = await create('still waiting');
    await stored.server.sql('update memories set embedding = null, embedding_model = null where id = $1', [
      id,
    ]);
    const before = await rowsOf('memories');
    expect((await archive()).sample).toMatchObject([{ embeddingStatus: 'PENDING', embeddingModel: null }]);
    expect(await restore(id)).toBe(1);
    expect(await rowsOf('memories')).toEqual(before);
  });

  test('counts each memory once, and those that are not in the archive not at all', async () => {
    const [archived, live] = await create({ content: 'goes', source: 'archived' }, 'stays');
    await archive({ filters: { sessionId: { eq: sessionId }, source: { eq: 'archived' } } });
    expect(await restore(archived.id, live?.id ?? '', archived.id, '9223372036854775807')).toBe(1);
    expect(await restore(archived.id)).toBe(0);
    expect(await listed()).toEqual(['goes', 'stays']);
  });

  test('of no ids restores nothing', async () => {
    const before = await stored.server.contents();
    expect(await restore()).toBe(0);
    expect(await stored.server.contents()).toEqual(before);
  });

  test('is one statement', async () => {
    const created = await create('first', 'second', 'third');
    await archive();
    expect(await stored.server.statementsOf(() => restore(...idsIn(created)))).toHaveLength(1);
  });

  test('can be repeated with archiveMemories', async () => {
    const created = await create('to and fro');
    const before = await rowsOf('memories');
    for (let turn = 0; turn < 3; turn++) {
      expect((await archive()).count).toBe(1);
      expect(await restore(...idsIn(created))).toBe(1);
    }
    expect(await rowsOf('memories')).toEqual(before);
  });

  test('restores nothing when a memory has taken the idempotency key of one, and says which', async () => {
    const [free, keyed] = await create('free of conflict', { content: 'archived', idempotencyKey: 'reused' });
    const ids = [free.id, keyed?.id ?? ''];
    await archive();
    const taker = await storeWithKey('took the key', 'reused');
    const before = await stored.server.contents();
    await expect(restore(...ids)).rejects.toMatchObject({
      code: 'CONFLICT',
      message:
        `ids[1] has the idempotencyKey "reused", which memory ${taker.id} has taken meanwhile. ` +
        'Delete that memory first, or leave ids[1] out. Nothing was restored.',
    });
    expect(await stored.server.contents()).toEqual(before);
    await stored.server.request(DeleteMemoriesDocument, { ids: [taker.id] });
    expect(await restore(...ids)).toBe(2);
  });

  test('at the same time as a memory is stored with the same key leaves one memory that has it', async () => {
    const input = { content: 'who is first', idempotencyKey: 'raced for' };
    const [{ id }] = await create(input);
    await archive();
    const [restored, created] = await Promise.allSettled([restore(id), create(input)]);
    // The second of the two meets the first. If the memory was restored first, createMemories returns it.
    expect(created.status).toBe('fulfilled');
    if (restored.status === 'rejected') expect(restored.reason).toMatchObject({ code: 'CONFLICT' });
    expect(await rowsOf('memories')).toHaveLength(1);
    expect(await rowsOf('memories_archive')).toHaveLength(restored.status === 'rejected' ? 1 : 0);
  });

  test('does not mind that another user has the key', async () => {
    const [{ id }] = await create({ content: 'mine', idempotencyKey: 'of two', userId: 'ada' });
    await archive();
    await create({ content: 'theirs', idempotencyKey: 'of two', userId: 'grace' });
    expect(await restore(id)).toBe(1);
  });

  test('restores one of two archived memories that had the same key, one after the other', async () => {
    const input = { content: 'twice', idempotencyKey: 'had by two' };
    const [first] = await create(input);
    await archive();
    const second = await storeWithKey('twice', 'had by two');
    await archive();
    const before = await stored.server.contents();
    await expect(restore(second.id, first.id)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(
        /^ids\[[01]\] and ids\[[01]\] have the same idempotencyKey "had by two"\. Restore only one of them\. Nothing was restored\.$/,
      ),
    });
    expect(await stored.server.contents()).toEqual(before);
    expect(await restore(first.id)).toBe(1);
  });

  test('restores nothing when a memory has the id again', async () => {
    const [{ id }] = await create('came first');
    await archive();
    await stored.server.sql(
      `insert into memories (id, content, session_id) overriding system value values ($1, 'came second', $2)`,
      [id, sessionId],
    );
    const before = await stored.server.contents();
    await expect(restore(id)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: `ids[0]: another memory has the id "${id}" now. Delete that memory first, or leave ids[0] out. Nothing was restored.`,
    });
    expect(await stored.server.contents()).toEqual(before);
  });
});

describe('wrong input', () => {
  const archiving = (input: object) => ({ input: { dryRun: false, ...input } });
  const nothing =
    /^input must say which memories to archive: send at least one of olderThan, importanceBelow and filters/;
  refuses(
    'archives nothing when it does not say which: %s',
    [{}, { dryRun: true }, { filters: {} }, { filters: null }, { filters: { and: [], or: [] } }].map(
      (input): Case => [JSON.stringify(input), ArchiveMemoriesDocument, archiving(input), nothing],
    ),
  );
  refuses(
    'archives nothing by a condition that is null: %s',
    ['olderThan', 'importanceBelow'].map(
      (name): Case => [
        name,
        ArchiveMemoriesDocument,
        archiving({ importanceBelow: 1, olderThan: '2100-01-01T00:00:00Z', [name]: null }),
        `input.${name} is null, which says nothing: send a value, or leave it out.`,
      ],
    ),
  );
  refuses('archives nothing by a condition whose variable is missing: %s', [
    ...['olderThan: $d, importanceBelow: 1', 'importanceBelow: 1, olderThan: $d'].map(
      (input): Case => [
        input,
        `mutation ($d: DateTime) { archiveMemories(input: { ${input}, dryRun: false }) { count } }`,
        {},
        'input.olderThan is the variable $d, which has no value: send one, or leave input.olderThan out.',
      ],
    ),
    [
      'importanceBelow',
      'mutation ($i: Float) { archiveMemories(input: { olderThan: "2100-01-01T00:00:00Z", importanceBelow: $i }) { count } }',
      {},
      /^input\.importanceBelow is the variable \$i, which has no value: /,
    ],
    [
      'dryRun',
      'mutation ($dry: Boolean) { archiveMemories(input: { importanceBelow: 1, dryRun: $dry }) { count } }',
      {},
      /^input\.dryRun is the variable \$dry, which has no value: /,
    ],
  ]);
  refuses('archives nothing by filters that say nothing in a part: %s', [
    [
      'an operator missing',
      ArchiveMemoriesDocument,
      archiving({ importanceBelow: 1, filters: { userId: {} } }),
      /^input\.filters\.userId says nothing: /,
    ],
    [
      'an empty filter',
      ArchiveMemoriesDocument,
      archiving({ importanceBelow: 1, filters: { and: [{}, { or: [] }] } }),
      /^input\.filters\.and\[0\] says nothing: /,
    ],
  ]);
  refuses('archives nothing by a bound that is none: %s', [
    ...[2, -0.01, 1e300].map(
      (importanceBelow): Case => [
        `importance ${importanceBelow}`,
        ArchiveMemoriesDocument,
        archiving({ importanceBelow }),
        `input.importanceBelow must be within 0 and 1, not ${importanceBelow}.`,
      ],
    ),
    [
      'importance infinite',
      'mutation { archiveMemories(input: { importanceBelow: 1e999 }) { count } }',
      {},
      'input.importanceBelow must be within 0 and 1, not Infinity.',
    ],
    [
      'importance NaN',
      'mutation { archiveMemories(input: { importanceBelow: NaN }) { count } }',
      {},
      /Float cannot represent non numeric value: NaN/,
    ],
    [
      'a time that is none',
      ArchiveMemoriesDocument,
      archiving({ olderThan: 'yesterday' }),
      /DateTime cannot represent an invalid date-time-string yesterday/,
    ],
    [
      'a time before year 1',
      ArchiveMemoriesDocument,
      archiving({ olderThan: '0000-01-01T00:00:00Z' }),
      /^input\.olderThan must be a point in time in the years 1 to 9999 \(UTC\), not /,
    ],
    [
      'a filter',
      ArchiveMemoriesDocument,
      archiving({ importanceBelow: 1, filters: { or: [{ source: { eq: 'a\0' } }] } }),
      /^input\.filters\.or\[0\]\.source\.eq contains a NUL character/,
    ],
    [
      'dryRun null',
      ArchiveMemoriesDocument,
      archiving({ importanceBelow: 1, dryRun: null }),
      /Expected non-nullable type "Boolean!" not to be null/,
    ],
  ]);
  refuses('restores nothing: %s', [
    ...['', 'abc', '0', '-1', '1.5', '9223372036854775808'].map(
      (id): Case => [
        `the id ${JSON.stringify(id)}`,
        RestoreMemoriesDocument,
        { ids: ['1', id] },
        `ids[1] must be an id, a whole number like "42", not ${JSON.stringify(id)}.`,
      ],
    ),
    [
      '1001 ids',
      RestoreMemoriesDocument,
      { ids: Array.from({ length: 1001 }, (_, i) => `${i + 1}`) },
      'ids has 1001 elements; at most 1000 are allowed at once.',
      'LIMIT_EXCEEDED',
    ],
  ]);
});
