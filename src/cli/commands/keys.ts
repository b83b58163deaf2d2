import { Command, Option } from '@commander-js/extra-typings';
import type { Pool } from '../../database/pool.ts';
import type { KeyRow } from '../../security/keys.ts';
import type { ViewerRole } from '../../viewer.ts';
import { type DatabaseCommand, jsonHelp } from '../context.ts';
import { parseTimeOption } from '../time-option.ts';

/** `funes keys create`, `funes keys list` and `funes keys revoke` */
export const keysCommand: DatabaseCommand = (onDatabase) => {
  const keys = new Command('keys').description('Make, list and revoke the API keys of FUNES_AUTH=keys.');

  keys
    .command('create')
    .description('Make a key and print it, this once only.')
    .requiredOption('--user <name>', 'the user whose rows the key has')
    .addOption(
      new Option('--role <role>', 'what the key may do').choices(['admin', 'user', 'reader']).default('user'),
    )
    .option('--expires <date>', 'when the key ends, such as 2027-01-31T00:00:00Z')
    .option('--json', jsonHelp)
    .action((options) =>
      onDatabase(options, async ({ pool, print }) => {
        const { createKey } = await import('../../security/keys.ts');
        const { commandLineViewer } = await import('../../viewer.ts');
        const input = {
          userId: options.user,
          role: options.role as ViewerRole, // one of the choices
          expiresAt:
            options.expires === undefined
              ? null
              : await parseTimeOption(options.expires, '--expires must be'),
        };
        const names = { userId: '--user', role: '--role', expiresAt: '--expires' };
        const { key, row } = await createKey(pool, commandLineViewer, input, names);
        print(key, { key, ...row });
      }),
    );

  keys
    .command('list')
    .description('List all keys, newest first. None shows the key itself.')
    .option('--json', jsonHelp)
    .action((options) =>
      onDatabase(options, async ({ pool, print }) => {
        const rows = await readEveryKey(pool);
        print(rows.length === 0 ? 'There are no keys.' : rows.map(lineOf).join('\n'), { keys: rows });
      }),
    );

  keys
    .command('revoke')
    .description('Revoke a key for ever.')
    .argument('<id>', 'the id that "funes keys list" shows')
    .option('--json', jsonHelp)
    .action((id, options) =>
      onDatabase(options, async ({ pool, print }) => {
        const { revokeKey } = await import('../../security/keys.ts');
        const { commandLineViewer } = await import('../../viewer.ts');
        const row = await revokeKey(pool, commandLineViewer, id, 'ID');
        print(`Revoked the key ${row.prefix}… of ${row.userId}.`, { ...row });
      }),
    );

  return keys;
};

async function readEveryKey(pool: Pool): Promise<KeyRow[]> {
  const { readKeys } = await import('../../security/keys.ts');
  const { localViewer } = await import('../../viewer.ts');
  const rows: KeyRow[] = [];
  for (let after: string | null = null; ; ) {
    const page = await readKeys(pool, localViewer, { first: 200, after });
    rows.push(...page.edges.map(({ node }) => node));
    if (!page.pageInfo.hasNextPage) return rows;
    after = page.pageInfo.endCursor;
  }
}

function lineOf({ id, prefix, userId, role, createdAt, lastUsedAt, expiresAt, revokedAt }: KeyRow): string {
  const day = (date: Date) => date.toISOString().slice(0, 16).replace('T', ' ');
  return [
    `${id}  ${prefix}…  ${role} ${userId}, made ${day(createdAt)}`,
    ...(lastUsedAt ? [`last used ${day(lastUsedAt)}`] : ['never used']),
    ...(expiresAt ? [`until ${day(expiresAt)}`] : []),
    ...(revokedAt ? [`revoked ${day(revokedAt)}`] : []),
  ].join(', ');
}
