import type { TextTokenizer } from '../embedding/tokenizer.ts';
import { wholeCharacters } from '../input/characters.ts';
import type { Span, Table } from './chunker-outline.ts';
import type { ChunkSpan } from './chunker-packing.ts';

/** Most characters of a header. A word of any length can be one token. */
const longestHeader = 2000;

interface MeasuredTable extends Span {
  header: string;
  /** Where the header ends in the text. */
  headerEnd: number;
  /** Tokens that the header takes in front of a chunk. */
  tokens: number;
}

/**
 * The headers of the tables of a text. A header is embedded in front of each chunk that has rows without it, so such a chunk has
 * room for less. A header that takes more than half of the model's window is cut off there.
 */
export class TableHeaders {
  private readonly tables: MeasuredTable[];

  constructor(
    text: string,
    tables: readonly Table[],
    private readonly tokenizer: TextTokenizer,
  ) {
    this.tables = tables.map(({ start, end, header: row }) => {
      const header = shortened(text.slice(row.start, row.end), tokenizer);
      return {
        start,
        end,
        header,
        headerEnd: row.start + header.length,
        tokens: tokenizer.countTokens(header),
      };
    });
  }

  /**
   * Returns the most tokens of a chunk that begins at `offset`: `chunkSize`, or less if the header would not fit in the model's
   * window then. The embedding of a larger chunk is a mean of windows; there, the header counts towards `chunkSize`.
   */
  chunkTokens(offset: number, chunkSize: number): number {
    const table = this.tables[this.firstEndingAfter(offset)];
    return table && table.start < offset ? this.limit(table, chunkSize) : chunkSize;
  }

  /** Returns the least of what `chunkTokens` returns for any offset. */
  leastChunkTokens(chunkSize: number): number {
    return this.tables.reduce((least, table) => Math.min(least, this.limit(table, chunkSize)), chunkSize);
  }

  /** Returns the header of the first table of which the chunk has rows. */
  headerOf({ startOffset, endOffset }: ChunkSpan): string | undefined {
    const table = this.tables[this.firstEndingAfter(startOffset)];
    if (!table || table.start >= endOffset) return undefined;
    // A chunk may end within a long header.
    const hasRows = table.start < startOffset || table.headerEnd <= endOffset;
    return hasRows && table.header !== '' ? table.header : undefined;
  }

  private limit({ tokens }: MeasuredTable, chunkSize: number): number {
    return Math.min(chunkSize, Math.max(this.tokenizer.windowTokens, chunkSize) - tokens);
  }

  private firstEndingAfter(offset: number): number {
    let low = 0;
    let high = this.tables.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.tables[middle]?.end ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The beginning of a header: at most half a window of whole words. */
function shortened(row: string, tokenizer: TextTokenizer): string {
  const start = row.length > longestHeader ? row.slice(0, wholeCharacters(row, longestHeader)) : row;
  let end = 0;
  let room = tokenizer.windowTokens >> 1;
  for (const word of tokenizer.words(start)) {
    room -= word.tokens;
    if (room < 0) break;
    end = word.end;
  }
  return start.slice(0, end).trimEnd();
}
