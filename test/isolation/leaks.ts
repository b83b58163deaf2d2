import { allIdsOf, secretsOf, tokenStart, type User } from './data.ts';

/** An answer as it went over the wire. */
export interface RawAnswer {
  status: number;
  /** Header lines and body. */
  text: string;
  data?: Record<string, unknown> | null;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
  extensions?: Record<string, unknown>;
}

/** Runs of characters that can be base64 or base64url. */
const encoded = /[A-Za-z0-9+/_-]{12,}/g;
/** Long numbers have digits alone, and embeddings have very many. */
const hasLetter = /[A-Za-z]/;
const number = /\d{7,}/g;
const decoded = (text: string): string => Buffer.from(text, 'base64').toString('latin1');
/** Messages show the beginning of a long value. */
const shownLength = 50;

/** Finds what is `owner`'s in the answers to somebody else. */
export class LeakFinder {
  private readonly token: RegExp;
  private readonly secrets: readonly string[];
  private readonly ids: ReadonlySet<string>;

  constructor(private readonly owner: User) {
    // A part of a token is enough, as messages cut long values. Three letters also stand in base64 by chance.
    this.token = new RegExp(`${tokenStart[owner]}[0-9a-f]{4,}`, 'i');
    this.secrets = secretsOf(owner);
    this.ids = new Set(allIdsOf(owner));
  }

  /**
   * Returns what an answer tells of the owner's rows; undefined if it tells nothing.
   * @param sent what the request had in it and an answer may repeat: ids, names, cursors.
   */
  find({ text, data }: Pick<RawAnswer, 'text' | 'data'>, sent: ReadonlySet<string>): string | undefined {
    return this.inText(text, sent) ?? this.inData(data);
  }

  private inText(text: string, sent: ReadonlySet<string>): string | undefined {
    const known = new Set<string>();
    let left = text;
    // A cursor of the owner's list has values of a row in it, which whoever sends it knows.
    for (const value of sent) {
      for (const part of [value, decoded(value)]) for (const [id] of part.matchAll(number)) known.add(id);
      if (value.length > 20) left = left.replaceAll(value, '').replaceAll(value.slice(0, shownLength), '');
    }
    const parts = [left];
    for (const [run] of left.matchAll(encoded)) if (hasLetter.test(run)) parts.push(decoded(run));
    for (const part of parts) {
      const token = this.token.exec(part);
      if (token !== null) return `the token ${token[0]}`;
      for (const [id] of part.matchAll(number))
        if (this.ids.has(id) && !known.has(id)) return `the id ${id}, which the request had not`;
    }
    const secret = this.secrets.find((value) => left.includes(value));
    return secret === undefined ? undefined : `the secret ${secret}`;
  }

  /** Data repeats nothing of a request: an id or a name of the owner there comes from a row. */
  private inData(value: unknown): string | undefined {
    if (typeof value === 'string')
      return this.ids.has(value) || value === this.owner ? `the value "${value}" in the data` : undefined;
    if (typeof value !== 'object' || value === null) return undefined;
    for (const inner of Object.values(value)) {
      const leak = this.inData(inner);
      if (leak !== undefined) return leak;
    }
    return undefined;
  }
}
