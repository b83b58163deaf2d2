import { strength } from './chunker-outline.ts';
import { cumulativeTokens, type TokenCounter, type Unit } from './chunker-units.ts';

/** The sizes of chunks, in tokens without special ones. */
export interface ChunkSizes {
  /** Most tokens of one chunk. */
  chunkSize: number;
  /** Most tokens that the end of a chunk shares with the beginning of the next. */
  overlap: number;
}

/** The offsets of a chunk in its text, and its sizes. */
export interface ChunkSpan {
  startOffset: number;
  endOffset: number;
  /** Tokens of the chunk; the model's tokenizer counts the chunk by itself. */
  tokens: number;
  /** Tokens of the chunk's beginning that are also the end of the previous chunk. */
  overlapTokens: number;
}

/** Returns the most tokens of a chunk that begins at an offset. It is never more than `chunkSize`. */
export type ChunkLimit = (offset: number) => number;

/** Packs the units of a text into chunks. Each chunk ends at the best boundary that its size allows. */
export function packUnits(
  text: string,
  units: Unit[],
  countTokens: TokenCounter,
  sizes: ChunkSizes,
  chunkTokens: ChunkLimit,
): ChunkSpan[] {
  return new Packing(text, units, countTokens, sizes, chunkTokens).run();
}

/** A chunk should have at least this part of chunkSize. To reach it, a weaker boundary is taken. */
const leastFill = 0.25;

/** The units from index `first` to `end`, exclusive. `tokens` is the number of tokens of their joined text. */
interface UnitRange {
  first: number;
  end: number;
  tokens: number;
}

class Packing {
  private readonly before: number[];

  constructor(
    private readonly text: string,
    private readonly units: Unit[],
    private readonly countTokens: TokenCounter,
    private readonly sizes: ChunkSizes,
    private readonly chunkTokens: ChunkLimit,
  ) {
    this.before = cumulativeTokens(units);
  }

  run(): ChunkSpan[] {
    const chunks: ChunkSpan[] = [];
    let previousFirst = -1;
    for (let fresh = 0; fresh < this.units.length; ) {
      const chunk =
        this.fittingChunk(this.overlapStart(previousFirst, fresh), fresh) ?? this.fittingChunk(fresh, fresh);
      const { first, end, tokens } = chunk ?? this.oneUnit(fresh);
      chunks.push({
        startOffset: this.offset(first),
        endOffset: this.offset(end),
        tokens,
        overlapTokens: first === fresh ? 0 : this.count(first, fresh),
      });
      previousFirst = first;
      fresh = end;
    }
    return chunks;
  }

  /**
   * Finds the first unit of the chunk whose first new unit is `fresh`: as early as the overlap allows. A chunk that begins
   * with a heading has no overlap, because its subject is a new one.
   */
  private overlapStart(previousFirst: number, fresh: number): number {
    let limit = this.sizes.overlap;
    for (;;) {
      const first = this.earliestStart(previousFirst, fresh, limit);
      if (first === fresh) return fresh;
      const excess = this.count(first, fresh) - this.sizes.overlap;
      if (excess <= 0) return first;
      limit = this.tokensOf(first, fresh) - excess;
    }
  }

  /** The earliest sentence that begins at most `limit` tokens before `fresh`; if there is none, a word, or a part of one. */
  private earliestStart(previousFirst: number, fresh: number, limit: number): number {
    let sentence = fresh;
    let word = fresh;
    let segment = fresh;
    for (let at = fresh; at > previousFirst + 1 && this.strengthAt(at) < strength.heading; ) {
      at -= 1;
      if (this.tokensOf(at, fresh) > limit) break;
      if (this.strengthAt(at) >= strength.sentence) sentence = at;
      if (this.strengthAt(at) >= strength.word) word = at;
      if (this.strengthAt(at) >= strength.segment) segment = at;
    }
    if (sentence < fresh) return sentence;
    return word < fresh ? word : segment;
  }

  /**
   * The chunk from `first` to the best end at which it fits, counted by itself. Undefined if no new unit fits, or if the chunk
   * has a better end without an overlap.
   */
  private fittingChunk(first: number, fresh: number): UnitRange | undefined {
    const most = this.chunkTokens(this.offset(first));
    let limit = most;
    for (;;) {
      const end = this.bestEnd(first, fresh, limit);
      if (end === undefined) return undefined;
      if (first < fresh && this.isBetterWithoutOverlap(end, fresh, limit)) return undefined;
      const tokens = this.count(first, end);
      if (tokens <= most) return { first, end, tokens };
      limit = this.tokensOf(first, end) - (tokens - most);
    }
  }

  /** Whether `end` cuts a word, or a span that should stay whole, and a chunk without an overlap has a stronger end. */
  private isBetterWithoutOverlap(end: number, fresh: number, limit: number): boolean {
    if (this.strengthAt(end) >= strength.word) return false;
    const farther = this.bestEnd(fresh, fresh, limit);
    return farther !== undefined && this.strengthAt(farther) > this.strengthAt(end);
  }

  private oneUnit(first: number): UnitRange {
    return { first, end: first + 1, tokens: this.count(first, first + 1) };
  }

  /** The strongest boundary within `limit` tokens; the last one of several that are equally strong. */
  private bestEnd(first: number, fresh: number, limit: number): number | undefined {
    let last = fresh;
    while (last < this.units.length && this.tokensOf(first, last + 1) <= limit) last += 1;
    if (last === fresh) return undefined;
    if (last === this.units.length) return last;
    let filled = fresh + 1;
    while (filled < last && this.tokensOf(fresh, filled) < this.sizes.chunkSize * leastFill) filled += 1;
    const best = this.strongest(filled, last);
    return this.strengthAt(best) >= strength.word ? best : this.strongest(fresh + 1, last);
  }

  /** The index of the strongest boundary from `low` to `high`; the last one of several that are equally strong. */
  private strongest(low: number, high: number): number {
    let best = high;
    for (let at = high; at >= low; at -= 1) {
      if (this.strengthAt(at) > this.strengthAt(best)) best = at;
    }
    return best;
  }

  private strengthAt(index: number): number {
    return this.units[index]?.strength ?? strength.heading;
  }

  private offset(index: number): number {
    return this.units[index]?.start ?? this.text.length;
  }

  private tokensOf(first: number, end: number): number {
    return (this.before[end] ?? 0) - (this.before[first] ?? 0);
  }

  private count(first: number, end: number): number {
    return this.countTokens(this.text.slice(this.offset(first), this.offset(end)));
  }
}
