import { readFileSync } from 'node:fs';

/** How a parameter of libpq is treated in a URL. `ignored` says so in one line at the start; `refused` is a wrong setting. */
export type Treatment = 'understood' | 'ignored' | 'refused';

/** libpq's parameters, and what funes does with each. docs/postgresql.md has the same table. Other names go to the server as settings. */
export const urlParameters: Readonly<Record<string, Treatment>> = {
  host: 'understood',
  hostaddr: 'understood',
  port: 'understood',
  dbname: 'understood',
  user: 'understood',
  password: 'understood',
  passfile: 'refused',
  require_auth: 'refused',
  channel_binding: 'understood',
  connect_timeout: 'ignored',
  client_encoding: 'ignored',
  options: 'understood',
  application_name: 'understood',
  fallback_application_name: 'ignored',
  keepalives: 'ignored',
  keepalives_idle: 'ignored',
  keepalives_interval: 'ignored',
  keepalives_count: 'ignored',
  tcp_user_timeout: 'ignored',
  replication: 'refused',
  gssencmode: 'understood',
  sslmode: 'understood',
  requiressl: 'refused',
  sslnegotiation: 'understood',
  sslcompression: 'ignored',
  sslcert: 'understood',
  sslkey: 'understood',
  sslkeylogfile: 'refused',
  sslpassword: 'understood',
  sslcertmode: 'ignored',
  sslrootcert: 'understood',
  sslcrl: 'understood',
  sslcrldir: 'refused',
  sslsni: 'understood',
  requirepeer: 'refused',
  ssl_min_protocol_version: 'understood',
  ssl_max_protocol_version: 'understood',
  min_protocol_version: 'ignored',
  max_protocol_version: 'ignored',
  krbsrvname: 'ignored',
  gsslib: 'ignored',
  gssdelegation: 'ignored',
  scram_client_key: 'refused',
  scram_server_key: 'refused',
  service: 'refused',
  servicefile: 'refused',
  target_session_attrs: 'understood',
  load_balance_hosts: 'understood',
  oauth_issuer: 'refused',
  oauth_client_id: 'refused',
  oauth_client_secret: 'refused',
  oauth_scope: 'refused',
  pgbouncer: 'understood',
};

const values: Readonly<Record<string, readonly string[]>> = {
  sslmode: ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'],
  channel_binding: ['disable', 'prefer', 'require'],
  gssencmode: ['disable', 'prefer'],
  sslnegotiation: ['postgres', 'direct'],
  sslsni: ['0', '1'],
  target_session_attrs: ['any', 'read-write', 'primary'],
  load_balance_hosts: ['disable', 'random'],
  pgbouncer: ['true', 'false'],
  ssl_min_protocol_version: ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'],
  ssl_max_protocol_version: ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'],
};

const files = ['sslcert', 'sslkey', 'sslrootcert', 'sslcrl'];

/** Where a server listens: a host, or the folder of a unix socket, which begins with a slash. */
export interface ServerAddress {
  readonly host: string;
  /** Where to connect to, if that is not `host`. */
  readonly address: string | undefined;
  readonly port: number;
}

/** What a URL says. */
export interface ConnectionUrl {
  readonly addresses: readonly ServerAddress[];
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  /** The parameters of libpq that are understood, and `pgbouncer`. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Other parameters, which go to the server as settings of the session. */
  readonly settings: Readonly<Record<string, string>>;
}

const form =
  /^postgres(?:ql)?:\/\/(?:(?<user>[^@:/?#]*)(?::(?<password>[^@/?#]*))?@)?(?<hosts>[^/?#@]*)(?:\/(?<database>[^?#@]*))?(?:\?(?<query>[^#]*))?$/i;

/** Takes a URL of libpq apart. Undefined if it is none. */
export function parseConnectionUrl(text: string): ConnectionUrl | undefined {
  // A % that is not followed by two hexadecimal digits encodes nothing.
  if (/%(?![0-9a-f]{2})/i.test(text)) return undefined;
  const parts = form.exec(text)?.groups;
  if (parts === undefined) return undefined;
  try {
    const query: Record<string, string> = {};
    for (const pair of (parts.query ?? '').split('&').filter((one) => one !== '')) {
      const [, name = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(pair) ?? [];
      // A `?` in a password that is not encoded makes the rest of the password a query.
      if (name.includes('@')) return undefined;
      query[decodeURIComponent(name)] = decodeURIComponent(value);
    }
    const addresses = addressesOf(parts.hosts ?? '', query);
    if (addresses === undefined) return undefined;
    const known = (name: string) => Object.hasOwn(urlParameters, name);
    const pick = (wanted: boolean) =>
      Object.fromEntries(Object.entries(query).filter(([name]) => known(name) === wanted));
    return {
      addresses,
      user: decoded(parts.user) ?? query.user,
      password: decoded(parts.password) ?? query.password,
      database: decoded(parts.database) ?? query.dbname,
      parameters: pick(true),
      settings: pick(false),
    };
  } catch {
    return undefined; // bytes that are not UTF-8
  }
}

const decoded = (text: string | undefined) =>
  text === undefined || text === '' ? undefined : decodeURIComponent(text);

function addressesOf(authority: string, query: Record<string, string>): ServerAddress[] | undefined {
  const listed =
    authority === '' ? [] : authority.split(',').map((one) => /^(\[[^\]]+\]|[^:[\]]*)(?::(\d*))?$/.exec(one));
  if (listed.includes(null)) return undefined;
  const split = (name: string) => (query[name] ? query[name].split(',') : []);
  const hosts = query.host ? split('host') : listed.map((one) => decodeURIComponent(one?.[1] ?? ''));
  const numeric = split('hostaddr');
  const ports = query.port ? split('port') : listed.map((one) => one?.[2] ?? '');
  const count = Math.max(hosts.length, numeric.length, 1);
  if (numeric.length > 0 && hosts.length > 0 && numeric.length !== hosts.length) return undefined;
  if (ports.length > 1 && ports.length !== count) return undefined;
  const addresses = Array.from({ length: count }, (_, i) => {
    const host = (hosts[i] ?? '').replace(/^\[(.*)\]$/, '$1');
    return {
      host: host || numeric[i] || process.env.PGHOST || 'localhost',
      address: numeric[i],
      port: Number((ports.length === 1 ? ports[0] : ports[i]) || process.env.PGPORT || 5432),
    };
  });
  return addresses.every(({ port }) => Number.isInteger(port) && port > 0 && port < 65_536)
    ? addresses
    : undefined;
}

/** What is wrong with the parameters of a URL, in sentences that do not show its values. */
export function parameterProblems(setting: string, { parameters }: ConnectionUrl): string[] {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(parameters)) {
    const allowed = values[name];
    if (urlParameters[name] === 'refused') {
      problems.push(
        `${setting} has the parameter ${name}, which funes does not know how to obey. Leave it out.`,
      );
    } else if (allowed !== undefined && !allowed.includes(value)) {
      problems.push(`The parameter ${name} of ${setting} must be one of ${allowed.join(', ')}.`);
    } else if (
      files.includes(name) &&
      !(name === 'sslrootcert' && value === 'system') &&
      !isReadable(value)
    ) {
      problems.push(`The file that ${name} of ${setting} names cannot be read.`);
    }
  }
  return problems;
}

/** The lines of the start about parameters that are ignored. */
export function ignoredParameters(setting: string, { parameters }: ConnectionUrl): string[] {
  const names = Object.keys(parameters).filter((name) => urlParameters[name] === 'ignored');
  return [
    ...(names.length > 0 ? [`${setting} has parameters that funes ignores: ${names.join(', ')}.`] : []),
    ...(parameters.channel_binding === 'require'
      ? [
          `${setting} asks for channel binding, which funes does not do. sslmode=verify-full keeps others from listening, too.`,
        ]
      : []),
  ];
}

function isReadable(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}
