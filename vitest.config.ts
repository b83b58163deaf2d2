import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { temporaryFolder } from './test/support/temporary-folder.ts';

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    // Vite takes graphql's ES module, the packages that Node loads take its CommonJS one, and graphql refuses objects
    // that another copy of it made.
    alias: [{ find: /^graphql$/, replacement: file('./node_modules/graphql/index.js') }],
  },
  test: {
    include: ['test/**/*.test.ts'],
    env: { TMPDIR: temporaryFolder() },
    globalSetup: [file('./test/support/database-template.ts')],
    // Two workers, as each brings an engine. A worker runs one file after another without loading the code or starting the
    // engine again; each file gets a database of its own.
    pool: 'forks',
    maxWorkers: 2,
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
