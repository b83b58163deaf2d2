import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { table } from '../support/statistics.ts';

/** The file that node --cpu-prof writes. Times are in microseconds. */
interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
}

const idle = ['(idle)', '(root)'];

/**
 * Describes in tables how the main thread of a process spent its last `lastMs`. The tables have microseconds for each of
 * `requests` requests, by package or folder, and by function.
 */
export async function describeProfile(folder: string, lastMs: number, requests: number): Promise<string> {
  const names = await readdir(folder);
  // The name is CPU.<date>.<time>.<pid>.<thread>.<number>.cpuprofile.
  const main = names.find((name) => name.split('.')[4] === '0');
  if (main === undefined) throw new Error(`${folder} has no profile of a main thread: ${names.join(', ')}.`);
  const { nodes, samples, timeDeltas }: CpuProfile = JSON.parse(await readFile(join(folder, main), 'utf8'));
  const byId = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const byOrigin = new Map<string, number>();
  const byFunction = new Map<string, number>();
  let busy = 0;
  let remaining = lastMs * 1000;
  for (let i = samples.length - 1; i >= 0 && remaining > 0; i--) {
    const micros = timeDeltas[i] ?? 0;
    remaining -= micros;
    const frame = byId.get(samples[i] ?? -1);
    if (!frame || idle.includes(frame.functionName)) continue;
    const origin = originOf(frame);
    const name = `${frame.functionName || '(anonymous)'} ${shortUrl(frame.url)}${frame.url && `:${frame.lineNumber + 1}`}`;
    busy += micros;
    byOrigin.set(origin, (byOrigin.get(origin) ?? 0) + micros);
    byFunction.set(name, (byFunction.get(name) ?? 0) + micros);
  }
  const ranked = (sums: Map<string, number>, count: number) =>
    [...sums]
      .sort(([, a], [, b]) => b - a)
      .slice(0, count)
      .map(([name, micros]) => [
        name,
        (micros / requests).toFixed(1),
        `${((100 * micros) / busy).toFixed(1)} %`,
      ]);
  return [
    `Main thread busy ${((100 * busy) / (lastMs * 1000)).toFixed(0)} % of the time, ${(busy / requests).toFixed(0)} µs a request.`,
    table([['where', 'µs a request', 'part'], ...ranked(byOrigin, 20)]),
    table([['function (itself, without what it calls)', 'µs a request', 'part'], ...ranked(byFunction, 40)]),
  ].join('\n\n');
}

function originOf({ functionName, url }: { functionName: string; url: string }): string {
  if (url === '') return functionName.startsWith('(') ? functionName : 'native functions';
  return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? shortUrl(url);
}

function shortUrl(url: string): string {
  const path = url.replace(/^file:\/\//, '').replace(/\?.*$/, '');
  return path.replace(/^.*\/node_modules\//, '').replace(/^.*\/(src|resolvers|schema)\//, '$1/');
}
