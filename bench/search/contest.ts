import { forms as allForms, type Form } from './forms.ts';
import { type Round, runAccuracy, runRound } from './rounds.ts';
import type { BenchQuery } from './rows.ts';
import type { Side } from './sides.ts';

/** A comparison of the two sides: its load, and how to start each side. */
export interface Contest {
  queries: readonly BenchQuery[];
  forms: readonly Form[];
  /** How many clients search at the same time. Each number is measured. */
  clients: readonly number[];
  /** How many times each side is measured. `seconds` is how long each time takes. */
  rounds: number;
  seconds: number;
  /** Whether both sides can be open at the same time. */
  together: boolean;
  startBare(): Promise<Side>;
  startApi(): Promise<Side>;
}

/** The rounds of both sides, for one form and one number of clients. */
export interface Case {
  form: Form;
  clients: number;
  bare: Round[];
  api: Round[];
}

/** How well the API answered one form. */
export interface Accuracy {
  recall: number;
  leastRows: number;
}

type SideName = 'bare' | 'api';

/** Measures both sides in turns (bare, API, API, bare, ...), so that a machine that gets slower slows down both. */
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
  // Only one process can use the embedded database. So each side starts and ends with its turn.
  for (const name of turns) {
    const side = await start[name]();
    for (const one of cases) await measure(name, side, one);
    await side.close();
  }
  return cases;
}

/** Compares the rows that the API finds for each form with the rows that are truly nearest. */
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
