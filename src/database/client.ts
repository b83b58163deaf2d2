import type { Logger } from 'pino';
import postgres, { type Options, type Sql } from 'postgres';
import { parseConnectionUrl } from '../connection-url.ts';
import type { EmbeddedConnection } from './embedded/embedded-database.ts';
import { socketsTo } from './socket.ts';

export interface ClientOptions {
  database: string | EmbeddedConnection;
  connections: number;
  connectTimeoutMs: number;
  /** Whether to use named prepared statements. */
  prepare: boolean;
  /** The parameters with which a session starts. */
  session: Readonly<Record<string, string>>;
  applicationName: string;
  logger: Pick<Logger, 'debug'> | undefined;
  /** Called after a connection, or an attempt to connect, has ended. */
  onclose(): void;
}

const reconnectPauseS = 0.02; // postgres.js' own pause grows to 20 s, and every request would wait for it

/** Makes a postgres.js client with the settings that this server needs. It does not connect yet. */
export function openClient(options: ClientOptions): Sql {
  const { database, logger, prepare } = options;
  const settings: Options<Record<string, never>> = {
    max: options.connections,
    prepare,
    connect_timeout: options.connectTimeoutMs / 1000,
    // Arrays are sent as text. postgres.js would query their types, and nobody could catch the error of that query.
    fetch_types: false,
    // Connections never expire, because postgres.js could close one while it is reserved.
    idle_timeout: 0,
    max_lifetime: null,
    backoff: () => reconnectPauseS,
    connection: { application_name: options.applicationName, ...options.session },
    onnotice: (notice) => logger?.debug({ notice: notice.message }, 'database notice'),
    onclose: options.onclose,
  };
  const sql =
    typeof database === 'string'
      ? postgres(serverOptions(database, settings, options.connectTimeoutMs))
      : postgres({ ...settings, ...database, ssl: false });
  passAsText(sql);
  return sql;
}

/**
 * postgres.js does not read all of libpq's URLs. So it gets their parts one by one, and sockets that are connected and encrypted.
 */
function serverOptions(
  text: string,
  settings: Options<Record<string, never>>,
  connectTimeoutMs: number,
): Options<Record<string, never>> {
  const url = parseConnectionUrl(text);
  if (url === undefined) throw new Error('The URL of the database cannot be read.');
  const { user, password, database, addresses, parameters } = url;
  const attributes = parameters.target_session_attrs;
  return {
    ...settings,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
    // Only for messages: the socket decides.
    host: addresses[0]?.host,
    port: addresses[0]?.port,
    ssl: false,
    // A standby passes for what postgres.js calls read-write.
    ...(attributes !== undefined && attributes !== 'any' && { target_session_attrs: 'primary' as const }),
    connection: {
      ...settings.connection,
      ...(parameters.application_name && { application_name: parameters.application_name }),
      ...(parameters.options && { options: parameters.options }),
      ...url.settings,
    },
    socket: socketsTo(url, connectTimeoutMs),
  } as Options<Record<string, never>>;
}

/** The hosts that a client of this URL connects to; empty for a unix socket. The environment counts too (PGHOST). */
export function serverHosts(url: string): string[] {
  const addresses = parseConnectionUrl(url)?.addresses ?? [];
  return addresses.map(({ host, address }) => address ?? host).filter((host) => !host.startsWith('/'));
}

/** Makes the client pass dates, times and JSON as text, because Drizzle converts them. Drizzle's own driver does this, too. */
function passAsText(sql: Sql): void {
  const asIs = (value: unknown) => value;
  const { parsers, serializers } = sql.options as unknown as Record<
    'parsers' | 'serializers',
    Record<number, (value: unknown) => unknown>
  >;
  const dateTypes = [1184, 1082, 1083, 1114, 1182, 1185, 1115, 1231]; // timestamptz, date, time, timestamp; their arrays
  const jsonTypes = [114, 3802];
  for (const type of dateTypes) parsers[type] = asIs;
  for (const type of [...dateTypes, ...jsonTypes]) serializers[type] = asIs;
}
