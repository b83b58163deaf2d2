import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { FunesError } from '../src/errors.ts';
import { createKey } from '../src/security/keys.ts';
import { localViewer } from '../src/viewer.ts';
import { type Contest, contend, findAccuracy } from './search/contest.ts';
import { describeProfile } from './search/cpu-profile.ts';
import { type Form, forms } from './search/forms.ts';
import { report } from './search/report.ts';
import { runRound } from './search/rounds.ts';
import { type BenchQuery, loadRows, withPool } from './search/rows.ts';
import { apiSide, bareSide } from './search/sides.ts';
import { captureStatement, explainStatement, type SearchStatement } from './search/statement.ts';
import { type BenchViewer, viewers } from './search/viewers.ts';
import { type BenchDatabase, openBenchDatabase } from './support/database.ts';
import { run } from './support/run.ts';

// Measures what the API costs beside its SQL. Two sides search in turns: one over HTTP, with a server in a process of its
// own, the other by sending that server's statement through postgres.js. bench/README.md says what is measured, and the
// results.

const help = `npm run bench:search -- [options]

  --rows N         memories to search (default: 100000 on a server, 20000 in the embedded database)
  --viewers NAMES  of ${viewers.map(({ name }) => name).join(', ')}: who searches (default: all); the user has 10 % of the rows
  --forms NAMES    of ${forms.map(({ name }) => name).join(', ')} (default: all)
  --clients LIST   how many ask at the same time (default: 1,16)
  --ef-search N    search with options.efSearch (default: the server's own)
  --rounds N       how many times each side is measured (default: 5)
  --seconds N      how long each measurement takes (default: 2)
  --keep           keep the database, and use the database that an earlier run kept
  --no-explain     leave out the plans
  --profile        instead: where the server's own time goes while 16 clients search, for the first viewer and form
  --help

If DATABASE_URL names a PostgreSQL server, the run makes a database on it. Otherwise it uses the embedded database.`;

const profileSeconds = 20;

function parseSettings() {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string', default: process.env.DATABASE_URL ? '100000' : '20000' },
      viewers: { type: 'string' },
      forms: { type: 'string' },
      clients: { type: 'string', default: '1,16' },
      'ef-search': { type: 'string' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      keep: { type: 'boolean', default: false },
      'no-explain': { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { 'ef-search': efSearch } = values;
  return {
    ...values,
    rows: Number(values.rows),
    viewers: named('viewer', viewers, values.viewers),
    forms: named('form', forms, values.forms).map((form) =>
      efSearch === undefined ? form : { ...form, options: { efSearch: Number(efSearch) } },
    ),
    clients: values.clients.split(',').map(Number),
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
  };
}

/** Those of `all` that an option names; all of them without the option. `what` says in the error what they are. */
function named<T extends { name: string }>(
  what: string,
  all: readonly T[],
  names: string | undefined,
): readonly T[] {
  if (names === undefined) return all;
  return names.split(',').map((name) => {
    const found = all.find((one) => one.name === name.trim());
    if (!found)
      throw new FunesError('BAD_USER_INPUT', `There is no ${what} ${JSON.stringify(name)}.\n${help}`);
    return found;
  });
}

type Settings = ReturnType<typeof parseSettings>;

async function profile(
  { queries, viewers: [viewer], forms: [form] }: Contest,
  database: BenchDatabase,
  folder: string,
  key: string | undefined,
): Promise<string> {
  if (viewer === undefined || form === undefined)
    throw new FunesError('BAD_USER_INPUT', 'There is no viewer or no form to profile.');
  const nodeOptions = ['--cpu-prof', `--cpu-prof-dir=${folder}`];
  const side = await apiSide(database, viewer, queries, [form], folder, { key, nodeOptions });
  const began = performance.now();
  const { sent } = await runRound(side, form, {
    clients: 16,
    seconds: profileSeconds,
    queries: queries.length,
  });
  await side.close();
  return describeProfile(folder, performance.now() - began, sent);
}

/** Loads what is not loaded yet, and notes what the server sends for each viewer and form. */
async function prepare(settings: Settings, database: BenchDatabase) {
  return withPool(database, async (pool) => {
    const queries = await loadRows(pool, settings.rows, console.error);
    const [first] = queries as [BenchQuery];
    const statements = new Map<BenchViewer, Map<Form, SearchStatement>>();
    const plans: string[] = [];
    for (const viewer of settings.viewers) {
      const ofViewer = new Map<Form, SearchStatement>();
      statements.set(viewer, ofViewer);
      for (const form of settings.forms) {
        const statement = await captureStatement(pool, viewer, form, first);
        ofViewer.set(form, statement);
        if (settings['no-explain'] || settings.profile) continue;
        plans.push(`${viewer.name}, ${form.name}\n${await explainStatement(pool, statement, first)}`);
      }
    }
    const input = { userId: localViewer.userId, role: 'admin' as const };
    const key = settings.viewers.some(({ byKey }) => byKey)
      ? (await createKey(pool, localViewer, input)).key
      : undefined;
    return { queries, statements, plans, key };
  });
}

await run(async () => {
  const settings = parseSettings();
  if (settings.help) return console.log(help);
  const folder = await mkdtemp(join(tmpdir(), 'funes-bench-'));
  const database = await openBenchDatabase(`search_ten_users_${settings.rows}`, settings.keep);
  try {
    const { queries, statements, plans, key } = await prepare(settings, database);
    const contest: Contest = {
      ...settings,
      queries,
      together: database.url !== undefined,
      startBare: (viewer) => bareSide(database, statements.get(viewer) ?? new Map(), queries),
      startApi: (viewer) => apiSide(database, viewer, queries, settings.forms, folder, { key }),
    };
    if (settings.profile) return console.log(await profile(contest, database, folder, key));
    const accuracy = await findAccuracy(contest);
    console.log(report(await contend(contest), accuracy));
    for (const plan of plans) console.log(`\n${plan}`);
  } finally {
    await database.close();
    await rm(folder, { recursive: true });
  }
});
