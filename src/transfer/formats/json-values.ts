import { Tokenizer, TokenParser, TokenType } from '@streamparser/json';
import { FunesError, quote } from '../../errors.ts';
import { lossOf } from '../../input/exact-numbers.ts';
import { badFile, badRecord } from './records.ts';
import { utf8Of } from './utf8.ts';

/** A value of a JSON file, and where it stands. */
export interface JsonValue {
  value: unknown;
  /** `[3]` of a list, `results[3]` of a list in an object, `line 4` of JSON Lines. */
  inputPath: string;
}

/** Bytes of one value. All of a value is in memory, and takes a few times as much there. */
export const largestValue = 64 * 2 ** 20;

/** How much of a file is parsed at once: the values of one part are in memory together. */
const partLength = 64 * 1024;

/** Levels of objects and lists, far more than any of the formats has. */
const deepest = 1000;

/** How much of a file tells which format it has. */
const headLength = 64 * 1024;

/** A number that JavaScript would round. It is an error only where a record would have it. */
class InexactNumber {
  constructor(readonly loss: string) {}
}

class ExactTokenizer extends Tokenizer {
  protected override parseNumber(text: string): number {
    const value = Number(text);
    const loss = Number.isFinite(value)
      ? lossOf(text)
      : `the number ${text.slice(0, 40)}, which is beyond 1.8e308. Send it as a string.`;
    // The parser passes on whatever stands for the number.
    return loss === undefined ? value : (new InexactNumber(loss) as unknown as number);
  }
}

interface Expected {
  /** What the values are called in errors: "ChatGPT conversations". */
  name: string;
  /** The name in `formatMarks` of the format that is read. */
  format: keyof typeof formatMarks;
  /** If the file is an object: the name of the list in it. Without, the file may be one value, or JSON Lines. */
  list?: string;
}

/**
 * Yields the values of a JSON file one by one: the elements of a list, or the values of JSON Lines. No more of the file is in
 * memory than what has just been read, and the value that is not complete yet.
 * @throws FunesError if the file is not JSON, ends too early, or has another format.
 */
export async function* jsonValues(
  bytes: AsyncIterable<Uint8Array>,
  expected: Expected,
): AsyncGenerator<JsonValue> {
  let reader: ValueReader | undefined;
  let head = Buffer.alloc(0);
  for await (const part of partsOf(utf8Of(bytes))) {
    if (reader === undefined) {
      head = Buffer.concat([head, part]);
      if (head.length < headLength) continue;
      reader = readerOf(head.toString('utf8'), expected);
      yield* reader.write(head);
    } else yield* reader.write(part);
  }
  if (reader === undefined) {
    reader = readerOf(head.toString('utf8'), expected);
    yield* reader.write(head);
  }
  reader.end();
}

async function* partsOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const part of bytes)
    for (let from = 0; from < part.length; from += partLength) yield part.subarray(from, from + partLength);
}

/** What a file of each format has near its beginning. A quote in a text is escaped, so that texts cannot look like this. */
const formatMarks = {
  chatgpt: /"mapping"\s*:\s*\{/,
  claude: /"chat_messages"\s*:\s*\[/,
  langchain: /"(page_content|pageContent)"\s*:/,
  mem0: /"memory"\s*:/,
} as const;

const formatNames = {
  chatgpt: "ChatGPT's conversations",
  claude: "Claude's conversations",
  langchain: "LangChain's documents",
  mem0: "mem0's memories",
} as const;

/** Says which other format the beginning of a file looks like. Returns nothing if it is none that is known. */
export function otherFormat(head: string, expected?: Expected['format']): string {
  const formats = Object.keys(formatMarks) as (keyof typeof formatMarks)[];
  const other = formats.find((format) => format !== expected && formatMarks[format].test(head));
  return other === undefined ? '' : ` The file looks like ${formatNames[other]}: try --from ${other}.`;
}

function readerOf(head: string, expected: Expected): ValueReader {
  const begins = head.trim();
  if (begins === '') throw badFile('The file is empty.');
  if (begins[0] !== '[' && begins[0] !== '{')
    throw badFile(
      `The file is not JSON: it begins with ${quote(begins.slice(0, 30))}.` +
        (/^[^\n]*[,;\t]/.test(begins) && begins[0] !== '<' ? ' If it is a table, try --from csv.' : ''),
    );
  const hint = formatMarks[expected.format].test(head) ? '' : otherFormat(head, expected.format);
  if (hint !== '') throw badFile(`The file has no ${expected.name}.${hint}`);
  return new ValueReader(begins[0] === '[', expected);
}

/** The parser of a file, to which its bytes are pushed. */
class ValueReader {
  readonly #tokenizer: ExactTokenizer;
  readonly #parser: TokenParser;
  readonly #expected: Expected;
  readonly #isList: boolean;
  /** The depth of a value that is yielded. */
  readonly #depth: number;
  #level = 0;
  #values: JsonValue[] = [];
  #count = 0;
  #part: Uint8Array = new Uint8Array();
  #offset = 0;
  #counted = 0;
  #line = 1;
  #valueLine = 1;
  #valueOffset = 0;
  #name: unknown;
  #sawList = false;
  #token: readonly [value: unknown, offset: number] = ['', 0];

  constructor(isList: boolean, expected: Expected) {
    this.#isList = isList;
    this.#expected = expected;
    const list = isList ? '' : expected.list;
    const paths = list === undefined ? ['$'] : list === '' ? ['$.*'] : [`$.${list}.*`];
    this.#depth = list === undefined ? 0 : list === '' ? 1 : 2;
    const separator = list === undefined ? { separator: '' } : {};
    this.#tokenizer = new ExactTokenizer(separator);
    this.#parser = new TokenParser({ paths, keepStack: false, ...separator });
    this.#tokenizer.onToken = (token) => {
      this.#token = [token.value, token.offset];
      this.#note(token.token, token.value, token.offset);
      this.#parser.write(token);
    };
    this.#parser.onValue = ({ value }) => {
      if (this.#depth === 2 && !this.#sawList) return;
      this.#values.push({ value, inputPath: this.#pathOf(this.#count) });
      this.#count++;
    };
  }

  /** Follows where values begin. */
  #note(token: TokenType, value: unknown, offset: number): void {
    if (token === TokenType.RIGHT_BRACE || token === TokenType.RIGHT_BRACKET) {
      this.#level--;
      return;
    }
    if (this.#level === this.#depth) {
      this.#valueOffset = offset;
      if (this.#depth === 0) this.#valueLine = this.#lineAt(offset);
    }
    if (this.#depth === 2 && this.#level === 1) {
      if (token === TokenType.LEFT_BRACKET && this.#name === this.#expected.list) this.#sawList = true;
      if (token === TokenType.STRING) this.#name = value;
    }
    if (token === TokenType.LEFT_BRACE || token === TokenType.LEFT_BRACKET) this.#level++;
    if (this.#level > deepest)
      throw badFile(`${this.#pathOf(this.#count)} has more than ${deepest} levels of objects and lists.`);
  }

  #lineAt(offset: number): number {
    for (; this.#counted < offset; this.#counted++)
      if (this.#part[this.#counted - this.#offset] === 0x0a) this.#line++;
    return this.#line;
  }

  #pathOf(index: number): string {
    if (this.#depth === 0) return `line ${this.#valueLine}`;
    return `${this.#isList ? '' : this.#expected.list}[${index}]`;
  }

  /** Parses a part of the file. Returns the values that it completes. */
  *write(part: Uint8Array): Generator<JsonValue> {
    this.#part = part;
    let error: FunesError | undefined;
    try {
      this.#tokenizer.write(part);
    } catch (thrown) {
      error = thrown instanceof FunesError ? thrown : this.#notJson(thrown);
    }
    this.#lineAt(this.#offset + part.length);
    this.#offset += part.length;
    const values = this.#values;
    this.#values = [];
    // What stands before an error is whole, and can be imported.
    yield* values;
    if (error !== undefined) throw error;
    if (this.#level > this.#depth && this.#offset - this.#valueOffset > largestValue)
      throw badFile(
        `${this.#pathOf(this.#count)} has more than ${largestValue} bytes, which is too much for one value.`,
      );
  }

  /** Checks that the file is complete. */
  end(): void {
    const isOpen = this.#level > 0;
    const last = this.#count === 0 ? 'before the first value' : `behind ${this.#pathOf(this.#count - 1)}`;
    try {
      if (!this.#tokenizer.isEnded) this.#tokenizer.end();
      if (!this.#parser.isEnded) this.#parser.end();
    } catch (error) {
      if (!isOpen) throw this.#notJson(error);
    }
    if (isOpen)
      throw badFile(
        `The file ends too early, ${this.#depth === 0 ? `in the value of line ${this.#valueLine}` : last}: the rest of it is ` +
          'missing.',
      );
    if (this.#depth === 2 && !this.#sawList)
      throw badFile(
        `The file has no ${this.#expected.name}: it is an object without a list "${this.#expected.list}".`,
      );
  }

  #notJson(error: unknown): FunesError {
    const message = error instanceof Error ? error.message : String(error);
    // The tokenizer names the character and the byte. The parser names neither, but the token is the last one.
    const [, character, byte] = /^Unexpected "([\s\S]*)" at .*absolute position "(\d+)"/.exec(message) ?? [];
    const [unexpected, offset] = character === undefined ? this.#token : ([character, Number(byte)] as const);
    const at = this.#depth === 0 ? `line ${this.#lineAt(offset)}` : this.#pathOf(this.#count);
    return badFile(
      `The file is not valid JSON in ${at}: unexpected ${quote(String(unexpected))} at byte ${offset}.`,
    );
  }
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof InexactNumber)
  );
}

/** A value if it is a text that is not blank. */
export function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && /\S/.test(value) ? value : undefined;
}

/**
 * Returns what a record keeps of a JSON value.
 * @param inputPath where the value stands.
 * @throws FunesError if it has a number that JavaScript would round.
 */
export function exactly<T>(value: T, inputPath: string): T {
  refuseInexact(value, inputPath);
  return value;
}

function refuseInexact(value: unknown, inputPath: string): void {
  if (value instanceof InexactNumber)
    throw badRecord(inputPath, `has ${value.loss.replace('Send it', 'Write it')}`);
  if (Array.isArray(value)) for (const [i, one] of value.entries()) refuseInexact(one, `${inputPath}[${i}]`);
  else if (isObject(value))
    for (const [key, one] of Object.entries(value)) refuseInexact(one, `${inputPath}.${key}`);
}
