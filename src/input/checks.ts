import { FunesError, quote } from '../errors.ts';
import { limits } from './limits.ts';

/** Names what a text contains that no PostgreSQL text or jsonb can hold. Returns undefined if the text can be stored. */
export function unstorable(text: string): string | undefined {
  if (text.includes('\0')) return 'a NUL character (U+0000)';
  if (/\p{Surrogate}/u.test(text)) return 'half of a surrogate pair';
  return undefined;
}

/** Names what a text contains that cannot be stored or seen. Returns undefined for a good text. */
function flaw(text: string): string | undefined {
  const problem = unstorable(text);
  if (problem) return problem;
  // White space is allowed, and so are U+0080 to U+009F, which are frequent in text that was once decoded wrongly.
  const control = /(?![\t-\r\u0080-\u009f])\p{Cc}/u.exec(text);
  if (!control) return undefined;
  return `a control character (U+${control[0].charCodeAt(0).toString(16).padStart(4, '0').toUpperCase()})`;
}

/**
 * White space and invisible characters: control and format characters (U+200B), characters that a font may leave out by
 * Unicode's rules (Hangul fillers, U+3164; joiners and variation selectors), and the Braille pattern without dots.
 */
const blank = /^[\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]*$/u;

/**
 * Checks a text, and returns it unchanged.
 * @param name the input path of the text, or other words with which a message can begin.
 * @throws FunesError BAD_USER_INPUT for a blank text or characters that cannot be stored, LIMIT_EXCEEDED for its length.
 */
export function checkText(value: string, name: string, maxLength: number): string {
  if (value.length > maxLength) {
    throw new FunesError(
      'LIMIT_EXCEEDED',
      `${name} has ${value.length} characters; at most ${maxLength} are allowed.`,
    );
  }
  if (blank.test(value)) throw new FunesError('BAD_USER_INPUT', `${name} must not be blank.`);
  const problem = flaw(value);
  if (problem)
    throw new FunesError('BAD_USER_INPUT', `${name} contains ${problem}: ${quote(value)}. Remove it.`);
  return value;
}

/** Checks a text as checkText does, unless there is none. Returns `value` unchanged. */
export function checkOptionalText<T extends string | null | undefined>(
  value: T,
  name: string,
  maxLength: number,
): T {
  if (typeof value === 'string') checkText(value, name, maxLength);
  return value;
}

/** Controls, line ends, and what turns the direction of the text around it: a name with them looks like another one. */
const hidden = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/**
 * Checks the name of a user, and returns it unchanged. Blanks around it are refused, not removed: a claim or a header that were
 * trimmed would name another user than the stored rows do.
 * @throws FunesError BAD_USER_INPUT, LIMIT_EXCEEDED.
 */
export function checkUserName(value: string, name: string): string {
  checkText(value, name, limits.userNameLength);
  const character = hidden.exec(value)?.[0];
  if (character !== undefined) {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0').toUpperCase();
    throw new FunesError(
      'BAD_USER_INPUT',
      `${name} contains U+${code}, which does not show in a name: ${visible(value)}. Remove it.`,
    );
  }
  if (value.trim() !== value)
    throw new FunesError(
      'BAD_USER_INPUT',
      `${name} begins or ends with a blank: ${quote(value)}. Remove it.`,
    );
  return value;
}

/** A name in quotes, with an escape for each hidden character. */
function visible(value: string): string {
  return quote(value).replace(
    new RegExp(hidden, 'gu'),
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Checks that a number is from `min` to `max`, and returns it. @throws FunesError BAD_USER_INPUT */
export function checkRange(value: number, name: string, min: number, max: number): number {
  // The condition is written so that NaN fails.
  if (!(value >= min && value <= max)) throw outOfRange('BAD_USER_INPUT', value, name, min, max);
  return value;
}

/**
 * Checks that a number is from `min` to `limit`, and returns it.
 * @throws FunesError BAD_USER_INPUT below `min`, LIMIT_EXCEEDED above the limit.
 */
export function checkLimit(value: number, name: string, min: number, limit: number): number {
  if (value > limit) throw outOfRange('LIMIT_EXCEEDED', value, name, min, limit);
  return checkRange(value, name, min, limit);
}

function outOfRange(
  code: 'BAD_USER_INPUT' | 'LIMIT_EXCEEDED',
  value: number,
  name: string,
  min: number,
  max: number,
): FunesError {
  return new FunesError(code, `${name} must be within ${min} and ${max}, not ${value}.`);
}

/**
 * Checks a JSON object, and returns it as jsonb will store it: as a plain object. Objects that are literals in the text
 * of a query are not plain.
 * @throws FunesError BAD_USER_INPUT. LIMIT_EXCEEDED for its size or depth.
 */
export function checkJson(value: Record<string, unknown>, name: string): Record<string, unknown> {
  // What is far too large is refused before its texts are searched, which takes a tenth of a second a megabyte.
  const least = { characters: 0, values: 0 };
  const counted = addSize(value, name, 1, least);
  if (!counted) throw tooLong(name, `more than ${least.characters}`);
  if (least.characters > limits.jsonLength) throw tooLong(name, JSON.stringify(value).length);
  checkJsonValue(value, name);
  const json = JSON.stringify(value);
  if (json.length > limits.jsonLength) throw tooLong(name, json.length);
  return JSON.parse(json);
}

function tooLong(name: string, characters: number | string): FunesError {
  return new FunesError(
    'LIMIT_EXCEEDED',
    `${name} has ${characters} characters as JSON; at most ${limits.jsonLength} are allowed.`,
  );
}

/** Where counting stops, so that a refusal takes no longer than a millisecond or two. */
const countedCharacters = 2_000_000;

/** Adds the fewest characters that a value can have as JSON. Returns false if it stopped because these are far too many. */
function addSize(
  value: unknown,
  name: string,
  depth: number,
  least: { characters: number; values: number },
): boolean {
  if (typeof value === 'string') least.characters += value.length + 2;
  else least.characters += 1;
  // Each value has one character, and a comma before the next.
  if (++least.values > limits.jsonLength / 2 || least.characters > countedCharacters) return false;
  if (typeof value !== 'object' || value === null) return true;
  if (depth > limits.jsonDepth) {
    throw new FunesError(
      'LIMIT_EXCEEDED',
      `${name} is nested too deep: at most ${limits.jsonDepth} levels of objects and lists are allowed.`,
    );
  }
  if (Array.isArray(value)) return value.every((element) => addSize(element, name, depth + 1, least));
  for (const key in value) {
    least.characters += key.length + 3;
    if (!addSize((value as Record<string, unknown>)[key], name, depth + 1, least)) return false;
  }
  return true;
}

function checkJsonValue(value: unknown, name: string): void {
  if (typeof value === 'string') {
    const problem = unstorable(value);
    if (problem)
      throw new FunesError('BAD_USER_INPUT', `${name} contains ${problem} in ${quote(value)}. Remove it.`);
  } else if (typeof value === 'number' && !Number.isFinite(value)) {
    // JSON.stringify would write null. If a client sends 1e999, JSON.parse has made it infinite.
    throw new FunesError('BAD_USER_INPUT', `${name} contains a number beyond 1.8e308: send it as a string.`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, element] of Object.entries(value)) {
      checkJsonValue(key, name);
      checkJsonValue(element, name);
    }
  }
}

/** How far the clock of a client may be ahead. */
const allowedSkewMs = 5 * 60_000;
const FIRST_DATE = Date.parse('0001-01-01T00:00:00.000Z');

/**
 * Checks when something was made, as a client says it. Returns undefined if the client does not say it.
 * @throws FunesError BAD_USER_INPUT for a time in the future, or one that PostgreSQL writes differently.
 */
export function checkCreatedAt(value: Date | null | undefined, name: string): Date | undefined {
  if (value == null) return undefined;
  const time = value.getTime();
  if (!(time >= FIRST_DATE))
    throw new FunesError('BAD_USER_INPUT', `${name} must be a point in time from the year 1 on (UTC).`);
  if (time > Date.now() + allowedSkewMs) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `${name} is ${value.toISOString()}, which is in the future. Leave it out to use the time of storing.`,
    );
  }
  return value;
}

/** The largest value of a bigint column. */
export const BIGINT_MAX = 2n ** 63n - 1n;

/** Checks an id, and returns it. @throws FunesError BAD_USER_INPUT if no row can have this id. */
export function checkId(value: string, name: string): string {
  if (!/^[1-9]\d{0,18}$/.test(value) || BigInt(value) > BIGINT_MAX) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `${name} must be an id, a whole number like "42", not ${quote(value)}.`,
    );
  }
  return value;
}

/** Checks the size of a batch. @throws FunesError LIMIT_EXCEEDED */
export function checkBatch<T>(elements: readonly T[], name: string): readonly T[] {
  if (elements.length > limits.batchSize) {
    throw new FunesError(
      'LIMIT_EXCEEDED',
      `${name} has ${elements.length} elements; at most ${limits.batchSize} are allowed at once.`,
    );
  }
  return elements;
}
