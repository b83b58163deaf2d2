import { defineConfig } from 'vitest/config';

/** `npm run test:browser`: the pages in a real Chromium (CHROMIUM_PATH, default /usr/bin/chromium) on a real server. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.browser.ts'],
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
