import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'vitest';

const run = promisify(execFile);

/** Environments in which nothing but some hosts can be reached. */
export interface Enclosure {
  /** For npm: the registry and loopback addresses can be reached. npm has its defaults, an empty home, and no npmrc. */
  readonly npm: Record<string, string>;
  /** For what has been installed: loopback addresses alone can be reached. */
  readonly alone: Record<string, string>;
  /** Which hosts were tried that could not be reached, each with the process that tried. */
  refused(): Promise<string[]>;
}

/** How npm reaches the registry from this machine. Credentials are not among it. */
const waysToTheRegistry = ['registry', 'cafile', 'https-proxy', 'proxy'] as const;

/** @param folder a new folder for what the enclosure needs. */
export async function enclose(folder: string): Promise<Enclosure> {
  const home = join(folder, 'home');
  await mkdir(home, { recursive: true });
  const refusedHosts = join(folder, 'refused');
  await writeFile(refusedHosts, '');

  const ways: Record<string, string> = {};
  const hosts = new Set<string>();
  for (const name of waysToTheRegistry) {
    const value = await npmSetting(name);
    if (value === undefined) continue;
    ways[`npm_config_${name.replace('-', '_')}`] = value;
    if (URL.canParse(value)) hosts.add(new URL(value).hostname);
  }
  const guard = pathToFileURL(join(import.meta.dirname, 'only-hosts.mjs')).href;
  const alone = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    NODE_OPTIONS: `--import ${guard}`,
    REFUSED_HOSTS: refusedHosts,
    ONLY_HOSTS: '',
    // For what is not written for Node. Nothing listens on this port.
    http_proxy: 'http://127.0.0.1:9',
    https_proxy: 'http://127.0.0.1:9',
    no_proxy: '127.0.0.1,localhost',
  };
  return {
    alone,
    npm: {
      ...alone,
      ONLY_HOSTS: [...hosts].join(','),
      no_proxy: [alone.no_proxy, ...hosts].join(','),
      npm_config_globalconfig: join(home, 'no-npmrc'),
      npm_config_cache: (await npmSetting('cache')) ?? join(home, '.npm'),
      ...ways,
    },
    refused: async () => (await readFile(refusedHosts, 'utf8')).split('\n').filter(Boolean),
  };
}

async function npmSetting(name: string): Promise<string | undefined> {
  const { stdout } = await run('npm', ['config', 'get', name]);
  const value = stdout.trim();
  return value === '' || value === 'null' || value === 'undefined' ? undefined : value;
}

/** Runs a program to its end. An error has all that the program printed. */
export async function succeed(
  program: string,
  args: readonly string[],
  options: { cwd: string; env: Record<string, string> },
): Promise<string> {
  try {
    const { stdout } = await run(program, args, { ...options, maxBuffer: 64 * 1024 ** 2 });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

/** Fails unless the enclosure holds: a host that is not allowed is refused, and noted. */
export async function expectToHold({ alone, npm, refused }: Enclosure, cwd: string): Promise<void> {
  const before = await refused();
  // Node has two clients of HTTP. The address is one for documentation, which nobody has.
  const attempts = [
    "fetch('http://192.0.2.1/').then(() => process.exit(1), () => process.exit(0))",
    "require('https').get('https://192.0.2.1/', () => process.exit(1)).on('error', () => process.exit(0))",
  ];
  for (const env of [alone, npm]) {
    for (const attempt of attempts) await succeed(process.execPath, ['--eval', attempt], { cwd, env });
  }
  const noted = (await refused()).slice(before.length).map((line) => line.split(' ')[0]);
  expect(noted).toEqual(['192.0.2.1:80', '192.0.2.1:443', '192.0.2.1:80', '192.0.2.1:443']);
}
