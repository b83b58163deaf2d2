import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse as parseEnvFile } from 'dotenv';
import { z } from 'zod';
import { authenticationProblems, authenticationSettings, jwtConfigOf } from './config/authentication.ts';
import { migrateUrlProblems, parseDatabaseUrl } from './config/database-url.ts';
import {
  addressOrNetwork,
  byteSize,
  commaList,
  duration,
  hostName,
  limitOrOff,
  listOrOff,
  onOrOff,
  setting,
  webOrigin,
  wholeNumber,
} from './config/values.ts';
import { parameterProblems, parseConnectionUrl } from './connection-url.ts';
import { bundledModelName, findModel, modelForm } from './embedding/model.ts';
import { FunesError, quote } from './errors.ts';
import { suggestion } from './suggestion.ts';

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Who may read /metrics. */
const metricsModes = ['off', 'loopback', 'key'] as const;
export type MetricsMode = (typeof metricsModes)[number];

/** The origin of Apollo's Sandbox when a person opens it there. The Sandbox at `/` calls from this server's own origin. */
const apolloStudio = 'https://studio.apollographql.com';

const onOff = setting('on or off', onOrOff);

const settings = z.object({
  HOST: setting('an IP address or a host name to listen on, such as 127.0.0.1', hostName).default(
    '127.0.0.1',
  ),
  PORT: setting('a whole number from 0 to 65535, where 0 takes any free port', wholeNumber(0, 65535)).default(
    4000,
  ),
  DATABASE_URL: setting(
    'a URL such as postgres://user:password@host:5432/database, with the special characters of the password ' +
      'percent-encoded; leave it out for the embedded database',
    parseDatabaseUrl,
  ).optional(),
  FUNES_MIGRATE_URL: setting(
    'a URL such as postgres://owner:password@host:5432/database, with the special characters of the password ' +
      'percent-encoded; leave it out if DATABASE_URL names the owner of the tables',
    parseDatabaseUrl,
  ).optional(),
  FUNES_ALLOW_SUPERUSER: onOff.default(false),
  FUNES_DATA_DIR: setting(
    'a folder, without ~ for the home folder, because only a shell replaces it',
    (text) => (text.startsWith('~') ? undefined : resolve(text)),
  ).default(() => resolve('.funes')),
  FUNES_POOL_SIZE: setting('a whole number of connections from 1 to 1000', wholeNumber(1, 1000)).default(10),
  FUNES_DATABASE_CONNECT_TIMEOUT: setting(
    'a time from 1s to 1h, such as 30s or 2min',
    duration(1000, 3_600_000),
  ).default(30_000),
  FUNES_STATEMENT_TIMEOUT: setting(
    'a time from 1ms to 1h, such as 500ms or 30s',
    duration(1, 3_600_000),
  ).default(60_000),
  FUNES_WRITE_WAIT: setting('a time from 0s to 1h, such as 30s or 2min', duration(0, 3_600_000)).default(
    60_000,
  ),
  FUNES_PREPARED_STATEMENTS: setting('on, off or auto', (text) =>
    /^auto$/i.test(text) ? ('auto' as const) : onOrOff(text),
  ).default('auto'),
  FUNES_EMBEDDING_MODEL: setting(`${modelForm}; leave it out for ${bundledModelName}`, (text) =>
    findModel(text) === undefined ? undefined : text,
  ).optional(),
  FUNES_PREVIOUS_EMBEDDING_MODEL: setting(modelForm, (text) =>
    findModel(text) === undefined ? undefined : text,
  ).optional(),
  FUNES_CORS_ORIGINS: setting(
    'web origins separated by commas and without paths, such as https://app.example.com,http://localhost:5173; ' +
      '* is not allowed, because every web page could then read what is stored; or off for none',
    listOrOff(commaList(webOrigin)),
  ).default([apolloStudio]),
  FUNES_ALLOWED_HOSTS: setting(
    'host names separated by commas, such as memory.example.com, without scheme and port',
    commaList(hostName),
  ).default([]),
  FUNES_COST_LIMIT: setting('a whole number from 100 to 1000000000', wholeNumber(100, 1_000_000_000)).default(
    50_000,
  ),
  FUNES_RATE_LIMIT: setting(
    'a whole number of requests a minute from 1 to 1000000, or off',
    limitOrOff(wholeNumber(1, 1_000_000)),
  ).default(6_000),
  FUNES_QUOTA_ROWS: setting(
    'a whole number of rows from 1, or off',
    limitOrOff(wholeNumber(1, 1e15 - 1)),
  ).default(null),
  FUNES_QUOTA_BYTES: setting(
    'a size from 1kB, such as 2GB, or off',
    limitOrOff(byteSize(1024, 2 ** 50)),
  ).default(null),
  FUNES_TRUST_PROXY: setting(
    'IP addresses and networks of proxies separated by commas, such as 127.0.0.1,10.0.0.0/8',
    commaList(addressOrNetwork),
  ).default([]),
  ...authenticationSettings,
  FUNES_BODY_LIMIT: setting('a size from 1kB to 1GB, such as 20MB', byteSize(1024, 1024 ** 3)).default(
    20 * 1024 ** 2,
  ),
  FUNES_INTROSPECTION: onOff.default(true),
  FUNES_METRICS: setting(
    'off, loopback for programs on this machine, or key for the keys of administrators',
    (text) => metricsModes.find((mode) => mode === text.toLowerCase()),
  ).default('loopback'),
  FUNES_LOG_LEVEL: setting(`one of ${logLevels.join(', ')}`, (text) =>
    logLevels.find((level) => level === text.toLowerCase()),
  ).default('info'),
});

/** The names that the environment may have. FUNES_API_KEY is for clients, FUNES_BENCH_DATA for benchmarks. */
const knownNames = [...Object.keys(settings.shape), 'FUNES_API_KEY', 'FUNES_BENCH_DATA'];

/** The settings whose values must not be shown. */
const secretNames = ['FUNES_JWT_SECRET', 'FUNES_API_KEY'];

/** The names of all settings of the server. */
export const settingNames: readonly string[] = Object.keys(settings.shape);

/** The settings of the server. Times are in milliseconds, sizes in bytes, paths absolute. */
export type Config = ReturnType<typeof configOf>;

function configOf(values: z.output<typeof settings>) {
  return {
    host: values.HOST,
    port: values.PORT,
    /** Undefined means the embedded database. */
    databaseUrl: values.DATABASE_URL,
    /** A direct connection of the owner of the tables, to the database of `databaseUrl`. Undefined: `databaseUrl` is one, or none is. */
    migrateUrl: values.FUNES_MIGRATE_URL,
    /** Whether the user of the database may be a superuser on a server that is not on this machine. */
    allowSuperuser: values.FUNES_ALLOW_SUPERUSER,
    dataDir: values.FUNES_DATA_DIR,
    poolSize: values.FUNES_POOL_SIZE,
    /** How long the server waits at its start for a database that does not answer yet. */
    databaseConnectTimeout: values.FUNES_DATABASE_CONNECT_TIMEOUT,
    statementTimeout: values.FUNES_STATEMENT_TIMEOUT,
    /** How long a write waits for its embeddings. What has none by then is stored as PENDING. */
    writeWait: values.FUNES_WRITE_WAIT,
    /** `auto`: named prepared statements, unless a pooler gives each transaction another session. */
    preparedStatements: values.FUNES_PREPARED_STATEMENTS,
    /** Undefined means the model of the installed packages. */
    embeddingModel: values.FUNES_EMBEDDING_MODEL,
    /** Where the model of the stored embeddings is, if its name does not tell and it is not `embeddingModel`. */
    previousEmbeddingModel: values.FUNES_PREVIOUS_EMBEDDING_MODEL,
    auth: values.FUNES_AUTH,
    /** How long the answer to a look-up of a key is kept. 0 means that no answer is kept. */
    keyCache: values.FUNES_KEY_CACHE,
    jwt: jwtConfigOf(values),
    corsOrigins: values.FUNES_CORS_ORIGINS,
    allowedHosts: values.FUNES_ALLOWED_HOSTS,
    /** The most that an operation may cost: rows that could be read, searches and texts to embed. */
    costLimit: values.FUNES_COST_LIMIT,
    /** Requests a minute that count for one name; null means any number. */
    rateLimit: values.FUNES_RATE_LIMIT,
    /** How much one user may store; undefined means any amount, as does null for one of the two. */
    quota:
      values.FUNES_QUOTA_ROWS === null && values.FUNES_QUOTA_BYTES === null
        ? undefined
        : { rows: values.FUNES_QUOTA_ROWS, bytes: values.FUNES_QUOTA_BYTES },
    /** Proxies whose X-Forwarded-For says where a request comes from. */
    trustProxy: values.FUNES_TRUST_PROXY,
    bodyLimit: values.FUNES_BODY_LIMIT,
    introspection: values.FUNES_INTROSPECTION,
    metrics: values.FUNES_METRICS,
    logLevel: values.FUNES_LOG_LEVEL,
  };
}

export interface ConfigSources {
  /** Default: process.env. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Default: `.env` in the working folder. The file may be missing. */
  envFile?: string;
}

/**
 * Loads the settings, once, at the start. The environment overrides the file. A blank value counts as missing.
 * @throws FunesError BAD_USER_INPUT that names every wrong or unknown setting, its value and the allowed values.
 */
export function loadConfig({ env = process.env, envFile = resolve('.env') }: ConfigSources = {}): Config {
  const values = givenValues(env, envFile);
  const result = settings.safeParse(values);
  const problems = (result.error?.issues ?? []).map((issue) => {
    const name = String(issue.path[0]);
    return `${name} is ${shown(name, values[name] ?? '')}; it must be ${issue.message}.`;
  });
  problems.push(
    ...authenticationProblems(values),
    ...urlProblems(values),
    ...migrateUrlProblems(values.FUNES_MIGRATE_URL, values.DATABASE_URL),
    ...unknownNames(values),
  );
  if (result.data === undefined || problems.length > 0) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `The settings are wrong, so nothing was started:\n${problems.map((line) => `  - ${line}`).join('\n')}\n` +
        `Settings come from environment variables and from ${envFile}; .env.example describes each.`,
    );
  }
  return configOf(result.data);
}

/** The key that a client of the server sends: FUNES_API_KEY of the environment or of the file. Undefined if there is none. */
export function clientKey({
  env = process.env,
  envFile = resolve('.env'),
}: ConfigSources = {}): string | undefined {
  return givenValues(env, envFile).FUNES_API_KEY;
}

function givenValues(
  env: Readonly<Record<string, string | undefined>>,
  envFile: string,
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, text] of Object.entries({ ...readEnvFile(envFile), ...env })) {
    if (text !== undefined && text.trim() !== '') values[name] = text.trim();
  }
  return values;
}

function readEnvFile(path: string): Record<string, string> {
  try {
    return parseEnvFile(readFileSync(path));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return {};
    throw new FunesError('BAD_USER_INPUT', `The settings file ${path} cannot be read: ${message}.`);
  }
}

/** A wrong value as a message may show it. If a URL cannot be parsed, any part of it may be the password. */
function shown(name: string, value: string): string {
  if (secretNames.includes(name)) return `a text of ${Buffer.byteLength(value)} bytes`;
  if (name !== 'DATABASE_URL' && name !== 'FUNES_MIGRATE_URL') return quote(value);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(value)?.[1];
  return scheme === undefined ? 'not a URL' : `a ${quote(`${scheme}://`)} URL that cannot be used`;
}

function urlProblems(values: Record<string, string>): string[] {
  return ['DATABASE_URL', 'FUNES_MIGRATE_URL'].flatMap((name) => {
    const url = values[name] === undefined ? undefined : parseConnectionUrl(values[name]);
    return url === undefined ? [] : parameterProblems(name, url);
  });
}

function unknownNames(values: Record<string, string>): string[] {
  return Object.keys(values)
    .filter((name) => name.startsWith('FUNES_') && !knownNames.includes(name))
    .map((name) => {
      // Some settings have no prefix, because other programs read them, too.
      const bare = name.slice('FUNES_'.length);
      const meant = knownNames.includes(bare) ? ` Did you mean ${bare}?` : suggestion(name, knownNames);
      return `${quote(name)} is not a setting of funes.${meant}`;
    });
}
