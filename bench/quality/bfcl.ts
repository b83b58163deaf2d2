import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSet, Item } from './data-set.ts';
import { hitAt } from './measures.ts';

const questionsFile = 'bfcl/BFCL_v4_live_multiple.json';
const answersFile = 'bfcl/possible_answer/BFCL_v4_live_multiple.json';

interface Task {
  id: string;
  question: [{ role: string; content: string }[]];
  function: { name: string; description: string }[];
}

interface Gold {
  id: string;
  ground_truth: Record<string, unknown>[];
}

/**
 * Requests of users, each with the right tool (Berkeley Function-Calling Leaderboard, "live multiple": Patil et al., ICML
 * 2025). The set offers two to some thirty tools for each request. Here, every request must find its tool among the tools
 * of all requests.
 */
export const bfcl: DataSet = {
  name: 'bfcl',
  title: 'BFCL live multiple',
  kind: 'tool',
  files: [questionsFile, answersFile],
  k: 10,
  measures: [hitAt(1), hitAt(10)],
  read: async (folder) => {
    const tasks = await readLines<Task>(join(folder, questionsFile));
    const gold = new Map((await readLines<Gold>(join(folder, answersFile))).map((line) => [line.id, line]));
    const questions = tasks.map(({ id, question }) => ({
      text: question[0].map(({ content }) => content).join('\n'),
      relevant: new Map(
        (gold.get(id)?.ground_truth ?? []).flatMap((call) => Object.keys(call)).map((key) => [key, 1]),
      ),
    }));
    return [{ user: 'bfcl', items: pooledTools(tasks), questions }];
  },
};

/**
 * Returns the distinct pairs of name and description. Half of the names have several descriptions, but the name of a stored
 * tool is unique. So a name gets blanks at its end for each further description, which neither the model nor text search
 * sees.
 */
function pooledTools(tasks: readonly Task[]): Item[] {
  const descriptions = new Map<string, Set<string>>();
  for (const { name, description } of tasks.flatMap((task) => task.function)) {
    const known = descriptions.get(name);
    if (known) known.add(description);
    else descriptions.set(name, new Set([description]));
  }
  const tools = [...descriptions].flatMap(([key, texts]) =>
    [...texts].map((text, i) => ({ key, text, name: key + ' '.repeat(i) })),
  );
  // registerTools stores tools in the order of their names.
  return tools.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function readLines<Line>(path: string): Promise<Line[]> {
  return (await readFile(path, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
