#!/usr/bin/env node
// The command `funes`. A clone of the repository has the source, which tsx lets Node load. The package has what was built of it.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const source = new URL('../src/main.ts', import.meta.url);
if (existsSync(source)) {
  // tsx would read tsconfig.json of the working folder. An environment variable also reaches the processes that are started.
  process.env.TSX_TSCONFIG_PATH ??= fileURLToPath(new URL('../tsconfig.json', import.meta.url));
  const { register } = await import('tsx/esm/api');
  register();
  await import(source.href);
} else {
  await import('../dist/main.js');
}
