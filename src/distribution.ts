import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** The folder that has package.json. The build puts all of its modules into one folder there, beside which `src` stands. */
export const root = new URL('..', import.meta.url);

/** The version of the package. */
export const version: string = JSON.parse(readFileSync(new URL('./package.json', root), 'utf8')).version;

/** Whether this is the built package. A clone of the repository runs its source. */
export const isBuilt = !import.meta.url.endsWith('.ts');

/** What people type to run something of this package or clone. */
export const commands = isBuilt
  ? // --no: without it, npx would ask the registry for a package of this name where funes is not installed.
    { serve: 'npx funes serve', demo: 'npx --no funes-demo', demoOf: 'npx --no funes-demo' }
  : { serve: 'npm start', demo: 'npm run demo', demoOf: 'npm run demo --' };

/** A module that a thread or a process of its own runs. */
export interface Program {
  url: URL;
  /** The options with which Node can load the module. */
  execArgv: string[];
}

/**
 * Finds a program. Each has an entry in the build, too (`build/programs.ts`).
 * @param path the module's path in `src`, without extension.
 */
export function program(path: string): Program {
  if (isBuilt) return { url: new URL(`./${basename(path)}.js`, import.meta.url), execArgv: [] };
  const loader = new URL('./typescript-loader.mjs', import.meta.url);
  return { url: new URL(`./${path}.ts`, import.meta.url), execArgv: ['--import', loader.href] };
}
