import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { type Transaction, transaction } from '../../../src/database/transaction.ts';
import { localViewer } from '../../../src/viewer.ts';
import { asOwner } from '../../../testkit/owner.ts';
import { watchDatabase } from '../../../testkit/statements.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { openOwnedDatabase } from '../../support/owned-database.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase({ poolSize: 1 });
  await asOwner(db.pool, async (tx) => {
    await tx.execute(sql`create table notes (note text not null)`);
    await tx.execute(sql`grant all on notes to funes_admin`);
  });
});
afterAll(() => db.close());

const write = <T>(work: (tx: Transaction) => Promise<T>) =>
  transaction(db.pool, localViewer, { access: 'write' }, work);

/** Reads, and records when the connection gets each statement (`>`) and when the answer comes (`<`). */
async function readWatched(single: boolean, work: (tx: Transaction) => Promise<unknown>): Promise<string[]> {
  const events: string[] = [];
  const answered: Promise<unknown>[] = [];
  const watched = watchDatabase(db.pool, () => (text, _, answer) => {
    const [word] = text.split(' ');
    events.push(`> ${word}`);
    const note = () => events.push(`< ${word}`);
    answered.push(Promise.prototype.then.call(answer, note, note));
  });
  await transaction(watched, localViewer, { access: 'read', single }, work);
  await Promise.all(answered);
  return events;
}

const notes = () => write((tx) => tx.execute(sql`select note from notes`));
const workMem = sql`select current_setting('work_mem') as value`;

describe('a transaction', () => {
  test('keeps what it wrote, all of it or nothing', async () => {
    await write((tx) => tx.execute(sql`insert into notes values ('kept')`));
    const failed = write(async (tx) => {
      await tx.execute(sql`insert into notes values ('lost')`);
      await tx.execute(sql`insert into notes values (null)`);
    });
    await expect(failed).rejects.toThrow();
    expect(await notes()).toEqual([{ note: 'kept' }]);
  });

  test('that swallows the error of a statement does not pretend to have written', async () => {
    const swallowing = write(async (tx) => {
      await tx.execute(sql`insert into notes values ('lost')`);
      await tx.execute(sql`select 1 / 0`).catch(() => {});
    });
    await expect(swallowing).rejects.toThrow('ended with ROLLBACK instead of COMMIT');
  });

  describe.each([
    ['several statements', false],
    ['a single statement', true],
  ])('that reads with %s', (_, single) => {
    const read = <T>(work: (tx: Transaction) => Promise<T>, settings = {}) =>
      transaction(db.pool, localViewer, { access: 'read', single, settings }, work);

    test('cannot write', async () => {
      const written = read((tx) => tx.execute(sql`insert into notes values ('sneaked in')`));
      await expect(written).rejects.toMatchObject({ cause: { code: '25006' } });
    });

    test('has its settings to itself', async () => {
      expect(await read((tx) => tx.execute(workMem), { work_mem: "'3MB'" })).toEqual([{ value: '3MB' }]);
      expect(await read((tx) => tx.execute(workMem))).not.toEqual([{ value: '3MB' }]);
    });

    test('tells the error of its statement, of its settings and of its own work, and gives its connection back', async () => {
      for (let i = 0; i < 2; i++) {
        await expect(read((tx) => tx.execute(sql`select 1 / 0`))).rejects.toMatchObject({
          cause: { code: '22012' },
        });
        await expect(read((tx) => tx.execute(sql`select 1`), { work_mem: -1 })).rejects.toMatchObject({
          code: '22023',
        });
        await expect(read(() => Promise.reject(new Error('Before any statement.')))).rejects.toThrow(
          'Before any',
        );
      }
      expect(await read((tx) => tx.execute(sql`select 1 as one`))).toEqual([{ one: 1 }]);
    });
  });

  test('sends COMMIT behind its one statement when told that there is no other, else when its work is done', async () => {
    const one = (tx: Transaction) => tx.execute(sql`select 1`);
    expect(await readWatched(true, one)).toEqual([
      ...['> begin', '> select', '> COMMIT'],
      ...['< begin', '< select', '< COMMIT'],
    ]);
    expect(await readWatched(false, one)).toEqual([
      ...['> begin', '> select'],
      ...['< begin', '< select', '> COMMIT', '< COMMIT'],
    ]);
  });

  test('for a single statement refuses a second one', async () => {
    const two = transaction(db.pool, localViewer, { access: 'read', single: true }, async (tx) => {
      await tx.execute(sql`select 1`);
      await tx.execute(sql`select 2`);
    });
    await expect(two).rejects.toMatchObject({
      cause: { message: expect.stringMatching(/^A second statement/) },
    });
    expect(await notes()).toEqual([{ note: 'kept' }]);
  });

  test('does not use what a statement read that was sent again after its end', async () => {
    const readAll = () =>
      transaction(db.pool, localViewer, { access: 'read', single: true }, (tx) =>
        tx.execute(sql`select * from notes where note <> ${'other'}`),
      );
    expect(await readAll()).toEqual([{ note: 'kept' }]);
    await asOwner(db.pool, (tx) => tx.execute(sql`alter table notes add column more int`));
    await expect(readAll()).rejects.toMatchObject({ code: '0A000' });
    expect(await readAll()).toEqual([{ note: 'kept', more: null }]);
  });
});

describe('a transaction whose role', () => {
  const read = ({ pool }: Pick<TestDatabase, 'pool'>) =>
    transaction(pool, localViewer, { access: 'read' }, (tx) => tx.execute(sql`select 1`));
  const advice = 'After a database was restored without its roles, also run "funes roles --apply".';

  // Roles belong to the whole server, where other tests have made them.
  test.skipIf(inject('databaseTemplate').engine === 'postgres')(
    'is missing says that the database is not migrated',
    async () => {
      const empty = await openTestDatabase({ empty: true });
      onTestFinished(() => empty.close());
      await expect(read(empty)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: `The database has no role funes_admin, which requests run as. Run "funes migrate". ${advice}`,
      });
    },
  );

  test.skipIf(inject('databaseTemplate').engine === 'embedded')('is not granted says so', async () => {
    const { ownerPool } = await openOwnedDatabase({ mayGrant: false });
    await expect(read({ pool: ownerPool })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: `The user of the database may not switch to the role funes_admin, which requests run as. ${advice}`,
    });
  });
});
