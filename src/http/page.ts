import { createHash } from 'node:crypto';

/** A query that the pages show, with its title as a comment above it. */
export interface ExampleQuery {
  title: string;
  query: string;
}

/** What a page may load and do: the directives of a Content-Security-Policy. */
export type Policy = Readonly<Record<string, readonly string[]>>;

/** A page, and what the page may load. */
export interface Page {
  html: string;
  policy: Policy;
}

/** The hash by which a Content-Security-Policy allows one inline script or style sheet. */
export function cspHash(source: string): string {
  return `'sha256-${createHash('sha256').update(source).digest('base64')}'`;
}

/** The policy of an answer that is no page. No answer may be framed, because a click in a page can change stored data. */
export const answerPolicy: Policy = {
  'default-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
};

/** A policy that allows only what `directives` list. */
export function pagePolicy(directives: Policy): Policy {
  return { ...answerPolicy, ...directives };
}

/** The icon of the pages, a small `f`. It is inline, so that browsers request no file for it. */
export const icon =
  'data:image/svg+xml,' +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f3a5f"/>' +
      '<path d="M20 8c-4-1-6 1-6 5v12M10 15h9" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round"/></svg>',
  );
