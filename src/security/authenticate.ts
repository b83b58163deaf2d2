import type { Config } from '../config.ts';
import type { Database } from '../database/transaction.ts';
import { FunesError, quote } from '../errors.ts';
import { checkUserName } from '../input/checks.ts';
import type { Logger } from '../log.ts';
import { commandLineActor, localViewer, type Viewer } from '../viewer.ts';
import { keyLookUp } from './key-lookup.ts';
import { tokenVerifier } from './tokens.ts';

/** The settings of authentication. */
export type AuthConfig = Pick<Config, 'auth' | 'keyCache' | 'jwt'>;

/** The headers of a request as they came: name, value, name, value. Only these show a header that was sent twice. */
export type RawHeaders = readonly string[];

/**
 * Returns who sends a request.
 * @throws FunesError UNAUTHENTICATED without a valid key or token. UNAVAILABLE if that cannot be found out. FORBIDDEN if the
 *   request acts for a user and may not. BAD_USER_INPUT or LIMIT_EXCEEDED if no user can have the name.
 */
export interface Authenticate {
  (headers: RawHeaders): Viewer | Promise<Viewer>;
  /** Whether a request has a key that must be looked up and was not good the last time. Undefined if no key is looked up. */
  readonly isStranger?: ((headers: RawHeaders) => boolean) | undefined;
  /** Drops what is kept about the keys of a user. Undefined if nothing is kept. */
  readonly forget?: ((userId: string) => void) | undefined;
}

/** Makes the one function that decides who sends a request, by FUNES_AUTH. */
export function authenticator(config: AuthConfig, database: Database, log: Logger): Authenticate {
  const identify = identifier(config, database, log);
  const authenticate = (headers: RawHeaders) => {
    const viewer = identify(headers);
    if (!(viewer instanceof Promise)) return actingFor(viewer, namedUser(headers));
    return viewer.then((known) => actingFor(known, namedUser(headers)));
  };
  return Object.assign(authenticate, { forget: identify.forget, isStranger: identify.isStranger });
}

/** Says in a line who is let in, for the start of the server. */
export function describeAccess({ auth, jwt }: AuthConfig): string {
  if (auth === 'keys') return 'by key (Authorization: Bearer funes_...)';
  if (auth === 'jwt') {
    const source =
      jwt.jwksUrl === undefined ? 'FUNES_JWT_SECRET' : `the keys of ${new URL(jwt.jwksUrl).host}`;
    return `by token (Authorization: Bearer ...), checked with ${source}${describeUnchecked(jwt)}`;
  }
  return 'FUNES_AUTH is off: everybody on this machine is an administrator, and other machines are not let in';
}

/** Says what of tokens is not checked: one that was made for another service may be good here then. */
function describeUnchecked({ issuer, audience }: AuthConfig['jwt']): string {
  const unchecked = [
    ...(issuer === undefined ? ['issuer (FUNES_JWT_ISSUER is not set)'] : []),
    ...(audience === undefined ? ['audience (FUNES_JWT_AUDIENCE is not set)'] : []),
  ];
  return unchecked.length === 0 ? '' : `. NOT checked: ${unchecked.join(', ')}`;
}

function identifier({ auth, keyCache, jwt }: AuthConfig, database: Database, log: Logger): Authenticate {
  if (auth === 'off') return () => localViewer;
  if (auth === 'jwt') {
    const verify = tokenVerifier(jwt);
    return async (headers) => verify(bearer(headers) ?? refuseToken());
  }
  const find = keyLookUp(database, { keepMs: keyCache, log });
  const identify = async (headers: RawHeaders) => {
    const key = bearer(headers);
    return (key !== undefined && (await find(key))) || refuseKey();
  };
  const isStranger = (headers: RawHeaders) => {
    const key = bearer(headers);
    return key !== undefined && find.isStranger(key);
  };
  return Object.assign(identify, { forget: find.forget, isStranger });
}

/** What follows `Bearer`; undefined if it is missing, malformed, or sent twice. */
function bearer(headers: RawHeaders): string | undefined {
  const [value, ...more] = valuesOf(headers, 'authorization');
  if (value === undefined || more.length > 0) return undefined;
  return /^bearer +([^\s,]+)$/i.exec(value)?.[1];
}

function refuseToken(): never {
  throw new FunesError(
    'UNAUTHENTICATED',
    'This request has no token, or not exactly one. Send it as the header "Authorization: Bearer TOKEN".',
  );
}

function refuseKey(): never {
  // One message for all, so that nobody learns which keys there were.
  throw new FunesError(
    'UNAUTHENTICATED',
    'This request has no valid key: it is missing, malformed, unknown, revoked or expired, or was sent twice. Send one key as the ' +
      'header "Authorization: Bearer funes_...".',
  );
}

/** The header by which an administrator acts for a user. */
const userHeader = 'X-Funes-User';

function namedUser(headers: RawHeaders): string | undefined {
  const [value, ...more] = valuesOf(headers, userHeader.toLowerCase());
  if (value === undefined) return undefined;
  if (more.length > 0)
    throw new FunesError('BAD_USER_INPUT', `The header ${userHeader} was sent twice. Name one user.`);
  return checkUserName(decodeHeader(value), `The header ${userHeader}`);
}

/** The text of a header. Node decodes each byte as one character, and names have more than Latin letters. */
function decodeHeader(value: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(value, 'latin1'));
  } catch (cause) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `The header ${userHeader} is not UTF-8. Send the bytes of the name in UTF-8.`,
      {
        cause,
      },
    );
  }
}

function actingFor(viewer: Viewer, named: string | undefined): Viewer {
  if (named === undefined) return viewer;
  if (viewer.role === 'admin' && viewer.userId === commandLineActor)
    throw new FunesError(
      'FORBIDDEN',
      `In the audit ${quote(commandLineActor)} is the command line, so an administrator of that name acts for nobody. Leave the header ` +
        `${userHeader} out, or send the key of an administrator with another name.`,
    );
  if (viewer.role === 'admin') return { ...viewer, userId: named, role: 'user', actor: viewer.userId };
  if (named === viewer.userId) return viewer;
  throw new FunesError(
    'FORBIDDEN',
    `The header ${userHeader} names ${quote(named)}, and this request is by ${quote(viewer.userId)}. Only an administrator acts for ` +
      'another user. Leave the header out.',
  );
}

function valuesOf(headers: RawHeaders, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [header = '', value = ''] = [headers[i], headers[i + 1]];
    if (header.length === name.length && header.toLowerCase() === name) values.push(value);
  }
  return values;
}
