import { performance } from 'node:perf_hooks';
import { type CpuTimes, cpuTimes } from '../support/cpu-time.ts';
import type { Form } from './forms.ts';
import type { Side } from './sides.ts';

/** One measurement: several clients search for some time, each of them without pause. */
export interface Round {
  perSecond: number;
  /** Milliseconds of each search. */
  times: number[];
  /** How many searches were sent, those of the warm-up too. */
  sent: number;
  /** Milliseconds of processor time for each search, by group of processes. Undefined if these cannot be read. */
  cpu: CpuTimes | undefined;
}

const warmUpSeconds = 0.5;

/** Lets `clients` clients of a side search for `seconds`. Each search takes the next of `queries` queries. */
export async function runRound(
  side: Side,
  form: Form,
  { clients, seconds, queries }: { clients: number; seconds: number; queries: number },
): Promise<Round> {
  const opened = await Promise.all(Array.from({ length: clients }, () => side.client()));
  let next = 0;
  const run = async (forSeconds: number): Promise<number[]> => {
    const times: number[] = [];
    const end = performance.now() + forSeconds * 1000;
    await Promise.all(
      opened.map(async ({ search }) => {
        for (let sent = performance.now(); sent < end; ) {
          await search(form, next++ % queries);
          const answered = performance.now();
          times.push(answered - sent);
          sent = answered;
        }
      }),
    );
    return times;
  };
  await run(warmUpSeconds);
  const processes = await side.processes();
  const before = processes && (await cpuTimes(processes));
  const began = performance.now();
  const times = await run(seconds);
  const elapsed = (performance.now() - began) / 1000;
  const after = processes && (await cpuTimes(processes));
  for (const { close } of opened) close();
  return {
    perSecond: times.length / elapsed,
    times,
    sent: next,
    cpu: cpuOfEach(before, after, times.length),
  };
}

function cpuOfEach(before: CpuTimes | undefined, after: CpuTimes | undefined, searches: number) {
  if (!before || !after) return undefined;
  return Object.fromEntries(
    Object.entries(after).map(([name, seconds]) => [
      name,
      ((seconds - (before[name] ?? 0)) * 1000) / searches,
    ]),
  );
}

/** Returns the least number of rows that a side returns for a query, and its recall over all queries. */
export async function runAccuracy(
  side: Side,
  form: Form,
  truth: readonly (readonly string[])[],
): Promise<{ leastRows: number; recall: number }> {
  const client = await side.client();
  let leastRows = Number.POSITIVE_INFINITY;
  let found = 0;
  for (const [n, right] of truth.entries()) {
    const ids = await client.search(form, n);
    leastRows = Math.min(leastRows, ids.length);
    found += right.filter((id) => ids.includes(id)).length;
  }
  client.close();
  return { leastRows, recall: found / truth.flat().length };
}
