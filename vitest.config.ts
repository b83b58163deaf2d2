import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    // Vite takes graphql's ES module, the packages that Node loads take its CommonJS one, and graphql refuses objects
    // that another copy of it made.
    alias: [{ find: /^graphql$/, replacement: file('./node_modules/graphql/index.js') }],
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: [file('./test/support/database-template.ts')],
    // Each file has its own process, so its own database and event loop; two at a time, as each brings an engine.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
