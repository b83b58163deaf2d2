import { forms as allForms, type Form } from './forms.ts';
import { type Round, runAccuracy, runRound } from './rounds.ts';
import type { BenchQuery } from './rows.ts';
import type { Side } from './sides.ts';
import type { BenchViewer } from './viewers.ts';

/** A comparison of the two sides: its load, and how to start each side. */
export interface Contest {
  queries: readonly BenchQuery[];
  viewers: readonly BenchViewer[];
  forms: readonly Form[];
  /** How many clients search at the same time. Each number is measured. */
  clients: readonly number[];
  /** How many times each side is measured. `seconds` is how long each time takes. */
  rounds: number;
  seconds: number;
  /** All sides can be open at the same time. */
  together: boolean;
  startBare(viewer: BenchViewer): Promise<Side>;
  startApi(viewer: BenchViewer): Promise<Side>;
}

/** The rounds of both sides for a viewer, a form and a number of clients. */
export interface Case {
  viewer: BenchViewer;
  form: Form;
  clients: number;
  bare: Round[];
  api: Round[];
}

/** What the API found of a form for a viewer. */
export interface Accuracy {
  recall: number;
  leastRows: number;
}

type SideName = 'bare' | 'api';

/** Both sides in turns: bare, API, API, bare, ..., so that a machine that gets slower does so for both. The viewers of a form follow each other. */
export async function contend(contest: Contest): Promise<Case[]> {
  const cases: Case[] = contest.forms.flatMap((form) =>
    contest.clients.flatMap((clients) =>
      contest.viewers.map((viewer) => ({ viewer, form, clients, bare: [], api: [] })),
    ),
  );
  const turns = Array.from({ length: contest.rounds }, (_, round): SideName[] =>
    round % 2 === 0 ? ['bare', 'api'] : ['api', 'bare'],
  ).flat();
  const start = { bare: contest.startBare, api: contest.startApi };
  const measure = async (name: SideName, side: Side, one: Case) => {
    const load = { clients: one.clients, seconds: contest.seconds, queries: contest.queries.length };
    one[name].push(await runRound(side, one.form, load));
  };
  if (contest.together) {
    const sides = new Map<BenchViewer, Record<SideName, Side>>();
    for (const viewer of contest.viewers)
      sides.set(viewer, { bare: await contest.startBare(viewer), api: await contest.startApi(viewer) });
    for (const one of cases)
      for (const name of turns)
        await measure(name, (sides.get(one.viewer) as Record<SideName, Side>)[name], one);
    await Promise.all([...sides.values()].flatMap(({ bare, api }) => [bare.close(), api.close()]));
    return cases;
  }
  // Only one process can use the embedded database. So each side starts and ends with its turn.
  for (const name of turns) {
    for (const viewer of contest.viewers) {
      const side = await start[name](viewer);
      for (const one of cases) if (one.viewer === viewer) await measure(name, side, one);
      await side.close();
    }
  }
  return cases;
}

/** What the API finds of each form for each viewer, compared with what is truly nearest. */
export async function findAccuracy({
  queries,
  viewers,
  forms,
  startApi,
}: Contest): Promise<Map<BenchViewer, Map<Form, Accuracy>>> {
  const found = new Map<BenchViewer, Map<Form, Accuracy>>();
  for (const viewer of viewers) {
    const side = await startApi(viewer);
    const ofViewer = new Map<Form, Accuracy>();
    for (const form of forms) {
      const index = allForms.findIndex(({ name }) => name === form.name);
      const truth = queries.map((query) => query.truth[viewer.sees]?.[index] ?? []);
      ofViewer.set(form, await runAccuracy(side, form, truth));
    }
    found.set(viewer, ofViewer);
    await side.close();
  }
  return found;
}
