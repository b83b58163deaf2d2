/**
 * The URL's parts. Several hosts may stand in it (`postgres://one,two/name`, tried in turn), which WHATWG URLs do
 * not know: all but the first are left out.
 */
function parseUrl(url: string): URL | undefined {
  const first = url.replace(/^(postgres(?:ql)?:\/\/(?:[^@/]*@)?[^,/?@]*)(?:,[^/?@]*)/i, '$1');
  return URL.canParse(first) ? new URL(first) : undefined;
}

/** The URL itself when it can name a PostgreSQL database; undefined when it cannot. */
export function parseDatabaseUrl(text: string): string | undefined {
  const url = parseUrl(text);
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol)) return undefined;
  // postgres.js decodes the whole URL, and throws a URIError at a bare %.
  if (/%(?![0-9a-f]{2})/i.test(text)) return undefined;
  // What stands behind a bare `/`, `?` or `#` of a password was taken for path, query or fragment.
  if (url.hash !== '' || url.pathname.includes('@') || /@/.test(url.search.split('=')[0] ?? ''))
    return undefined;
  return text;
}

/** Where a database is, without user, password or options: for messages and logs. */
export function describeDatabaseUrl(text: string): string {
  const url = parseUrl(text);
  if (url === undefined) return 'a database';
  const host = url.searchParams.get('host') ?? (decodeURIComponent(url.hostname) || 'localhost');
  const port = url.searchParams.get('port') ?? (url.port || '5432');
  return `${decodeURIComponent(url.pathname.slice(1)) || '(default database)'} on ${host}:${port}`;
}
