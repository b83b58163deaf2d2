import { Command } from '@commander-js/extra-typings';
import { FunesError, quote } from '../../errors.ts';
import type { MemoryFilters } from '../../filters/filters.ts';
import type { MemoryRow } from '../../store/rows.ts';
import { type DatabaseCommand, jsonHelp } from '../context.ts';
import { count } from '../count.ts';
import { parseTimeOption } from '../time-option.ts';

/** `funes archive` */
export const archiveCommand: DatabaseCommand = (onDatabase) =>
  new Command('archive')
    .description(
      'Move memories into the archive, where no search finds them. Without --apply, only says which.',
    )
    .option('--older-than <age or date>', 'stored before this: 90d, or a date such as 2027-01-31T00:00:00Z')
    .option('--importance-below <number>', 'less important than this, 0 to 1')
    .option('--user <name>', 'only memories of this user')
    .option('--session <id>', 'only memories of this session')
    .option('--apply', 'archive them')
    .option('--json', jsonHelp)
    .action((options) => {
      const { olderThan, importanceBelow, user, session, apply = false } = options;
      return onDatabase(options, async ({ pool, print }) => {
        const { archiveMemories } = await import('../../store/memory-archive.ts');
        const { localViewer } = await import('../../viewer.ts');
        const { checkUserName } = await import('../../input/checks.ts');
        const filters: MemoryFilters = {
          ...(user !== undefined && { userId: { eq: checkUserName(user, '--user') } }),
          ...(session !== undefined && { sessionId: { eq: session } }),
        };
        if (olderThan === undefined && importanceBelow === undefined && Object.keys(filters).length === 0) {
          throw new FunesError(
            'BAD_USER_INPUT',
            'Nothing says which memories to archive. Give at least one of --older-than, --importance-below, --user and --session.',
          );
        }
        const { count: archived, sample } = await archiveMemories({ database: pool }, localViewer, {
          filters,
          ...(olderThan !== undefined && { olderThan: await parseAge(olderThan) }),
          ...(importanceBelow !== undefined && { importanceBelow: parseImportance(importanceBelow) }),
          dryRun: !apply,
        });
        const memories = count(archived, 'memory', 'memories');
        const text = apply
          ? `Archived ${memories}. The API restores them (restoreMemories, restoreMemoriesWhere).`
          : [`${memories} would be archived. Add --apply to do it.`, ...sample.map(lineOf)].join('\n');
        print(text, { applied: apply, count: archived, sample });
      });
    });

/** Returns the time that a date or an age in days names. */
async function parseAge(text: string): Promise<Date> {
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  if (days !== undefined) return new Date(Date.now() - Number(days) * 24 * 60 * 60 * 1000);
  return parseTimeOption(text, '--older-than must be an age in days, such as 90d, or');
}

function parseImportance(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= 0 && value <= 1) return value;
  throw new FunesError(
    'BAD_USER_INPUT',
    `--importance-below must be a number from 0 to 1, not ${quote(text)}.`,
  );
}

const lineOf = ({ id, userId, createdAt, content }: MemoryRow): string =>
  `${id}  ${userId}, ${createdAt.toISOString().slice(0, 10)}  ${quote(content)}`;
