import { mean, percentile, table } from '../support/statistics.ts';
import type { Outcome } from './asking.ts';
import type { DataSet } from './data-set.ts';

/** How much a measure of SEMANTIC may differ from that measure of the plain ranking. */
const tolerance = 0.005;

/** Returns one table of all sets and modes, and below it the reasons for missing numbers. */
export function report(outcomes: ReadonlyMap<DataSet, readonly Outcome[]>): string {
  const sets = [...outcomes.keys()];
  const names = [...new Set([...outcomes.values()].flat().map(({ name }) => name))];
  const head = [
    '',
    ...sets.flatMap((set) => [...set.measures.map(({ name }) => `${set.title} ${name}`), 'p50 ms', 'p95 ms']),
  ];
  const rows = names.map((name) => [
    name,
    ...sets.flatMap((set) =>
      cells(
        set,
        outcomes.get(set)?.find((outcome) => outcome.name === name),
      ),
    ),
  ]);
  const notes = sets.flatMap((set) =>
    (outcomes.get(set) ?? []).flatMap(({ name, note }) =>
      note === undefined ? [] : [`${name} on ${set.title}: ${note}`],
    ),
  );
  const asked = sets.map((set) => {
    const count = Math.max(...(outcomes.get(set) ?? []).map(({ measured }) => measured[0]?.length ?? 0));
    return `${set.title} ${count}`;
  });
  return [table([head, ...rows]), `Questions: ${asked.join(', ')}.`, ...notes].join('\n');
}

function cells(set: DataSet, outcome: Outcome | undefined): string[] {
  const asked = (outcome?.measured[0]?.length ?? 0) > 0;
  const measures = set.measures.map((_, i) => (asked ? mean(outcome?.measured[i] ?? []).toFixed(4) : '-'));
  const times = [0.5, 0.95].map((p) =>
    outcome && outcome.times.length > 0 ? percentile(outcome.times, p).toFixed(1) : '-',
  );
  return [...measures, ...times];
}

/** Returns a sentence for each measure in which SEMANTIC differs too much from the plain ranking. */
export function deviations(outcomes: ReadonlyMap<DataSet, readonly Outcome[]>): string[] {
  return [...outcomes].flatMap(([set, of]) => {
    const plain = of.find(({ name }) => name === 'plain');
    const semantic = of.find(({ name }) => name === 'SEMANTIC');
    if (!plain || !semantic) return [];
    return set.measures.flatMap(({ name }, i) => {
      const [expected, found] = [mean(plain.measured[i] ?? []), mean(semantic.measured[i] ?? [])];
      if (Math.abs(found - expected) <= tolerance) return [];
      return [
        `${set.title} ${name}: SEMANTIC has ${found.toFixed(4)}, the plain exact ranking ${expected.toFixed(4)}.`,
      ];
    });
  });
}
