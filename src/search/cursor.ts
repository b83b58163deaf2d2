import { createHash } from 'node:crypto';
import stableStringify from 'safe-stable-stringify';
import { z } from 'zod';
import { FunesError, quote } from '../errors.ts';
import { BIGINT_MAX } from '../input/checks.ts';
import { limits } from '../input/limits.ts';

/**
 * Pages of a ranked list are read by keyset: a cursor says which row was shown last, by what the list is ordered by and
 * its id, and the next page is what stands behind it. Rows that are added meanwhile then neither repeat nor hide others,
 * as long as the position of a row depends on that row alone. A distance does. A score does not, for two
 * reasons.
 * - A score is made of means and spreads, the rarity of words, ranks and the time of day. So the first page's are kept in
 *   the cursor as the `Basis` of all later ones, which also leave out rows that are newer than the first page.
 * - Only candidates have a score. So they come in rounds: first the best of each list, as many as the first page looks at,
 *   then the next as many, and so on. All of one round stand before all of the next, and nothing about a row of a round
 *   depends on a later one.
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
  /** Of each table: how many rows, their mean length, and how many have each word of the text, longest words first. */
  words: z.array(wordsSchema).nullable(),
  /** Mean and spread of the distances, mean and spread of BM25. */
  moments: z.tuple([finite, finite, finite, finite]),
  /** The distance that `percentile` stands for. */
  farthest: finite,
  /** The least and greatest relevance, between which `weights` scales. */
  relevance: z.tuple([finite, finite]),
});

/** What the scores of a list are made from, beside the row itself. */
export type Basis = z.output<typeof basisSchema>;
export type WordBasis = z.output<typeof wordsSchema>;

const positionSchema = z.object({
  /** How many rows stand before and at this position. */
  seen: z.number().int().positive(),
  /** The k of the first page, which says how many candidates are in a round. */
  k: z.number().int().min(1).max(limits.k),
  /** Of which round it is. */
  round: z.number().int().nonnegative().max(mostRounds),
  /** What the list is ordered by: the distance, ascending, or the score, descending. */
  value: z.number(),
  id: bigint,
  /** Which kind of row, in a list of several. */
  kind: z.string().max(10).optional(),
  basis: basisSchema.optional(),
});

/** A position in a ranked list: that of the row that was shown last. */
export type Position = z.output<typeof positionSchema>;

const cursorSchema = positionSchema.extend({ query: z.string() });
const longestCursor = 20_000; // characters; more than 64 words of four tables take

/** Tells the query that a cursor belongs to from others; k is not part of it, pages may differ in size. */
export type QueryTag = () => string;

/** The tag of a search by all that says which rows are in its list, and in which order. */
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

/** A cursor of the list that `query` gives, for a client to send back; opaque to it. */
export function writeCursor(query: QueryTag, position: Position): string {
  return Buffer.from(JSON.stringify({ query: query(), ...position })).toString('base64url');
}

/**
 * The position that a cursor names.
 * @param ranked whether the list is ordered by scores, which have a basis.
 * @throws FunesError BAD_USER_INPUT for one that is not ours, or of another query.
 */
export function parseCursor(text: string, query: QueryTag, ranked: boolean): Position {
  const parsed = text.length > longestCursor ? undefined : cursorSchema.safeParse(decode(text)).data;
  if (parsed === undefined) throw notACursor(text);
  const { query: tag, ...position } = parsed;
  if (tag !== query()) {
    throw new FunesError(
      'BAD_USER_INPUT',
      'after is a cursor of another search: repeat the arguments that it came from (all but k), or leave after out.',
    );
  }
  if ((position.basis !== undefined) !== ranked) throw notACursor(text);
  return position;
}

/** Also for one that was changed so that the database cannot make sense of it. */
export function notACursor(text: string): FunesError {
  return new FunesError(
    'BAD_USER_INPUT',
    `after must be the cursor of a match of this search, not ${quote(text)}.`,
  );
}

function decode(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
