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
