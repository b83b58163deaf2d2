import { createHash } from 'node:crypto';
import stableStringify from 'safe-stable-stringify';
import { z } from 'zod';
import { FunesError, quote } from '../errors.ts';
import { BIGINT_MAX } from '../input/checks.ts';
import { decodeCursor, encodeCursor } from '../input/cursor-text.ts';
import { limits } from '../input/limits.ts';

/**
 * Pages of a list are read by keyset. A cursor names the row that was shown last, by its id and by the value that orders the
 * list; the next page begins behind that row. Rows that are added between two pages then neither repeat nor hide others, as long
 * as the position of a row depends on that row alone. A distance depends on the row alone. A score does not, for two reasons.
 * - A score is made of means and spreads, the rarity of words, ranks and the time. The cursor keeps those of the first page as
 *   the `Basis` of all later pages. Later pages also leave out rows that are newer than the first page.
 * - Only candidates have a score. So candidates come in rounds: first the best of each list, as many as the first page looks at,
 *   then as many again, and so on. All rows of one round stand before all rows of the next round. Nothing about a row depends on a
 *   later round.
 */

const bigint = z.string().refine((id) => /^\d{1,19}$/.test(id) && BigInt(id) <= BIGINT_MAX);
const finite = z.number().nullable();

const mostRounds = 100_000;

const wordsSchema = z.object({
  documents: z.number(),
  length: z.number(),
  counts: z.array(z.number()).max(64),
});

const basisSchema = z.object({
  /** When the first page was read, as PostgreSQL writes it: recency is measured from there. */
  at: z.string().max(40),
  /** The newest row of each table; "0" for a table without rows. */
  newest: z.array(bigint),
  /** For each table: the number of rows, their mean length, and the number of rows with each word of the text, longest word first. */
  words: z.array(wordsSchema).nullable(),
  /** Mean and spread of the distances, mean and spread of BM25. */
  moments: z.tuple([finite, finite, finite, finite]),
  /** The distance that `percentile` stands for. */
  farthest: finite,
  /** The least and greatest relevance, between which `weights` scales. */
  relevance: z.tuple([finite, finite]),
});

/** What the scores of a list depend on, beside the row itself. */
export type Basis = z.output<typeof basisSchema>;
export type WordBasis = z.output<typeof wordsSchema>;

const positionSchema = z.object({
  /** How many rows stand before and at this position. */
  seen: z.number().int().positive(),
  /** The k of the first page. It decides how many candidates are in a round. */
  k: z.number().int().min(1).max(limits.k),
  /** The round of the row. */
  round: z.number().int().nonnegative().max(mostRounds),
  /** The value that orders the list: the distance, ascending, or the score, descending. */
  value: z.number(),
  id: bigint,
  /** The kind of the row, in a list of several kinds. */
  kind: z.string().max(10).optional(),
  basis: basisSchema.optional(),
});

/** A position in a list: that of the row that was shown last. */
export type Position = z.output<typeof positionSchema>;

const cursorSchema = positionSchema.extend({ query: z.string() });
const longestCursor = 20_000; // characters; 64 words of four tables take fewer

/** Identifies the search that a cursor belongs to. It does not depend on k, because pages may differ in size. */
export type QueryTag = () => string;

/** The tag of a search, made of everything that decides which rows are in its list and in which order. */
export function queryTag(parts: Readonly<Record<string, unknown>>): QueryTag {
  let tag: string | undefined;
  return () => {
    tag ??= createHash('sha256')
      .update(stableStringify(parts) ?? '')
      .digest('base64url')
      .slice(0, 22);
    return tag;
  };
}

/** Writes the cursor of a position in the list of the search `query`. */
export function writeCursor(query: QueryTag, position: Position): string {
  return encodeCursor({ query: query(), ...position });
}

/**
 * Parses a cursor into the position that it names.
 * @param ranked whether scores order the list, which need a basis.
 * @throws FunesError BAD_USER_INPUT for a text that is no cursor, and for a cursor of another search.
 */
export function parseCursor(text: string, query: QueryTag, ranked: boolean): Position {
  const parsed = text.length > longestCursor ? undefined : cursorSchema.safeParse(decodeCursor(text)).data;
  if (parsed === undefined) throw notACursor(text);
  const { query: tag, ...position } = parsed;
  if (tag !== query()) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'after is a cursor of another search: repeat the arguments of that search (only k may differ), or leave after out.',
    );
  }
  if ((position.basis !== undefined) !== ranked) throw notACursor(text);
  return position;
}

/** The error for a text that is no cursor, or a cursor that somebody changed so that the database refuses its values. */
export function notACursor(text: string): FunesError {
  return new FunesError(
    'BAD_USER_INPUT',
    `after must be the cursor of a match of this search, not ${quote(text)}.`,
  );
}
