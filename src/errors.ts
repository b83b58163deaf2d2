/** What a client can act on; the same words stand in every GraphQL error's `extensions.code`. */
export const errorCodes = [
  'BAD_USER_INPUT',
  'NOT_FOUND',
  'CONFLICT',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'LIMIT_EXCEEDED',
  'UNAVAILABLE',
  'INTERNAL_SERVER_ERROR',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/**
 * An error whose message was written for the person who caused or meets it: it says what is wrong and what to do,
 * and is safe to send to a client. Anything else that is thrown is answered as INTERNAL_SERVER_ERROR.
 */
export class FunesError extends Error {
  override readonly name = 'FunesError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A value as an error message quotes it: JSON, cut after `length` characters so that a message stays readable. */
export function quote(value: unknown, length = 60): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length <= length ? text : `${text.slice(0, length)}… (${text.length} characters)`;
}
