import { Command } from '@commander-js/extra-typings';
import { commands } from '../../distribution.ts';
import { FunesError } from '../../errors.ts';

/** `funes serve` */
export const serveCommand = () =>
  new Command('serve')
    .description('Start the server, until Ctrl+C or SIGTERM. It migrates the database first.')
    .action(serve);

async function serve(): Promise<void> {
  const began = performance.now();
  const { loadConfig } = await import('../../config.ts');
  const config = loadConfig();
  const { createLogger } = await import('../../log.ts');
  const log = createLogger({ level: config.logLevel });
  const { firstQuery, startFunes } = await import('../../composition.ts');
  const server = await startFunes(config, log).catch((error: unknown) => {
    log.debug({ err: error }, 'The server did not start.');
    throw error;
  });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  process.stdout.write(`
funes is listening on ${server.url} (ready after ${seconds} s)
  GraphQL   ${server.url}/graphql
  Explorer  ${server.url}/
  Database  ${server.database}
  Model     ${server.model}
  Access    ${server.access}

Open the explorer and paste a first query:

${firstQuery.replace(/^/gm, '  ')}

"${commands.demo}" in another terminal stores texts to search. Ctrl+C stops the server.

`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve).once('SIGTERM', resolve);
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {}); // it is stopping already
  await server.close().catch((error: unknown) => {
    log.error({ err: error }, 'The server did not stop cleanly.');
    throw new FunesError('INTERNAL_SERVER_ERROR', 'The server did not stop cleanly; its log says why.');
  });
}
