/** The codes of errors, which are the `extensions.code` of GraphQL errors. A client can act on them. */
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
 * An error with a message for people. The message says what is wrong and what to do, and is safe to send to a client.
 * The answer to any other error is INTERNAL_SERVER_ERROR.
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

/** Quotes a value for an error message, as JSON. Cuts it after `length` characters, so that the message stays readable. */
export function quote(value: unknown, length = 60): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length <= length ? text : `${text.slice(0, length)}… (${text.length} characters)`;
}
