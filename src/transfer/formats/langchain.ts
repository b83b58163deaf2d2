import { words } from '../../ingest/cut.ts';
import { checkJson, checkText } from '../../input/checks.ts';
import { limits } from '../../input/limits.ts';
import { exactly, isObject, jsonValues, textIn } from './json-values.ts';
import { badRecord, type DocumentRecord, type FileRecord, recordOr } from './records.ts';

/** One document of LangChain, which is what funes calls a chunk. */
interface Piece {
  kind: 'piece';
  source: string | undefined;
  title: string | undefined;
  chunk: DocumentRecord['chunks'][number];
}

/**
 * Reads documents that LangChain has dumped: a list, one, or JSON Lines of them. What LangChain calls a document is mostly a
 * part of one, so those that follow each other and have the same source become the chunks of one document.
 */
export async function* readLangchain(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<FileRecord> {
  let group: Group | undefined;
  for await (const { value, inputPath } of jsonValues(bytes, {
    name: 'LangChain documents',
    format: 'langchain',
  })) {
    const piece = recordOr(inputPath, () => parsePiece(value, inputPath));
    if (piece.kind !== 'piece') {
      yield piece;
      continue;
    }
    if (group !== undefined && !group.takes(piece)) {
      yield group.document();
      group = group.isContinuedBy(piece) ? new Group(inputPath, piece, group.part + 1) : undefined;
    }
    group ??= new Group(inputPath, piece, 1);
    group.add(piece);
  }
  if (group !== undefined) yield group.document();
}

/** The chunks of a source that have been read, no more than a document may have. */
class Group {
  readonly #chunks: DocumentRecord['chunks'] = [];
  #length = 0;

  constructor(
    readonly inputPath: string,
    readonly first: Piece,
    readonly part: number,
  ) {}

  /** Whether a piece is of the same source. A piece without a source is a document of its own. */
  isContinuedBy({ source }: Piece): boolean {
    return source !== undefined && source === this.first.source;
  }

  takes(piece: Piece): boolean {
    const length = this.#length + piece.chunk.content.length;
    return (
      this.isContinuedBy(piece) && this.#chunks.length < limits.batchSize && length <= limits.documentLength
    );
  }

  add({ chunk }: Piece): void {
    this.#chunks.push(chunk);
    this.#length += chunk.content.length;
  }

  document(): DocumentRecord {
    const { source, title } = this.first;
    return {
      kind: 'document',
      inputPath: this.inputPath,
      filename: filenameOf(source) ?? title?.slice(0, 255) ?? 'document',
      metadata: {
        ...(source !== undefined && { source }),
        ...(title !== undefined && { title }),
        ...(this.part > 1 && { part: this.part }),
      },
      chunks: this.#chunks,
    };
  }
}

/** The last part of a path or an address. */
function filenameOf(source: string | undefined): string | undefined {
  const path = source?.replace(/^[a-z]+:\/\//i, '').replace(/[?#].*$/, '');
  return textIn(path?.split(/[/\\]/).findLast((part) => /\S/.test(part)))?.slice(0, 255);
}

function parsePiece(value: unknown, inputPath: string): Piece | FileRecord {
  const fields = fieldsOf(value);
  const text = fields?.page_content ?? fields?.pageContent;
  if (fields === undefined || text === undefined)
    throw badRecord(inputPath, 'is no document of LangChain: it has no field "page_content".');
  const content = textIn(text);
  if (content === undefined) return { kind: 'leftOut', inputPath, reason: 'has no text' };
  // No search could find it, and one such chunk must not keep the others of its source out.
  if (!words.test(content))
    return { kind: 'leftOut', inputPath, reason: 'has no letter, number or pictograph' };
  checkText(content, inputPath, limits.contentLength);
  const own = fields.metadata ?? {};
  if (!isObject(own)) throw badRecord(`${inputPath}.metadata`, 'is not an object.');
  const metadata = exactly(own, `${inputPath}.metadata`);
  const id = exactly(fields.id, `${inputPath}.id`);
  return {
    kind: 'piece',
    source: textIn(metadata.source),
    title: textIn(metadata.title),
    chunk: {
      content,
      metadata: checkJson(id == null ? metadata : { ...metadata, langchainId: id }, `${inputPath}.metadata`),
    },
  };
}

/** The fields of a document, which LangChain's `dumps` wraps, and `model_dump` or `JSON.stringify` do not. */
function fieldsOf(value: unknown): Record<string, unknown> | undefined {
  if (!isObject(value)) return undefined;
  if (value.lc === undefined) return value;
  const isDocument = Array.isArray(value.id) && value.id.at(-1) === 'Document';
  return isDocument && isObject(value.kwargs) ? value.kwargs : undefined;
}
