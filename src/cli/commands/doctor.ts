import { Command } from '@commander-js/extra-typings';
import type { Examination } from '../../doctor/doctor.ts';
import type { Finding, FindingCode } from '../../doctor/finding.ts';
import type { Mended } from '../../doctor/mend.ts';
import { FunesError, quote } from '../../errors.ts';
import { suggestion } from '../../suggestion.ts';
import { commandLineViewer } from '../../viewer.ts';
import { type DatabaseCommand, type DatabaseContext, jsonHelp } from '../context.ts';
import { count } from '../count.ts';
import { CommandError } from '../failure.ts';

/** `funes doctor` */
export const doctorCommand: DatabaseCommand = (onDatabase) =>
  new Command('doctor')
    .description(
      'Examine the database: migrations, tables, indexes, constraints, embeddings, chunks, rights and settings. Say what is wrong and ' +
        'what mends it. The exit status is 1 if something is wrong.',
    )
    .option('--fix <code>', 'run the statements that mend the findings of this code, or "all"')
    .option('--json', jsonHelp)
    .action((options) =>
      onDatabase(
        options,
        async (context) => {
          const { fix } = options;
          if (fix === undefined) return report(context);
          await repair(context, fix);
        },
        ...(options.fix === undefined ? [] : (['owner'] as const)),
      ),
    );

async function report({ pool, config, print }: DatabaseContext): Promise<void> {
  const { examine } = await import('../../doctor/doctor.ts');
  const { readOnlyFor } = await import('../../doctor/read-only.ts');
  const engine = config.databaseUrl === undefined ? 'embedded' : 'server';
  const examination = await examine(await readOnlyFor(pool, commandLineViewer), engine);
  print(describe(examination), examination);
  failWith(examination.findings);
}

async function repair({ pool, config, print }: DatabaseContext, code: string): Promise<void> {
  const { findingCodes } = await import('../../doctor/finding.ts');
  const { mend } = await import('../../doctor/mend.ts');
  const { readOnlyFor } = await import('../../doctor/read-only.ts');
  const codes: readonly string[] = findingCodes;
  if (code !== 'all' && !codes.includes(code))
    throw new CommandError(
      `${quote(code)} is no code of a finding.${suggestion(code, ['all', ...codes])} "funes doctor" prints the findings with their codes.`,
      2,
    );
  const engine = config.databaseUrl === undefined ? 'embedded' : 'server';
  const which = code === 'all' ? 'all' : [code as FindingCode];
  const read = await readOnlyFor(pool, commandLineViewer);
  const { mended, left } = await mend(pool, read, engine, which);
  const ofCode = left.findings.filter((finding) => code === 'all' || finding.code === code);
  print(describeMended(mended, ofCode, code), { mended: mended.map(plain), findings: ofCode });
  failWith(ofCode);
}

const plain = ({ finding, failure }: Mended) => ({ ...finding, failure: failure ?? null });

/** A command that has printed what it found still fails, so that a script sees it. */
function failWith(findings: readonly Finding[]): void {
  if (findings.length === 0) return;
  throw new FunesError(
    'UNAVAILABLE',
    `${count(findings.length, 'finding')}: ${[...new Set(findings.map(({ code }) => code))].join(', ')}.`,
  );
}

function describe({ findings, postgres, vector, migrations }: Examination): string {
  const database = `PostgreSQL ${postgres}, pgvector ${vector ?? 'missing'}, ${migrations.applied} migrations`;
  if (findings.length === 0) return `Nothing is wrong (${database}).`;
  return [`${database}`, ...findings.flatMap(linesOf)].join('\n');
}

function linesOf({ code, problem, meaning, command, statements }: Finding): string[] {
  return [
    '',
    `${code}: ${problem}`,
    `  ${meaning}`,
    `  To mend it: ${command}`,
    ...statements.map((statement) => `    ${statement.replace(/\s+/g, ' ')};`),
  ];
}

function describeMended(mended: readonly Mended[], left: readonly Finding[], code: string): string {
  if (mended.length === 0 && left.length === 0)
    return code === 'all' ? 'Nothing is wrong that statements can mend.' : `There is no finding ${code}.`;
  return [
    ...mended.map(({ finding, failure }) =>
      failure === undefined
        ? `Mended: ${finding.problem}`
        : `Not mended: ${finding.problem} The database refuses: ${failure}`,
    ),
    ...left.filter(({ statements }) => statements.length === 0).flatMap(linesOf),
  ].join('\n');
}
