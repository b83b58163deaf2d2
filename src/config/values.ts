import { isIP } from 'node:net';
import { z } from 'zod';

/**
 * A setting in text form.
 * @param form completes the sentence "it must be ...".
 * @param parse returns the value of a text, or undefined if the text does not have this form.
 */
export function setting<T>(form: string, parse: (text: string) => T | undefined) {
  return z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: form });
    return z.NEVER;
  });
}

/** A whole number in decimal digits, from `least` to `most`. */
export function wholeNumber(least: number, most: number) {
  return (text: string): number | undefined => {
    if (!/^\d{1,15}$/.test(text)) return undefined;
    const value = Number(text);
    return value >= least && value <= most ? value : undefined;
  };
}

/** `on` or `off`, or another word that environment files use for them. */
export function onOrOff(text: string): boolean | undefined {
  if (/^(on|true|yes|1)$/i.test(text)) return true;
  if (/^(off|false|no|0)$/i.test(text)) return false;
  return undefined;
}

/** A limit in the form that `parse` reads, or null for `off`. */
export function limitOrOff(parse: (text: string) => number | undefined) {
  return (text: string): number | null | undefined => (/^off$/i.test(text) ? null : parse(text));
}

function quantity(units: Readonly<Record<string, number>>, least: number, most: number) {
  return (text: string): number | undefined => {
    const match = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text);
    const factor = units[match?.[2]?.toLowerCase() ?? ''];
    if (match === null || factor === undefined) return undefined;
    const value = Math.round(Number(match[1]) * factor);
    return value >= least && value <= most ? value : undefined;
  };
}

/** A time such as `500ms`, `30s` or `5min`, in milliseconds. A number without a unit is in milliseconds, as in PostgreSQL. */
export const duration = (least: number, most: number) =>
  quantity({ '': 1, ms: 1, s: 1000, min: 60_000, h: 3_600_000 }, least, most);

/** A size such as `65536`, `512kB` or `20MB`, in bytes; units are powers of 1024, as in PostgreSQL. */
export const byteSize = (least: number, most: number) =>
  quantity({ '': 1, b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }, least, most);

/** A list with commas; undefined if `parse` returns undefined for one of its parts. */
export function commaList(parse: (text: string) => string | undefined) {
  return (text: string): string[] | undefined => {
    const parts = text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map(parse);
    return parts.includes(undefined) ? undefined : (parts as string[]);
  };
}

/** A list in the form that `parse` reads, or none for `off`. */
export function listOrOff(parse: (text: string) => string[] | undefined) {
  return (text: string): string[] | undefined => (/^off$/i.test(text) ? [] : parse(text));
}

/** A web origin in the form that browsers send: without the default port, and without a path. */
export function webOrigin(text: string): string | undefined {
  if (!/^https?:\/\/[^/?#@\s]+\/?$/i.test(text) || !URL.canParse(text)) return undefined;
  return new URL(text).origin;
}

/** An IP address or a host name, in lower case. */
export function hostName(text: string): string | undefined {
  const bare = text.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (isIP(bare) !== 0) return bare;
  const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
  // A name of only digits and dots is a mistyped address: the system would take 127.1 for 127.0.0.1.
  if (/^[\d.]+$/.test(bare) || bare.length > 253) return undefined;
  return new RegExp(`^${label}(?:\\.${label})*$`).test(bare) ? bare : undefined;
}

/** An IP address, or a network such as 10.0.0.0/8. */
export function addressOrNetwork(text: string): string | undefined {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return undefined;
  if (bits === undefined) return text;
  // A network of all addresses would trust what any client claims.
  return wholeNumber(1, version === 4 ? 32 : 128)(bits) === undefined ? undefined : text;
}

/** Whether only programs on this machine can reach a server that listens on `host`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
