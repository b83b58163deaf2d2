import { defineConfig } from 'vitest/config';

/** `npm run test:package`: the package as npm installs it, and the container's steps. Needs the registry. */
export default defineConfig({
  test: {
    include: ['test/**/*.package.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 900_000,
    hookTimeout: 900_000,
  },
});
