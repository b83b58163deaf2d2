import { startEmbeddedDatabase } from '../../src/database/embedded/embedded-database.ts';

// A server with an embedded database that a test can kill: it starts on the folder it is given, says the engine's pid,
// and stays.
const database = await startEmbeddedDatabase({ dataDir: String(process.argv[2]) });
process.send?.({ enginePid: database.pid });
