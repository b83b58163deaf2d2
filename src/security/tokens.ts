import { createSecretKey } from 'node:crypto';
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { JwtConfig } from '../config/authentication.ts';
import { FunesError, quote } from '../errors.ts';
import { checkUserName } from '../input/checks.ts';
import { type Viewer, viewerRoles } from '../viewer.ts';

/**
 * How soon after a fetch the JWKS is fetched again for a key that it does not have. A new key must work at once, and tokens
 * with invented keys must not make many fetches.
 */
const refetchAfterMs = 1000;

/** What is wrong with a token, by the code of jose's error. */
const reasons: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'it has expired',
  ERR_JOSE_ALG_NOT_ALLOWED: 'it is signed with an algorithm that FUNES_JWT_ALGORITHMS does not allow',
  ERR_JOSE_NOT_SUPPORTED: 'it is signed with an algorithm or key that is not supported',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'its signature is wrong',
  ERR_JWKS_NO_MATCHING_KEY: 'the key that signed it is not known',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'it does not say which key signed it (kid)',
};

/**
 * Makes a function that verifies a token and returns who sent it.
 * @throws FunesError UNAUTHENTICATED that says what is wrong with the token. UNAVAILABLE if the JWKS cannot be read.
 */
export function tokenVerifier(config: JwtConfig): (token: string) => Promise<Viewer> {
  const options = {
    algorithms: [...config.algorithms],
    // A token without an end would be good for ever, because nothing here can revoke one.
    requiredClaims: ['exp'],
    clockTolerance: config.clockSkew / 1000,
    ...(config.issuer !== undefined && { issuer: config.issuer }),
    ...(config.audience !== undefined && { audience: config.audience }),
  };
  const getKey = config.secret === undefined ? remoteKeys(config.jwksUrl ?? '') : secretKey(config.secret);
  return async (token) => {
    let payload: JWTPayload;
    try {
      ({ payload } = await jwtVerify(token, getKey, options));
    } catch (error) {
      if (error instanceof errors.JOSEError) throw refusal(reasonOf(error), error);
      throw error;
    }
    return { userId: userOf(payload), role: roleOf(payload, config.roleClaim) };
  };
}

function secretKey(secret: string): JWTVerifyGetKey {
  const key = createSecretKey(Buffer.from(secret, 'utf8'));
  return async () => key;
}

function remoteKeys(url: string): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(new URL(url), { cooldownDuration: refetchAfterMs });
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      // These are about the token. All others are about the JWKS.
      const { JWKSNoMatchingKey, JWKSMultipleMatchingKeys, JOSENotSupported } = errors;
      for (const kind of [JWKSNoMatchingKey, JWKSMultipleMatchingKeys, JOSENotSupported])
        if (error instanceof kind) throw error;
      throw new FunesError(
        'UNAVAILABLE',
        'The keys that tokens are checked with (FUNES_JWT_JWKS_URL) cannot be read. Try again in a few seconds.',
        { cause: error },
      );
    }
  };
}

function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTClaimValidationFailed) {
    const claims: Record<string, string> = {
      exp: 'it does not say when it expires (exp)',
      aud: 'it is for another audience (aud)',
      iss: 'it is of another issuer (iss)',
      nbf: 'it is not valid yet (nbf)',
    };
    return claims[error.claim] ?? `its claim ${quote(error.claim)} is wrong`;
  }
  return reasons[error.code] ?? 'it is malformed';
}

function userOf({ sub }: JWTPayload): string {
  if (typeof sub !== 'string') throw refusal('it names no user (sub)');
  try {
    return checkUserName(sub, 'the user (sub)');
  } catch (error) {
    if (!(error instanceof FunesError)) throw error;
    throw refusal(error.message.replace(/\.$/, ''), error);
  }
}

function roleOf(payload: JWTPayload, claim: string): Viewer['role'] {
  // Own properties only: a claim named `constructor` is not there just because every object has one.
  if (!Object.hasOwn(payload, claim)) return 'user';
  const role = viewerRoles.find((name) => name === payload[claim]);
  if (role !== undefined) return role;
  throw refusal(`its claim ${quote(claim)} must be one of ${viewerRoles.join(', ')}`);
}

function refusal(reason: string, cause?: unknown): FunesError {
  return new FunesError('UNAUTHENTICATED', `The token is not valid: ${reason}.`, { cause });
}
