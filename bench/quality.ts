import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbedder } from '../src/embedding/embedder.ts';
import { FunesError } from '../src/errors.ts';
import { type AskingOptions, ask, type Outcome } from './quality/asking.ts';
import { bfcl } from './quality/bfcl.ts';
import { cranfield, cranfieldDocuments } from './quality/cranfield.ts';
import type { DataSet } from './quality/data-set.ts';
import { locomo, locomoWithCaptions } from './quality/locomo.ts';
import { type Mode, modes } from './quality/modes.ts';
import { deviations, report } from './quality/report.ts';
import { graphqlClient } from './support/client.ts';
import { dataFolder } from './support/data-folder.ts';
import { openBenchDatabase } from './support/database.ts';
import { run } from './support/run.ts';
import { startServer } from './support/server.ts';

// Measures how well searches find what people judged right, through the GraphQL API of a real server. bench/README.md
// says what is measured, and the results.

const dataSets: readonly DataSet[] = [locomo, cranfield, bfcl, locomoWithCaptions, cranfieldDocuments];
const usualSets = 'locomo,cranfield,bfcl';

const help = `npm run bench:quality -- [options]

  --sets NAMES      names from ${dataSets.map(({ name }) => name).join(', ')} (default: ${usualSets})
  --modes NAMES     the modes whose names contain one of these: ${['plain', ...modes.map(({ name }) => name)].join(', ')}
                    (default: all; plain is the exact ranking, computed here from the stored vectors)
  --options JSON    one more mode: search options of the API, such as '{"mode":"HYBRID","keywordWeight":0.7}';
                    may be repeated; without --modes, only these modes are measured
  --questions N     ask only about N questions of each set, spread evenly (default: all)
  --clients N       ask N questions at a time, so that the latencies are those of a busy server (default: 1)
  --keep            keep the database, and use the database that an earlier run kept
  --help

FUNES_BENCH_DATA names the folder with the data. If DATABASE_URL names a PostgreSQL server, the run makes a database on it.
Otherwise it uses the embedded database.`;

interface Settings extends Omit<AskingOptions, 'embedder' | 'onProgress'> {
  sets: readonly DataSet[];
  plain: boolean;
  keep: boolean;
}

function parseSettings(): Settings | undefined {
  const { values } = parseArgs({
    options: {
      sets: { type: 'string', default: usualSets },
      modes: { type: 'string' },
      options: { type: 'string', multiple: true, default: [] },
      questions: { type: 'string' },
      clients: { type: 'string', default: '1' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const wanted = values.modes?.split(',') ?? (values.options.length > 0 ? [] : ['']);
  const named = (name: string) => wanted.some((part) => name.includes(part.trim()));
  return {
    sets: values.sets.split(',').map((name) => {
      const set = dataSets.find((one) => one.name === name.trim());
      if (!set) throw new FunesError('BAD_USER_INPUT', `There is no set ${JSON.stringify(name)}.\n${help}`);
      return set;
    }),
    modes: [
      ...modes.filter(({ name }) => named(name)),
      ...values.options.map((text): Mode => ({ name: text, options: JSON.parse(text) })),
    ],
    plain: named('plain'),
    questions: values.questions === undefined ? undefined : Number(values.questions),
    clients: Number(values.clients),
    keep: values.keep,
  };
}

function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function measure({ sets, plain, keep, ...asking }: Settings): Promise<Map<DataSet, Outcome[]>> {
  const folder = dataFolder(sets.flatMap(({ files }) => files));
  const logs = await mkdtemp(join(tmpdir(), 'funes-bench-'));
  const database = await openBenchDatabase('quality', keep);
  const closing = [database.close, () => rm(logs, { recursive: true })];
  try {
    const server = await startServer(database, logs, { env: { FUNES_LOG_LEVEL: 'warn' } });
    closing.unshift(server.close);
    const embedder = plain
      ? await startEmbedder({ model: undefined, cacheDir: resolve(import.meta.dirname, '../.funes/models') })
      : undefined;
    if (embedder) closing.unshift(() => embedder.close());
    const outcomes = new Map<DataSet, Outcome[]>();
    for (const set of sets) {
      const options = { ...asking, embedder, onProgress: showProgress };
      outcomes.set(set, await ask(set, folder, graphqlClient(server.url), options));
    }
    return outcomes;
  } finally {
    showProgress('');
    for (const close of closing) await close();
  }
}

await run(async () => {
  const settings = parseSettings();
  if (settings === undefined) return console.log(help);
  const outcomes = await measure(settings);
  console.log(report(outcomes));
  const wrong = deviations(outcomes);
  if (wrong.length > 0) {
    console.log(`\nNot within the tolerance:\n${wrong.join('\n')}`);
    process.exitCode = 1;
  }
});
