/**
 * The parts of a URL. PostgreSQL allows several hosts (`postgres://one,two/name`) and WHATWG URLs do not, so all hosts but the
 * first are left out.
 */
function parseUrl(url: string): URL | undefined {
  const first = url.replace(/^(postgres(?:ql)?:\/\/(?:[^@/]*@)?[^,/?@]*)(?:,[^/?@]*)/i, '$1');
  return URL.canParse(first) ? new URL(first) : undefined;
}

/** Returns the URL if it can name a PostgreSQL database, otherwise undefined. */
export function parseDatabaseUrl(text: string): string | undefined {
  const url = parseUrl(text);
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol)) return undefined;
  // postgres.js decodes the whole URL, and throws a URIError if a % is not followed by two hexadecimal digits.
  if (/%(?![0-9a-f]{2})/i.test(text)) return undefined;
  // A `/`, `?` or `#` in a password that is not encoded makes the rest of the password a path, query or fragment.
  if (url.hash !== '' || url.pathname.includes('@') || /@/.test(url.search.split('=')[0] ?? ''))
    return undefined;
  return text;
}

/** Describes a database for messages and logs: its name, host and port, never user, password or options. */
export function describeDatabaseUrl(text: string): string {
  const url = parseUrl(text);
  if (url === undefined) return 'a database';
  const host = url.searchParams.get('host') ?? (decodeURIComponent(url.hostname) || 'localhost');
  const port = url.searchParams.get('port') ?? (url.port || '5432');
  return `${decodeURIComponent(url.pathname.slice(1)) || '(default database)'} on ${host}:${port}`;
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

const databaseOf = (url: string): string => decodeURIComponent(parseUrl(url)?.pathname.slice(1) ?? '');
