import { FunesError, quote } from '../../errors.ts';
import { BIGINT_MAX, checkUserName } from '../../input/checks.ts';
import { isJsonObject } from '../../input/json-object.ts';
import { checkVector } from '../../input/vectors.ts';
import { chunkText, toolText } from '../../store/embedded-text.ts';
import { checkDepth, checkRow } from '../check-row.ts';
import { fieldsOf, formatVersion, type LineKind, lineKinds } from '../format.ts';
import { type Incoming, type IncomingChunk, type Read, unreadable } from '../incoming.ts';
import { readTextLines, type TextLine } from '../read-lines.ts';

type Row = Record<string, unknown>;

const isKnownField = (kind: LineKind, name: string) => fieldsOf[kind].some((field) => field.name === name);

/** A document whose chunks are being read. */
interface OpenDocument {
  row: Omit<Incoming, 'chunks'>;
  id: unknown;
  total: number;
  chunks: IncomingChunk[];
  /** What is wrong with one of its chunks. */
  fault: { line: number; reason: string } | undefined;
  bytes: number;
}

/**
 * Reads an export of funes.
 * @param user the user who gets all rows; otherwise each row keeps its user.
 * @throws FunesError BAD_USER_INPUT for a file that does not begin with a header, and at a header of another version.
 */
export async function* readFunes(
  parts: AsyncIterable<Buffer>,
  { user, name }: { user: string | undefined; name: string },
): AsyncGenerator<Read> {
  let databaseId: string | undefined;
  let ended = false;
  let document: OpenDocument | undefined;
  let last: TextLine | undefined;

  for await (const line of readTextLines(parts)) {
    last = line;
    const { number, bytes } = line;
    let parsed: Row;
    try {
      parsed = parseLine(line);
      const header = parseHeader(parsed, number);
      if (header !== undefined) {
        if (document) yield close(document);
        document = undefined;
        databaseId = header;
        ended = false;
        continue;
      }
      if (databaseId === undefined) throw unreadable(noHeader(name));
      if (parsed.kind === 'end') {
        if (document) yield close(document);
        document = undefined;
        ended = true;
        continue;
      }
      const kind = parseKind(parsed.kind);
      const row = parseRow(kind, parsed.row);
      if (kind === 'chunk') {
        if (document === undefined || document.id !== row.documentId)
          throw fault('the chunk does not follow its document');
        document.bytes = bytes;
        document.chunks.push(parseChunk(row, line, document.chunks.length));
        continue;
      }
      if (document) yield close(document);
      document = undefined;
      const incoming = { ...parseIncoming(kind, row, databaseId, user), line: number, json: line.text ?? '' };
      if (kind !== 'document') yield { ...incoming, chunks: [], bytes };
      else {
        const total = Number(row.totalChunks);
        document = { row: incoming, id: row.id, total, chunks: [], fault: undefined, bytes };
      }
    } catch (error) {
      if (!(error instanceof LineFault)) throw error;
      if (databaseId === undefined) throw unreadable(noHeader(name));
      const reason = line.isCut ? `the file ends in the middle of this line` : error.message;
      // A chunk that cannot be read makes its document incomplete.
      if (document && document.chunks.length < document.total) {
        document.fault ??= { line: number, reason };
        document.bytes = bytes;
        document.chunks.push({ line: number, json: '{}', text: undefined });
      } else yield { kind: 'fault', line: number, reason, bytes };
    }
  }
  if (document) yield close(document);
  if (last === undefined || databaseId === undefined) throw unreadable(noHeader(name));
  // A line that is cut has been told already.
  if (!ended && !last.isCut) {
    const reason =
      'the file ends here without the line that an export ends with, so rows after it may be missing: export them again';
    yield { kind: 'fault', line: last.number, reason, bytes: last.bytes };
  }
}

class LineFault extends Error {}
const fault = (reason: string) => new LineFault(reason);

const noHeader = (name: string) =>
  `${name} is no export of funes, because its first line is not the header of one. For files of other programs, name their ` +
  'format by --from.';

function parseLine({ text }: TextLine): Row {
  if (text === undefined) throw fault('the line is not UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const odd = /(?:NaN|-?Infinity)(?=\s*[,\]])/.exec(text)?.[0];
    throw fault(
      odd === undefined
        ? 'the line is not JSON'
        : `the line has ${odd}, which is no number of JSON; a vector has finite numbers`,
    );
  }
  if (!isJsonObject(value)) throw fault('the line is not a JSON object');
  asFault(() => checkDepth(text));
  return value;
}

/** Returns the id of the exporting database, undefined for a line that is no header. */
function parseHeader({ funes, version, databaseId }: Row, line: number): string | undefined {
  if (funes === undefined) return undefined;
  if (version !== formatVersion) {
    throw unreadable(
      `Line ${line}: the export has the version ${JSON.stringify(version)} of the format, and this funes reads version ` +
        `${formatVersion}. Import the file with the version of funes that wrote it, or a newer one.`,
    );
  }
  if (typeof databaseId !== 'string' || databaseId === '')
    throw unreadable(`Line ${line}: the header has no databaseId.`);
  return databaseId;
}

function parseKind(kind: unknown): LineKind {
  const known = lineKinds.find((one) => one === kind);
  if (known) return known;
  throw fault(`the kind ${JSON.stringify(kind)} is unknown to this version of funes`);
}

function parseRow(kind: LineKind, row: unknown): Row {
  if (!isJsonObject(row)) throw fault('the line has no row');
  const unknown = Object.keys(row).find((name) => !isKnownField(kind, name));
  if (unknown !== undefined) {
    throw fault(
      `the ${kind} has the field ${quote(unknown)}, which this version of funes does not know: a newer version wrote it`,
    );
  }
  asFault(() => checkRow(fieldsOf[kind], row));
  checkEmbedding(row);
  return row;
}

function checkEmbedding({ embedding, embeddingModel }: Row): void {
  if (embedding == null) return;
  if (!Array.isArray(embedding)) throw fault('embedding is no list of numbers');
  const wrong = embedding.findIndex((element) => typeof element !== 'number');
  if (wrong !== -1) throw fault(`embedding[${wrong}] is ${JSON.stringify(embedding[wrong])}, not a number`);
  asFault(() => checkVector(embedding, 'embedding'));
  if (typeof embeddingModel !== 'string') throw fault('embedding has no embeddingModel');
}

function parseIncoming(
  kind: Exclude<LineKind, 'chunk'>,
  row: Row,
  databaseId: string,
  user: string | undefined,
): Omit<Incoming, 'chunks' | 'line' | 'json'> {
  const none = { idempotencyKey: null, ownId: null, contentHash: null, archivedAt: null, text: undefined };
  if (kind === 'tool') {
    const toolName = textOf(row, 'toolName');
    const tool = { toolName, toolDescription: textOf(row, 'toolDescription') };
    return { ...none, kind, userId: '', origin: toolName, text: toEmbed(row, toolText(tool)) };
  }
  const id = textOf(row, 'id');
  const userId = user ?? asFault(() => checkUserName(textOf(row, 'userId'), 'userId'));
  // Of a row that was imported itself, the first database counts.
  const origin = optionalText(row, 'origin') ?? `${databaseId}:${kind}:${id}`;
  const common = {
    ...none,
    userId,
    origin,
    ownId: ownIdOf(origin, kind),
    ownCreatedAt: optionalText(row, 'createdAt'),
  };
  if (kind === 'document') return { ...common, kind, contentHash: textOf(row, 'contentHash') };
  return {
    ...common,
    kind,
    idempotencyKey: optionalText(row, 'idempotencyKey'),
    archivedAt: optionalText(row, 'archivedAt'),
    text: toEmbed(row, textOf(row, 'content')),
  };
}

/** The part of an origin that is an id of a database. Whether it is this database, `importRows` knows. */
function ownIdOf(origin: string, kind: string): string | null {
  const [, ofKind, id] = origin.split(':');
  return ofKind === kind && id !== undefined && /^[1-9]\d{0,18}$/.test(id) && BigInt(id) <= BIGINT_MAX
    ? id
    : null;
}

function parseChunk(row: Row, { number, text }: TextLine, index: number): IncomingChunk {
  if (row.chunkIndex !== index)
    throw fault(`the chunk ${index} of the document is missing, because chunkIndex is ${row.chunkIndex}`);
  const content = textOf(row, 'content');
  const metadata = isJsonObject(row.metadata) ? row.metadata : {};
  return { line: number, json: text ?? '', text: toEmbed(row, chunkText({ content, metadata })) };
}

/** A row that has its vector is not embedded, nor one that can never be. */
function toEmbed({ embedding, embeddingError }: Row, text: string): string | undefined {
  return embedding == null && embeddingError == null ? text : undefined;
}

function close({ row, total, chunks, fault: wrong, bytes }: OpenDocument): Read {
  if (wrong) {
    const reason = `${wrong.reason}; without it the document of line ${row.line} is not complete`;
    return { kind: 'fault', line: wrong.line, reason, bytes };
  }
  if (chunks.length !== total) {
    const reason = `the document has ${total} chunks, and the file has ${chunks.length} of them`;
    return { kind: 'fault', line: row.line, reason, bytes };
  }
  return { ...row, chunks, bytes };
}

function textOf(row: Row, field: string): string {
  const value = row[field];
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw fault(value == null ? `${field} is missing` : `${field} is ${quote(String(value))}, not a text`);
}

function optionalText(row: Row, field: string): string | null {
  return row[field] == null ? null : textOf(row, field);
}

function asFault<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof FunesError) throw fault(error.message.replace(/\.$/, ''));
    throw error;
  }
}
