import { runLong } from '../support/long-run.ts';

// `npm run test:fuzz [operations] [seed]`

await runLong({
  script: 'test:fuzz',
  file: 'test/fuzz',
  test: 'do not fail the server',
  variables: { count: 'FUZZ_OPERATIONS', seed: 'FUZZ_SEED' },
});
