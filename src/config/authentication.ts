import { quote } from '../errors.ts';
import { commaList, duration, hostName, isLoopback, setting } from './values.ts';

/** How requests say who they are. */
const modes = ['off', 'keys', 'jwt'] as const;

/** Signatures by a secret that both sides have. */
const secretAlgorithms = ['HS256', 'HS384', 'HS512'];
/** Signatures by a private key, checked by a public one. */
const publicKeyAlgorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
const algorithms = [...secretAlgorithms, ...publicKeyAlgorithms];

/** A secret that is shorter can be guessed from one token. */
const shortestSecret = 32;

/** How tokens are verified. */
export interface JwtConfig {
  /** Exactly one of `secret` and `jwksUrl` is set, and `algorithms` are of its kind. */
  readonly secret: string | undefined;
  readonly jwksUrl: string | undefined;
  readonly algorithms: readonly string[];
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  readonly clockSkew: number;
  readonly roleClaim: string;
}

/** The settings of authentication, for the table of all settings. */
export const authenticationSettings = {
  FUNES_AUTH: setting('off, keys or jwt', (text) =>
    modes.find((mode) => mode === text.toLowerCase()),
  ).default('off'),
  FUNES_KEY_CACHE: setting(
    'a time from 0 to 5min, such as 1s, where 0 looks a key up for every request',
    duration(0, 300_000),
  ).default(1000),
  FUNES_JWT_SECRET: setting(`a text of at least ${shortestSecret} bytes`, (text) =>
    Buffer.byteLength(text) >= shortestSecret ? text : undefined,
  ).optional(),
  FUNES_JWT_JWKS_URL: setting(
    'an http or https URL without user and password, such as https://login.example.com/.well-known/jwks.json',
    jwksUrl,
  ).optional(),
  FUNES_JWT_ISSUER: setting('a text', (text) => text).optional(),
  FUNES_JWT_AUDIENCE: setting('a text', (text) => text).optional(),
  FUNES_JWT_CLOCK_SKEW: setting('a time from 0 to 10min, such as 30s', duration(0, 600_000)).default(30_000),
  FUNES_JWT_ALGORITHMS: setting(
    `algorithms separated by commas, of ${algorithms.join(', ')}`,
    commaList((text) => algorithms.find((name) => name === text)),
  ).default([]),
  FUNES_JWT_ROLE_CLAIM: setting('the name of a claim', (text) => text).default('role'),
};

function jwksUrl(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    return undefined;
  return url.href;
}

/** How tokens are verified, of settings without problems. */
export function jwtConfigOf(values: {
  FUNES_JWT_SECRET?: string | undefined;
  FUNES_JWT_JWKS_URL?: string | undefined;
  FUNES_JWT_ISSUER?: string | undefined;
  FUNES_JWT_AUDIENCE?: string | undefined;
  FUNES_JWT_CLOCK_SKEW: number;
  FUNES_JWT_ALGORITHMS: readonly string[];
  FUNES_JWT_ROLE_CLAIM: string;
}): JwtConfig {
  const byDefault = values.FUNES_JWT_SECRET === undefined ? publicKeyAlgorithms : ['HS256'];
  return {
    secret: values.FUNES_JWT_SECRET,
    jwksUrl: values.FUNES_JWT_JWKS_URL,
    algorithms: values.FUNES_JWT_ALGORITHMS.length > 0 ? values.FUNES_JWT_ALGORITHMS : byDefault,
    issuer: values.FUNES_JWT_ISSUER,
    audience: values.FUNES_JWT_AUDIENCE,
    clockSkew: values.FUNES_JWT_CLOCK_SKEW,
    roleClaim: values.FUNES_JWT_ROLE_CLAIM,
  };
}

/** What is wrong with settings of authentication that are right each by itself, in sentences. */
export function authenticationProblems(values: Readonly<Record<string, string>>): string[] {
  const mode = values.FUNES_AUTH?.toLowerCase() ?? 'off';
  if (!modes.some((known) => known === mode)) return [];
  const sources = ['FUNES_JWT_SECRET', 'FUNES_JWT_JWKS_URL'].filter((name) => values[name] !== undefined);
  if (mode !== 'jwt') {
    const unused = sources.map(
      (name) => `${name} is set, and FUNES_AUTH is ${mode}: tokens would not be checked. Set FUNES_AUTH=jwt.`,
    );
    return mode === 'off' ? [...exposure(values), ...unused] : unused;
  }
  if (sources.length !== 1) {
    const problem = sources.length === 0 ? 'neither is set' : 'both are set';
    return [
      `FUNES_AUTH=jwt needs FUNES_JWT_SECRET or FUNES_JWT_JWKS_URL, and ${problem}. A token is checked by one of them.`,
    ];
  }
  return keyConfusion(values, sources[0] === 'FUNES_JWT_SECRET');
}

/** Refuses a host that other machines can reach: without authentication, anybody there could change everything. */
function exposure(values: Readonly<Record<string, string>>): string[] {
  const host = values.HOST === undefined ? undefined : hostName(values.HOST);
  if (host === undefined || isLoopback(host)) return [];
  return [
    `HOST is ${quote(host)}, which other machines can reach, and FUNES_AUTH is off: anybody there could read and change what is ` +
      'stored. Set FUNES_AUTH=keys or FUNES_AUTH=jwt, or leave HOST out to listen on 127.0.0.1.',
  ];
}

/** Refuses algorithms of the other kind: an attacker could sign with a public key as if it were the secret. */
function keyConfusion(values: Readonly<Record<string, string>>, bySecret: boolean): string[] {
  const given = (values.FUNES_JWT_ALGORITHMS ?? '').split(',').map((part) => part.trim());
  const [wrong] = given.filter((name) => (bySecret ? publicKeyAlgorithms : secretAlgorithms).includes(name));
  if (wrong === undefined) return [];
  const [source, kind] = bySecret
    ? (['FUNES_JWT_SECRET', secretAlgorithms] as const)
    : (['FUNES_JWT_JWKS_URL', publicKeyAlgorithms] as const);
  return [`FUNES_JWT_ALGORITHMS has ${wrong}, and ${source} can only check ${kind.join(', ')}.`];
}
