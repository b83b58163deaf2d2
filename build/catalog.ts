import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { withConnection } from '../src/database/connection.ts';
import { startEmbeddedDatabase } from '../src/database/embedded/embedded-database.ts';
import { migrate } from '../src/database/migrate.ts';
import { openPool, type Pool } from '../src/database/pool.ts';
import { catalogFile, type ExpectedEntry, readCatalog } from '../src/doctor/catalog.ts';
import type { Query } from '../src/doctor/finding.ts';

// What each migration makes, as the database itself says it: `funes doctor` compares a database with it. `npm run catalog` writes the
// file, and a test fails if it is not what the migrations make.

const committed = fileURLToPath(new URL('../drizzle', import.meta.url));

/** Applies the migrations one by one to an empty database, and records what each has made, changed or dropped. */
export async function recordCatalog(pool: Pool): Promise<ExpectedEntry[]> {
  const folder = await mkdtemp(join(tmpdir(), 'funes-catalog-'));
  try {
    await cp(committed, folder, { recursive: true });
    const journalFile = join(folder, 'meta/_journal.json');
    const journal = JSON.parse(await readFile(journalFile, 'utf8')) as { entries: { tag: string }[] };
    const recorded: ExpectedEntry[] = [];
    for (const [index, { tag }] of journal.entries.entries()) {
      const entries = journal.entries.slice(0, index + 1);
      await writeFile(journalFile, JSON.stringify({ ...journal, entries }));
      await migrate(pool, folder);
      const current = new Map(
        (await readAll(pool)).map(({ kind, table, name, definition }) => [
          `${kind} ${table} ${name}`,
          { kind, table, name, definition },
        ]),
      );
      for (const entry of recorded.filter(({ until }) => until === undefined)) {
        const key = `${entry.kind} ${entry.table} ${entry.name}`;
        if (current.get(key)?.definition === entry.definition) current.delete(key);
        else entry.until = tag;
      }
      for (const entry of current.values()) recorded.push({ ...entry, from: tag });
    }
    return recorded;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function readAll(pool: Pool) {
  return withConnection(pool, (connection) => {
    const query: Query = async (text) => [...(await connection.unsafe(text))] as never;
    return readCatalog(query);
  });
}

/** The text of the file: one entry a line, so that a change is easy to read. */
export const catalogText = (entries: readonly ExpectedEntry[]): string =>
  `[\n${entries.map((entry) => JSON.stringify(entry)).join(',\n')}\n]\n`;

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const dataDir = await mkdtemp(join(tmpdir(), 'funes-catalog-'));
  const database = await startEmbeddedDatabase({ dataDir });
  const pool = openPool({ database });
  await writeFile(catalogFile, catalogText(await recordCatalog(pool)));
  await pool.close();
  await database.close();
  await rm(dataDir, { recursive: true, force: true });
}
