import { forms as allForms, type Form } from './forms.ts';
import { type Round, runAccuracy, runRound } from './rounds.ts';
import type { BenchQuery } from './rows.ts';
import type { Side } from './sides.ts';

/** What is compared on what. */
export interface Contest {
  queries: readonly BenchQuery[];
  forms: readonly Form[];
  /** Numbers of clients that search at the same time. */
  clients: readonly number[];
  /** How many times each side is measured, and for how long. */
  rounds: number;
  seconds: number;
  /** Both sides can be open at the same time. */
  together: boolean;
  startBare(): Promise<Side>;
  startApi(): Promise<Side>;
}

/** The rounds of both sides for a form and a number of clients. */
export interface Case {
  form: Form;
  clients: number;
  bare: Round[];
  api: Round[];
}

/** What the API found of a form. */
export interface Accuracy {
  recall: number;
  leastRows: number;
}

type SideName = 'bare' | 'api';

/** Both sides in turns: bare, API, API, bare, ..., so that a machine that gets slower does so for both. */
export async function contend(contest: Contest): Promise<Case[]> {
  const cases: Case[] = contest.forms.flatMap((form) =>
    contest.clients.map((clients) => ({ form, clients, bare: [], api: [] })),
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
    const sides = { bare: await contest.startBare(), api: await contest.startApi() };
    for (const one of cases) for (const name of turns) await measure(name, sides[name], one);
    await Promise.all([sides.bare.close(), sides.api.close()]);
    return cases;
  }
  // The embedded database has one user at a time, so each side is started for its turn.
  for (const name of turns) {
    const side = await start[name]();
    for (const one of cases) await measure(name, side, one);
    await side.close();
  }
  return cases;
}

/** What the API finds of each form, compared with what is truly nearest. */
export async function findAccuracy({ queries, forms, startApi }: Contest): Promise<Map<Form, Accuracy>> {
  const side = await startApi();
  const found = new Map<Form, Accuracy>();
  for (const form of forms) {
    const index = allForms.findIndex(({ name }) => name === form.name);
    const truth = queries.map((query) => query.truth[index] ?? []);
    found.set(form, await runAccuracy(side, form, truth));
  }
  await side.close();
  return found;
}
