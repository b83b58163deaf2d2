import { createHash } from 'node:crypto';

/** A query that the pages offer; the title stands above it as a comment. */
export interface ExampleQuery {
  title: string;
  query: string;
}

/** A page as it is sent: what it may load stands in a header that a page altered on its way could not change. */
export interface Page {
  html: string;
  contentSecurityPolicy: string;
}

/** The hash by which a Content-Security-Policy lets in one inline script or style sheet. */
export function cspHash(source: string): string {
  return `'sha256-${createHash('sha256').update(source).digest('base64')}'`;
}

/** A policy that allows nothing but what is listed; no page may be framed, as clicks in it change what is stored. */
export function policy(directives: Readonly<Record<string, string>>): string {
  const all = {
    'default-src': "'none'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
  };
  return Object.entries({ ...all, ...directives })
    .map(([name, value]) => `${name} ${value}`)
    .join('; ');
}

/** A small `f` as the pages' icon, so that no file has to be asked for. */
export const icon =
  'data:image/svg+xml,' +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f3a5f"/>' +
      '<path d="M20 8c-4-1-6 1-6 5v12M10 15h9" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round"/></svg>',
  );
