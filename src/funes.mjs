#!/usr/bin/env node
// The command `funes` of the installed package: it lets Node load TypeScript, then runs it.
import { fileURLToPath } from 'node:url';
import { register } from 'tsx/esm/api';

// tsx would read tsconfig.json of the working folder. An environment variable also reaches the processes that are started.
process.env.TSX_TSCONFIG_PATH ??= fileURLToPath(new URL('../tsconfig.json', import.meta.url));
register();
await import('./main.ts');
