import './production.ts';
import { main } from './cli/main.ts';

const status = await main(process.argv.slice(2));
// Not left to the event loop: a server that fails while it starts may still be connecting to its database.
process.stdout.write('', () => process.exit(status));
