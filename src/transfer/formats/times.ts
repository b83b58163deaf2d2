import { quote } from '../../errors.ts';
import { badRecord } from './records.ts';

const iso =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(Z|UTC|[+-]\d\d(?::?\d\d)?)?)?$/i;

/** Numbers below this are seconds since 1970, up to the year 5138. Those above are milliseconds. */
const milliseconds = 1e11;

/**
 * Parses a time to the microsecond. A time without a zone is UTC, because that is how programs write what they store.
 * @param value seconds or milliseconds since 1970, or a text of ISO 8601. Nothing (null, undefined, blank) is no time.
 * @param inputPath what to name in an error.
 * @throws FunesError for all else: 03/04/2024 is in March for some and in April for others.
 */
export function parseTime(value: unknown, inputPath: string): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'number') return ofNumber(value, inputPath);
  if (typeof value !== 'string') throw noTime(value, inputPath);
  const text = value.trim();
  if (text === '') return undefined;
  if (/^\d{9,14}(\.\d+)?$/.test(text)) return ofNumber(Number(text), inputPath);
  return ofText(text, inputPath);
}

function ofNumber(value: number, inputPath: string): string {
  // A double has 22 bits for the fraction of a second of these years: more than a microsecond needs.
  const microseconds = Math.round(value * (Math.abs(value) < milliseconds ? 1e6 : 1e3));
  if (!Number.isSafeInteger(microseconds)) throw noTime(value, inputPath);
  const fraction = ((microseconds % 1e6) + 1e6) % 1e6;
  return written((microseconds - fraction) / 1000, String(fraction).padStart(6, '0'), value, inputPath);
}

function ofText(text: string, inputPath: string): string {
  const match = iso.exec(text);
  if (match === null) throw noTime(text, inputPath);
  const [
    ,
    year = '',
    month = '',
    day = '',
    hour = '0',
    minute = '0',
    second = '0',
    fraction = '',
    zone = 'Z',
  ] = match;
  const numbers = [
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  ];
  const local = new Date(Date.UTC(...(numbers as [number, number])));
  // Date.UTC makes March 1 of February 30.
  const back = [
    local.getUTCFullYear(),
    local.getUTCMonth(),
    local.getUTCDate(),
    local.getUTCHours(),
    local.getUTCMinutes(),
    local.getUTCSeconds(),
  ];
  if (back.some((number, i) => number !== numbers[i])) throw noTime(text, inputPath);
  return written(local.getTime() - offsetOf(zone), fraction.slice(0, 6).padEnd(6, '0'), text, inputPath);
}

/** The milliseconds by which a zone is ahead of UTC. */
function offsetOf(zone: string): number {
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

function written(wholeSeconds: number, microseconds: string, value: unknown, inputPath: string): string {
  const date = new Date(wholeSeconds);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() < 1 || date.getUTCFullYear() > 9999)
    throw noTime(value, inputPath);
  return `${date.toISOString().slice(0, 19)}.${microseconds}Z`;
}

function noTime(value: unknown, inputPath: string) {
  return badRecord(
    inputPath,
    `is no time: ${quote(value)}. Times are like 2024-05-01, 2024-05-01T12:00:00.5Z, or seconds since 1970.`,
  );
}
