import { percentile, table } from '../support/statistics.ts';
import type { Accuracy, Case } from './contest.ts';
import type { Form } from './forms.ts';
import type { Round } from './rounds.ts';
import type { BenchViewer } from './viewers.ts';

const columns = [
  ...['viewer', 'filter', 'clients', 'API/bare', 'least-most', 'API /s', 'bare /s'],
  ...['API p50 ms', 'p99', 'bare p50 ms', 'p99'],
  ...['CPU bare/API', 'CPU ms server', 'API', 'bare', 'recall@10', 'least rows'],
];

/** One row a form, number of clients and viewer; medians over the rounds. */
export function report(
  cases: readonly Case[],
  accuracy: ReadonlyMap<BenchViewer, ReadonlyMap<Form, Accuracy>>,
): string {
  const rows = cases.map(({ viewer, form, clients, bare, api }) => {
    const found = accuracy.get(viewer)?.get(form);
    // Of rounds that stood side by side.
    const ratios = api.map(({ perSecond }, i) => perSecond / (bare[i]?.perSecond ?? Number.NaN));
    const perSecond = (rounds: Round[]) => median(rounds.map((round) => round.perSecond)).toFixed(0);
    const times = [api, bare].flatMap((rounds) =>
      [0.5, 0.99].map((p) =>
        percentile(
          rounds.flatMap((round) => round.times),
          p,
        ).toFixed(1),
      ),
    );
    return [
      viewer.name,
      form.name,
      String(clients),
      median(ratios).toFixed(2),
      `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`,
      perSecond(api),
      perSecond(bare),
      ...times,
      ...[cpu(bare) / cpu(api), cpu(api, 'server'), cpu(api), cpu(bare)].map(twoDigits),
      found?.recall.toFixed(3) ?? '-',
      String(found?.leastRows ?? '-'),
    ];
  });
  return table([columns, ...rows]);
}

/** Returns the processor time of a search in milliseconds: of all processes, or of the group with this name. */
function cpu(rounds: readonly Round[], name?: string): number {
  const times = rounds.flatMap((round) => (round.cpu ? [round.cpu] : []));
  return median(
    times.map((by) =>
      (name === undefined ? Object.values(by) : [by[name] ?? Number.NaN]).reduce((a, b) => a + b),
    ),
  );
}

const median = (values: readonly number[]) => percentile(values, 0.5);

const twoDigits = (value: number) => (Number.isFinite(value) ? value.toFixed(2) : '-');
