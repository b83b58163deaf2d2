import { parseConnectionUrl } from '../connection-url.ts';

/** Returns the URL if it can name a PostgreSQL database, otherwise undefined. */
export function parseDatabaseUrl(text: string): string | undefined {
  return parseConnectionUrl(text) === undefined ? undefined : text;
}

/** Describes a database for messages and logs: its name, and the first host with its port, never user, password or options. */
export function describeDatabaseUrl(text: string): string {
  const url = parseConnectionUrl(text);
  if (url === undefined) return 'a database';
  const [{ host, port } = { host: 'localhost', port: 5432 }] = url.addresses;
  const server = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return `${url.database ?? '(default database)'} on ${server}`;
}

/** What is wrong with the URL of the owner beside the URL of the server, in sentences. It shows if they name two databases. */
export function migrateUrlProblems(migrate: string | undefined, served: string | undefined): string[] {
  if (migrate === undefined || parseDatabaseUrl(migrate) === undefined) return [];
  if (served === undefined) {
    return [
      'FUNES_MIGRATE_URL is set, and DATABASE_URL is not: the embedded database would start. Set DATABASE_URL too.',
    ];
  }
  const [owners, servers] = [databaseOf(migrate), databaseOf(served)];
  if (owners === servers || owners === '' || servers === '') return [];
  return [
    'FUNES_MIGRATE_URL and DATABASE_URL name different databases: the one that is migrated would not be the one that is served. ' +
      'Name one database in both.',
  ];
}

const databaseOf = (url: string): string => parseConnectionUrl(url)?.database ?? '';
