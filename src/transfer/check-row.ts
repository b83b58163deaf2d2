import { FunesError, quote } from '../errors.ts';
import { unstorable } from '../input/checks.ts';
import { limits } from '../input/limits.ts';
import type { Field } from './format.ts';

/** Levels of a line around the value of a field: the line and its row. */
const levelsOfLine = 2;
/** With a zone, because a time without one would be read in the zone of the session. */
const time =
  /^(\d{4,6})-(\d\d)-(\d\d)[T ]([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?(?:Z|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)( BC)?$/i;
/** Years that PostgreSQL has whole. */
const lastYear = 294_275;
const firstYearBeforeChrist = 4712;

/**
 * Checks that each field of a row has a value of its type. PostgreSQL would refuse some others, but only for all rows of a statement,
 * and would store the rest: a list where the API promises an object, or a time that is infinite.
 * @throws FunesError BAD_USER_INPUT that begins with the name of the field.
 */
export function checkRow(fields: readonly Field[], row: Record<string, unknown>): void {
  for (const { name, column } of fields) {
    const value = row[name];
    const problem = value == null ? undefined : problemOf(column.dataType, value);
    if (problem !== undefined) throw new FunesError('BAD_USER_INPUT', `${name} ${problem}.`);
  }
}

/** Says what is wrong with a value, undefined if nothing is. `type` is what Drizzle calls the type of a column in JavaScript. */
function problemOf(type: string, value: unknown): string | undefined {
  switch (type) {
    case 'string': {
      if (typeof value !== 'string') return `is ${shown(value)}, not a text`;
      const problem = unstorable(value);
      return problem && `contains ${problem}: ${quote(value)}. Remove it`;
    }
    case 'number':
      return typeof value === 'number' ? undefined : `is ${shown(value)}, not a number`;
    case 'date':
      if (typeof value === 'string' && isTime(value)) return undefined;
      return `is ${shown(value)}, not a time with a zone, such as "2026-01-31T12:00:00.123456Z"`;
    case 'json':
      if (typeof value === 'object' && !Array.isArray(value)) return undefined;
      return `is ${shown(value)}, not an object`;
    default:
      return undefined; // a vector is checked by itself
  }
}

/** Whether PostgreSQL can read a time, so that no statement fails for it. */
function isTime(text: string): boolean {
  const [, year, month, day, , beforeChrist] = time.exec(text) ?? [];
  const [y, m, d] = [Number(year), Number(month), Number(day)];
  if (!(y >= 1 && y <= (beforeChrist ? firstYearBeforeChrist : lastYear))) return false;
  if (!(m >= 1 && m <= 12)) return false;
  // The year 1 BC is the year 0, and a leap year.
  const astronomical = beforeChrist ? 1 - y : y;
  const isLeap = astronomical % 4 === 0 && (astronomical % 100 !== 0 || astronomical % 400 === 0);
  const days = m === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(m) ? 30 : 31;
  return d >= 1 && d <= days;
}

const longestShown = 60;

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > longestShown ? `${text.slice(0, longestShown)}...` : text;
}

/**
 * Checks how deep the values of a line are nested. It looks at the text, because PostgreSQL parses all of it, also what `JSON.parse` drops:
 * the first one of two fields with one name. Text that is nested without limit exhausts the stack of the database.
 * @throws FunesError BAD_USER_INPUT.
 */
export function checkDepth(text: string): void {
  const most = limits.jsonDepth + levelsOfLine;
  if (!hasMoreThan(most, text)) return;
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (inString) {
      if (character === '\\') i += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    if (depth > most) {
      throw new FunesError(
        'BAD_USER_INPUT',
        `the line is nested too deep: at most ${limits.jsonDepth} levels of objects and lists are allowed in a field.`,
      );
    }
  }
}

/** Whether a text has more opening brackets than this. Most lines have few, and are not looked at character by character. */
function hasMoreThan(most: number, text: string): boolean {
  const bracket = /[[{]/g;
  for (let count = 0; count <= most; count++) if (!bracket.test(text)) return false;
  return true;
}
