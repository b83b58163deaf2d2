import '../../src/production.ts';
import { startApi, startBackend } from '../../src/composition.ts';
import { loadConfig } from '../../src/config.ts';
import { createLogger } from '../../src/log.ts';

// The server as `npm start` runs it, but each request is by the user that the argument names, in the role `user`.

const [userId] = process.argv.slice(2);
if (userId === undefined) throw new Error('Name the user whose server this is.');
const config = loadConfig();
const log = createLogger({ level: config.logLevel });
const backend = await startBackend(config, log);
const api = await startApi(config, backend.services, { authenticate: () => ({ userId, role: 'user' }) });
process.once('SIGTERM', async () => {
  await api.close();
  await backend.close();
  process.exit(0);
});
process.stdout.write(`funes is listening on ${api.url} for ${userId}\n`);
