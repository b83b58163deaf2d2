import { FunesError, quote } from '../errors.ts';
import {
  checkCreatedAt,
  checkJson,
  checkOptionalText,
  checkRange,
  checkText,
  checkUserName,
} from '../input/checks.ts';
import { limits } from '../input/limits.ts';
import { parseOwnEmbedding } from '../input/vectors.ts';
import type { Faulty, Incoming, OriginsOfContent } from './incoming.ts';

/** The fields that a file of another program can have of a memory. */
export const memoryFields = [
  'content',
  'contentSummary',
  'source',
  'sessionId',
  'userId',
  'importanceScore',
  'metadata',
  'idempotencyKey',
  'createdAt',
  'updatedAt',
  'embedding',
  'embeddingModel',
] as const;
export type MemoryField = (typeof memoryFields)[number];

/** A memory of another program. Its values are what the file has, and are checked here. */
export type PlainMemory = { [Field in MemoryField]?: unknown };

/** What the readers of other formats work with. */
export interface PlainOptions {
  /** How messages name the file. */
  name: string;
  /** The user who gets all rows. */
  user: string | undefined;
  /** The user of rows that name none. */
  defaultUser: string;
  origins: OriginsOfContent;
  /** Which column or key of the file has a field. */
  map: Partial<Record<MemoryField | `metadata.${string}`, string>>;
}

/** Makes a row of a memory, or says what is wrong with it. */
export function toIncoming(
  memory: PlainMemory,
  line: number,
  { user, defaultUser, origins }: Pick<PlainOptions, 'user' | 'defaultUser' | 'origins'>,
): Incoming | Faulty {
  try {
    const content = checkText(textOf(memory, 'content') ?? '', 'content', limits.contentLength);
    const userId = user ?? checkUserName(textOf(memory, 'userId') ?? defaultUser, 'userId');
    const createdAt = timeOf(memory, 'createdAt');
    checkCreatedAt(createdAt === null ? null : new Date(createdAt), 'createdAt');
    const own = parseOwnEmbedding(
      {
        embedding: memory.embedding as readonly number[] | null | undefined,
        embeddingModel: textOf(memory, 'embeddingModel'),
      },
      'The row',
    );
    const idempotencyKey = checkOptionalText(textOf(memory, 'idempotencyKey'), 'idempotencyKey', 200);
    const row = {
      content,
      contentSummary: checkOptionalText(
        textOf(memory, 'contentSummary'),
        'contentSummary',
        limits.contentLength,
      ),
      source: checkOptionalText(textOf(memory, 'source'), 'source', 50),
      sessionId: checkOptionalText(textOf(memory, 'sessionId'), 'sessionId', 100),
      importanceScore: importanceOf(memory.importanceScore),
      metadata: metadataOf(memory.metadata),
      idempotencyKey,
      createdAt,
      updatedAt: timeOf(memory, 'updatedAt') ?? createdAt,
      ...(own && { embedding: [...own.embedding], embeddingModel: own.embeddingModel }),
    };
    return {
      kind: 'memory',
      line,
      json: JSON.stringify({ row }),
      userId,
      origin: origins.next(userId, content, createdAt),
      idempotencyKey,
      ownId: null,
      contentHash: null,
      archivedAt: null,
      text: own ? undefined : content,
      chunks: [],
    };
  } catch (error) {
    if (error instanceof FunesError) return { kind: 'fault', line, reason: error.message.replace(/\.$/, '') };
    throw error;
  }
}

function textOf(memory: PlainMemory, field: MemoryField): string | null {
  const value = memory[field];
  if (value == null || (value === '' && field !== 'content')) return null;
  if (typeof value === 'string') return value;
  throw wrong(`${field} is ${JSON.stringify(value)}, not a text`);
}

const isBlank = (value: unknown) => value == null || (typeof value === 'string' && value.trim() === '');

function importanceOf(value: unknown): number | null {
  if (isBlank(value)) return null;
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number !== 'number') throw wrong(`importanceScore is ${JSON.stringify(value)}, not a number`);
  return checkRange(number, 'importanceScore', 0, 1);
}

function metadataOf(value: unknown): Record<string, unknown> {
  if (value == null) return {};
  if (typeof value === 'object' && !Array.isArray(value))
    return checkJson(value as Record<string, unknown>, 'metadata');
  throw wrong(`metadata is ${JSON.stringify(value)}, not an object`);
}

const isoTime = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(\.\d+)?\s*(Z|UTC|[+-]\d\d(?::?\d\d)?)?)?$/i;

/** Parses a time of ISO 8601, or seconds since 1970. A time without an offset is in UTC. Keeps microseconds. */
function timeOf(memory: PlainMemory, field: 'createdAt' | 'updatedAt'): string | null {
  const value = memory[field];
  if (isBlank(value)) return null;
  if (typeof value === 'number') return timeOfSeconds(value, field);
  const text = String(value).trim();
  // Each cell of a CSV is a text. Fewer digits may be a year or a day.
  if (/^\d{9,}(\.\d+)?$/.test(text)) return timeOfSeconds(Number(text), field);
  const [, date, time = '00:00', fraction = '', offset = 'Z'] = isoTime.exec(text) ?? [];
  const zone = /^(Z|UTC)$/i.test(offset)
    ? 'Z'
    : offset.replace(/^(...):?(\d\d)?$/, (_, h, m) => `${h}:${m ?? '00'}`);
  const seconds = time.length === 5 ? `${time}:00` : time;
  const iso = `${date}T${seconds}${fraction}${zone}`;
  if (date !== undefined && !Number.isNaN(Date.parse(iso))) return iso;
  throw wrong(
    `${field} is ${quote(String(value))}, not a time such as 2024-05-31T18:00:00Z or seconds since 1970`,
  );
}

/** The year 5138. What is more is in milliseconds. */
const mostSeconds = 1e11;

function timeOfSeconds(seconds: number, field: string): string {
  if (Math.abs(seconds) >= mostSeconds)
    throw wrong(
      `${field} is ${seconds}, which is too much for seconds since 1970; divide milliseconds by 1000`,
    );
  const whole = Math.floor(seconds);
  const date = new Date(whole * 1000);
  // A double has some 16 digits: of the seconds of our time, it has the microseconds.
  const micros = Math.min(999_999, Math.round((seconds - whole) * 1e6));
  return `${date.toISOString().slice(0, 19)}.${String(micros).padStart(6, '0')}Z`;
}

const wrong = (message: string) => new FunesError('BAD_USER_INPUT', message);
