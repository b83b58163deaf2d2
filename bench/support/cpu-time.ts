import { readdir, readFile } from 'node:fs/promises';

/** Processor time of groups of processes since they began, in seconds, by the name of the group. */
export type CpuTimes = Record<string, number>;

interface Process {
  parent: number;
  seconds: number;
}

// utime and stime count clock ticks. Linux shows ticks of a hundredth of a second on every platform.
const ticksPerSecond = 100;

/**
 * Adds up the processor time of processes and all their descendants. Other work on the machine makes a search slower,
 * but not its processor time larger. So processor times can be compared when times by the clock cannot.
 *
 * @param groups process ids by name. A process counts for the group of its nearest ancestor that has one.
 * @returns undefined if there is no /proc, or a process is not in it.
 */
export async function cpuTimes(groups: Record<string, readonly number[]>): Promise<CpuTimes | undefined> {
  const processes = await readProcesses();
  const groupOf = new Map(Object.entries(groups).flatMap(([name, pids]) => pids.map((pid) => [pid, name])));
  if (![...groupOf.keys()].every((pid) => processes.has(pid))) return undefined;
  const times: CpuTimes = Object.fromEntries(Object.keys(groups).map((name) => [name, 0]));
  for (const [pid, { seconds }] of processes) {
    let at: number | undefined = pid;
    while (at !== undefined && !groupOf.has(at)) at = processes.get(at)?.parent;
    const name = at === undefined ? undefined : groupOf.get(at);
    if (name !== undefined) times[name] = (times[name] ?? 0) + seconds;
  }
  return times;
}

async function readProcesses(): Promise<Map<number, Process>> {
  const names = await readdir('/proc').catch(() => []);
  const found = new Map<number, Process>();
  for (const name of names.filter((entry) => /^\d+$/.test(entry))) {
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => undefined);
    // The second field is the name of the program in parentheses, which may hold any character. The third is the state.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields === undefined) continue; // The process has ended.
    const [, parent, utime, stime] = [fields[0], fields[1], fields[11], fields[12]].map(Number);
    found.set(Number(name), {
      parent: parent ?? 0,
      seconds: ((utime ?? 0) + (stime ?? 0)) / ticksPerSecond,
    });
  }
  return found;
}
