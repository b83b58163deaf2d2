import type { Draw } from './draw.ts';

/** A value of an operation before it is written: as JSON, but for enum values and for texts that are written as they are. */
export type Value =
  | null
  | boolean
  | number
  | string
  | EnumValue
  | Verbatim
  | JsonObject
  | Value[]
  | { [name: string]: Value };

export class EnumValue {
  constructor(readonly name: string) {}
}

/** What no parsed value can be: `1e999`, or a number that JavaScript would round. */
export class Verbatim {
  constructor(readonly text: string) {}
}

/** The value of a scalar that is any JSON object. */
export class JsonObject {
  constructor(readonly value: Record<string, unknown>) {}
}

/** The parts of a value that have no parts. */
export function leavesOf(value: Value): unknown[] {
  if (Array.isArray(value)) return value.flatMap(leavesOf);
  if (value instanceof EnumValue || value instanceof Verbatim || value instanceof JsonObject) return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leavesOf) : [value];
}

/** Rows by kind, in the API's names of their types. */
export const rowKinds = ['Memory', 'Chunk', 'Document', 'Tool', 'ApiKey'] as const;
export type RowKind = (typeof rowKinds)[number];

/** What operations can name: what earlier answers returned, or what somebody knows from elsewhere. */
export interface Known {
  ids: Record<RowKind, string[]>;
  toolNames: string[];
  /** Texts by the name of the argument or input field that most often takes one of them. */
  texts?: Record<string, readonly string[]>;
  /** Cursors with the arguments of the list that they belong to, by the member of the field. */
  cursors: Map<string, { args: Record<string, Value>; cursor: string }[]>;
}

export const words = [
  'walnut',
  'train',
  'Lisbon',
  'cello',
  'billing',
  'database',
  'coffee',
  'passport',
  'orchid',
  'the',
];
const oddTexts = [
  '👩‍👩‍👧‍👦 🏳️‍🌈 1️⃣',
  'שלום עולם مرحبا \u202Bx\u202C',
  '我们明天早上七点见面。',
  '𝕬𐎠🀄\u{10FFFF}',
  '\'; drop table memories; -- " \\ $1 {{x}}',
  ' first\r\n\tsecond\u00a0\u2028 ',
  'Z̷̢̛a̵l̴g̶o̵ é ≠ é',
  '%_\\[a-z]*.?(x|y)^$ & | ! <-> :*',
];
const users = ['default_user', 'ana', 'Bjørn', '李小龍'];

export const sentence = (draw: Draw): string =>
  draw.chance(0.15)
    ? draw.pick(oddTexts)
    : Array.from({ length: 1 + draw.below(6) }, () => draw.pick(words)).join(' ');

const unique = (draw: Draw): string => `${draw.pick(words)} ${draw.below(1_000_000)}`;
const filename = (draw: Draw): string =>
  `${draw.pick(words)}${draw.pick(['.md', '.txt', '.html', '.csv', ' 你.markdown'])}`;
const toolName = (draw: Draw, known: Known): string =>
  known.toolNames.length > 0 && draw.chance(0.85) ? draw.pick(known.toolNames) : draw.pick(words);

/** Texts by the name of their argument or input field. */
const texts: Record<string, (draw: Draw, known: Known) => string> = {
  name: toolName,
  toolName,
  filename,
  fileType: (draw) => draw.pick(['md', 'txt', 'html', 'csv']),
  filePath: (draw) => `/texts/${draw.pick(words)}`,
  content: (draw) => (draw.chance(0.5) ? unique(draw) : sentence(draw)),
  contentBase64: (draw) => Buffer.from(`${sentence(draw)} ${draw.below(1000)}`).toString('base64'),
  userId: (draw) => draw.pick(users),
  about: (draw) => draw.pick(users),
  sessionId: (draw) => `talk-${draw.below(4)}`,
  embeddingModel: (draw) => draw.pick(['own-model', 'another model']),
  vectorModel: (draw) => draw.pick(['own-model', 'another model']),
  source: (draw) => draw.pick(['chat', 'mail', 'odd ✉']),
  idempotencyKey: (draw) => `key-${draw.below(1_000_000)}`,
  path: (draw) => draw.pick(['tags', 'turn', 'user', '0', '-1', 'ключ']),
};

const integers: Record<string, readonly [least: number, most: number]> = {
  first: [0, 4],
  k: [1, 4],
  chunkSize: [8, 60],
  overlap: [0, 4],
  efSearch: [1, 200],
  offset: [0, 60],
  limit: [0, 60],
};

const times = [
  '2026-01-01T00:00:00Z',
  '2026-02-03T04:05:06.789Z',
  '2040-12-31T23:59:59.999Z',
  '1999-12-31T23:59:59+02:00',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59Z',
];

const json = (draw: Draw): JsonObject =>
  new JsonObject({
    ...(draw.chance(0.6) && { turn: draw.below(5) }),
    ...(draw.chance(0.6) && { tags: [draw.pick(words), draw.pick(oddTexts)] }),
    ...(draw.chance(0.3) && { user: { age: draw.below(90) / 7, ok: draw.chance(0.5), none: null } }),
    ...(draw.chance(0.1) && { 'ключ a.b[0]': sentence(draw), '': [] }),
  });

/** A value of a scalar that the API most likely accepts in this argument or input field. */
export function scalarValue(scalar: string, name: string, kind: RowKind, draw: Draw, known: Known): Value {
  switch (scalar) {
    case 'ID': {
      const ids = known.ids[kind];
      return ids.length > 0 ? draw.pick(ids) : '1';
    }
    case 'Int': {
      const [least, most] = integers[name] ?? [0, 6];
      return least + draw.below(most - least + 1);
    }
    case 'Float':
      return name === 'vector' ? draw.below(2001) / 1000 - 1.0005 : draw.below(101) / 100;
    case 'Boolean':
      return draw.chance(0.5);
    case 'DateTime':
      if (name === 'expiresAt') return '2999-12-31T00:00:00Z';
      // When a row was made is in the past.
      return draw.pick(name === 'createdAt' ? times.filter((time) => time < '2026-06') : times);
    case 'JSONObject':
      return json(draw);
    default: {
      const given = known.texts?.[name] ?? [];
      return given.length > 0 && draw.chance(0.8) ? draw.pick(given) : (texts[name] ?? sentence)(draw, known);
    }
  }
}

const wrongValues: readonly Value[] = [
  null,
  '',
  ' \u0000',
  '\ud800',
  '9'.repeat(30),
  '-1',
  '0x10',
  'x'.repeat(3000),
  '2026-02-30T00:00:00Z',
  '+275760-09-13T00:00:00.001Z',
  -1,
  0,
  2 ** 31,
  2 ** 53,
  -0.5,
  1e300,
  new Verbatim('123456789012345678901234567890'),
  new Verbatim('1e999'),
  new Verbatim('-0'),
  true,
  [],
  [[]],
  [null],
  {},
  { __proto__x: 1 },
  new EnumValue('ID'),
  new EnumValue('NO_SUCH_VALUE'),
  Array.from({ length: 1200 }, (_, i) => String(i)),
];

/** A value that may be of the wrong type, beyond a range, or of no sense. */
export const wrongValue = (draw: Draw): Value => draw.pick(wrongValues);
