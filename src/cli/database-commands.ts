import { archiveCommand } from './commands/archive.ts';
import { backupCommand } from './commands/backup.ts';
import { doctorCommand } from './commands/doctor.ts';
import { exportCommand } from './commands/export.ts';
import { importCommand } from './commands/import.ts';
import { ingestCommand } from './commands/ingest.ts';
import { keysCommand } from './commands/keys.ts';
import { migrateCommand } from './commands/migrate.ts';
import { moveCommand } from './commands/move.ts';
import { reembedCommand } from './commands/reembed.ts';
import { rolesCommand } from './commands/roles.ts';
import type { DatabaseCommand } from './context.ts';

/** The commands that work on the database, in the order of the help. The server runs these, and no others, for other processes. */
export const databaseCommands: readonly DatabaseCommand[] = [
  migrateCommand,
  keysCommand,
  rolesCommand,
  ingestCommand,
  exportCommand,
  importCommand,
  archiveCommand,
  reembedCommand,
  doctorCommand,
  backupCommand,
  moveCommand,
];
