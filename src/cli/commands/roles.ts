import { Command } from '@commander-js/extra-typings';
import { FunesError } from '../../errors.ts';
import { type DatabaseCommand, jsonHelp } from '../context.ts';

/** `funes roles` */
export const rolesCommand: DatabaseCommand = (onDatabase) =>
  new Command('roles')
    .description(
      'Print the SQL that makes the roles of the database, with what a server needs and nothing else.',
    )
    .option('--login <name>', 'also make a role that a server can log in as, and that owns nothing')
    .option('--apply', 'run the statements as the owner of the tables, instead of printing them')
    .option('--json', jsonHelp)
    .action((options) =>
      onDatabase(
        options,
        async ({ pool, config, print }) => {
          const { login } = options;
          if (config.databaseUrl === undefined) throw embedded();
          const { applyRoles, readRoleStatements } = await import('../../database/role-script.ts');
          if (options.apply !== true) {
            const statements = await readRoleStatements(pool, login);
            return print(scriptOf(statements, login), { statements });
          }
          const { changed, grants, isNewLogin } = await applyRoles(pool, login);
          const lines = [
            ...changed.map((statement) => `${statement};`),
            `The roles and their ${grants.length} grants are as this version of funes needs them.`,
            ...(isNewLogin ? [`Set a password for the new role, in psql: ${passwordCommand(login)}`] : []),
          ];
          print(lines.join('\n'), { applied: [...changed, ...grants] });
        },
        'owner',
      ),
    );

function scriptOf(statements: readonly string[], login: string | undefined): string {
  return [
    '-- What funes needs in this database, and nothing else. Run it as the owner of the tables or as a superuser.',
    ...statements.map((statement) => `${statement};`),
    ...(login === undefined
      ? []
      : [
          `-- Set the password of the role in psql, which sends it encrypted and keeps it out of files: ${passwordCommand(login)}`,
        ]),
  ].join('\n');
}

/** psql folds a name without quotes to lower case. */
const passwordCommand = (login = ''): string =>
  `\\password ${/^[a-z_][a-z0-9_]*$/.test(login) ? login : `"${login}"`}`;

function embedded(): FunesError {
  return new FunesError(
    'BAD_USER_INPUT',
    'The embedded database makes its roles itself, and only funes can log in to it. "funes roles" is for a PostgreSQL server: set ' +
      'DATABASE_URL.',
  );
}
