import { runLong } from '../support/long-run.ts';

// `npm run test:crash [kills]`

await runLong({
  script: 'test:crash',
  file: 'test/crash',
  variables: { count: 'CRASH_KILLS' },
  counted: { name: 'kills', standard: 10 },
});
