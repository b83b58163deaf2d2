import './production.ts';
import { main } from './cli/main.ts';

const status = await main(process.argv.slice(2));
// Not left to the event loop: a server that fails while it starts may still be loading its model.
process.stdout.write('', () => process.exit(status));
