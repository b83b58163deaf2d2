import './production.ts';
import { exampleQueries } from '../resolvers/examples.ts';
import { startFunes } from './composition.ts';
import { loadConfig } from './config.ts';
import { FunesError } from './errors.ts';
import { createLogger } from './log.ts';

async function main(): Promise<void> {
  const began = performance.now();
  const config = loadConfig();
  const log = createLogger({ level: config.logLevel });
  const server = await startFunes(config, log);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  process.stdout.write(`
funes is listening on ${server.url} (ready after ${seconds} s)
  GraphQL   ${server.url}/graphql
  Explorer  ${server.url}/
  Database  ${server.database}
  Model     ${server.model}
  Access    ${server.access}

Open the explorer and paste a first query:

${exampleQueries[0]?.query.trim().replace(/^/gm, '  ')}

"npm run demo" in another terminal stores texts to search. Ctrl+C stops the server.

`);
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    server.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'The server did not stop cleanly.');
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

main().catch((error: unknown) => {
  process.stderr.write(
    error instanceof FunesError ? `funes: ${error.message}\n` : `funes: ${(error as Error).stack}\n`,
  );
  process.exit(1);
});
