import type { TextStructure } from '../chunker-outline.ts';

/** What is known about a part of a document, such as its page. It becomes metadata of the chunks that overlap the part. */
export interface PartMetadata {
  /** The number of the page in the file, from 1. */
  page?: number;
  /** The number of the slide, from 1. */
  slide?: number;
  /** The name of the sheet. */
  sheet?: string;
  /** The headings above the text, the highest one first. */
  headings?: string[];
}

/** A part of an extracted text: `text.slice(start, end)`. Parts are in order and do not overlap. */
export interface TextPart {
  start: number;
  end: number;
  metadata: PartMetadata;
}

/** The text of a file. */
export interface Extraction {
  text: string;
  /** How the chunker finds headings and blocks in the text. */
  structure: TextStructure;
  parts: TextPart[];
}

/** Puts an extracted text together, piece by piece, and notes the parts of it. */
export class TextBuilder {
  private readonly pieces: string[] = [];
  private readonly parts: TextPart[] = [];
  private length = 0;

  /** Appends text to the current part. */
  add(text: string): void {
    this.pieces.push(text);
    this.length += text.length;
  }

  /** Ends the current part. What is added next belongs to a part with this metadata. */
  begin(metadata: PartMetadata): void {
    this.endPart();
    this.parts.push({ start: this.length, end: this.length, metadata });
  }

  /** Returns all that was added. */
  finish(structure: TextStructure): Extraction {
    this.endPart();
    return {
      text: this.pieces.join(''),
      structure,
      parts: this.parts.filter(({ start, end }) => start < end),
    };
  }

  private endPart(): void {
    const last = this.parts.at(-1);
    if (last) last.end = this.length;
  }
}

/** A file whose text cannot be read. The extractor's thread hands it to the main thread, which names the file. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';

  /**
   * @param problem goes on from "The file NAME": what is wrong, and what to do.
   * @param code is LIMIT_EXCEEDED for a file that is too much to read.
   */
  constructor(
    readonly problem: string,
    readonly code: 'BAD_USER_INPUT' | 'LIMIT_EXCEEDED' = 'BAD_USER_INPUT',
  ) {
    super(problem);
  }
}
