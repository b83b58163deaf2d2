import { runLong } from '../support/long-run.ts';

// `npm run test:isolation [requests] [seed]`

await runLong({
  script: 'test:isolation',
  file: 'test/isolation/isolation.test.ts',
  test: 'learn and change nothing',
  variables: { count: 'ISOLATION_REQUESTS', seed: 'ISOLATION_SEED' },
});
