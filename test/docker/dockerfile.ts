import { cp, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { succeed } from '../package/registry.ts';

/** One line of a Dockerfile: its instruction, and what follows it. */
interface Line {
  instruction: string;
  rest: string;
}

/** What the lines of one stage have made. */
export interface Stage {
  /** The folder that stands for the root of its file system. */
  root: string;
  workdir: string;
  env: Record<string, string>;
  /** How its container starts, and how it is found healthy. Absolute paths are inside `root`. */
  command: readonly string[];
  health: readonly string[];
}

/** The parts of the base image that lines of the Dockerfile name. */
const imagePaths = /(?<=^|[\s=:])\/(app|data)(?=[/\s]|$)/g;

/**
 * Carries out the steps of a Dockerfile, each stage in a folder of its own: COPY, RUN, ENV and WORKDIR. The base image is this
 * machine, and the user is the one who runs this. Any instruction that is unknown here is an error.
 * @param context the folder that is sent to Docker. Of it, only what .dockerignore names can be copied.
 * @returns the last stage.
 */
export async function carryOut(
  context: string,
  folder: string,
  machine: Record<string, string>,
): Promise<Stage> {
  const sent = await sentNames(context);
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const { instruction, rest } of linesOf(await readFile(join(context, 'Dockerfile'), 'utf8'))) {
    if (instruction === 'FROM') {
      const [, image = '', name = 'last'] = /^(\S+)(?: AS (\S+))?$/i.exec(rest) ?? [];
      if (!/^node:20-/.test(image)) throw new Error(`The base image ${image} was not expected.`);
      stage = { root: join(folder, name), workdir: '/', env: {}, command: [], health: [] };
      await mkdir(stage.root);
      stages.set(name, stage);
      continue;
    }
    if (stage === undefined) throw new Error(`${instruction} stands before FROM.`);
    const { root } = stage;
    const inside = (text: string) => text.replace(imagePaths, (path) => join(root, path));
    switch (instruction) {
      case 'WORKDIR':
        stage.workdir = rest;
        await mkdir(join(root, rest), { recursive: true });
        break;
      case 'ENV':
        for (const [, name = '', value = ''] of rest.matchAll(/(\w+)=(\S+)/g))
          stage.env[name] = inside(value);
        break;
      case 'COPY':
        await copy(stage, rest, context, sent, stages);
        break;
      case 'RUN':
        // Without being root nobody can make a file somebody else's, and the image's user is not on this machine.
        await succeed('sh', ['-c', inside(rest).replaceAll(/\bchown node:node\b/g, 'test -d')], {
          cwd: join(root, stage.workdir),
          env: { ...machine, ...stage.env },
        });
        break;
      case 'CMD':
        stage.command = JSON.parse(rest);
        break;
      case 'HEALTHCHECK':
        stage.health = JSON.parse(rest.slice(rest.indexOf('[')));
        break;
      case 'EXPOSE':
      case 'USER':
      case 'VOLUME':
        break;
      default:
        throw new Error(`${instruction} was not expected.`);
    }
  }
  if (stage === undefined) throw new Error('The Dockerfile has no FROM.');
  return stage;
}

function linesOf(dockerfile: string): Line[] {
  const lines = dockerfile
    .replace(/^\s*#.*$/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n');
  return lines
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, instruction = '', rest = ''] = /^(\S+)\s+(.*?)\s*$/.exec(line) ?? [];
      return { instruction: instruction.toUpperCase(), rest };
    });
}

/** The names of the context's root that .dockerignore lets through. */
async function sentNames(context: string): Promise<ReadonlySet<string>> {
  const patterns = (await readFile(join(context, '.dockerignore'), 'utf8'))
    .split('\n')
    .filter((line) => /^[^#\s]/.test(line));
  const [everything, ...exceptions] = patterns;
  if (everything !== '*' || exceptions.some((line) => !/^![\w.-]+$/.test(line))) {
    throw new Error('.dockerignore was expected to leave out everything, and then to name what is sent.');
  }
  return new Set(exceptions.map((line) => line.slice(1)));
}

async function copy(
  { root, workdir }: Stage,
  rest: string,
  context: string,
  sent: ReadonlySet<string>,
  stages: ReadonlyMap<string, Stage>,
): Promise<void> {
  const words = rest.split(/\s+/);
  const from = words[0]?.startsWith('--from=')
    ? stages.get(words.shift()?.slice('--from='.length) ?? '')
    : undefined;
  if (words[0]?.startsWith('--')) throw new Error(`COPY ${rest} was not expected.`);
  const destination = words.pop() ?? '';
  for (const source of words) {
    if (from === undefined && !sent.has(source))
      throw new Error(`.dockerignore does not let ${source} through.`);
    const path = join(from?.root ?? context, source);
    // As Docker does: a file goes into a folder, and what is in a folder goes into the other folder.
    const target = join(root, workdir, destination.endsWith('/') ? join(destination, source) : destination);
    await mkdir(dirname(target), { recursive: true });
    await cp(path, target, { recursive: true });
  }
}
