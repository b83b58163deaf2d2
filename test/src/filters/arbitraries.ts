import fc, { type Arbitrary } from 'fast-check';
import { JsonType } from '../../../src/filters/conditions.ts';
import type {
  ChunkFilters,
  DocumentFilters,
  MemoryFilters,
  ToolFilters,
} from '../../../src/filters/filters.ts';
import {
  someDate,
  someFileSize,
  someFraction,
  someInteger,
  someJsonNumber,
  someJsonString,
  somePart,
  somePath,
  someString,
  someWords,
} from './vocabulary.ts';

// Arbitrary filters. Most have one field with one operator, so that some rows pass them and some do not. Nesting makes the
// rest. Each list begins with what a counterexample should shrink to.

const one = (name: string, operand: Arbitrary<unknown>) => operand.map((value) => ({ [name]: value }));

const list = (operand: Arbitrary<unknown>) => fc.array(operand, { maxLength: 12 });

/** One of these, or two that a row must meet, or rarely none, which is refused in most cases. */
function oneOrTwo(single: Arbitrary<object>): Arbitrary<object> {
  return fc.oneof(
    { weight: 36, arbitrary: single },
    { weight: 12, arbitrary: fc.tuple(single, single).map(([a, b]) => ({ ...a, ...b })) },
    { weight: 1, arbitrary: fc.constant({}) },
  );
}

const condition = (operators: Arbitrary<object>[]) => oneOrTwo(fc.oneof(...operators));

function equality(operand: Arbitrary<unknown>, nullable = false): Arbitrary<object>[] {
  const maybe = nullable
    ? fc.oneof({ weight: 4, arbitrary: operand }, { weight: 1, arbitrary: fc.constant(null) })
    : operand;
  return [one('eq', maybe), one('ne', maybe), one('in', list(operand)), one('notIn', list(operand))];
}

const ordered = (operand: Arbitrary<unknown>, nullable = false) => [
  ...equality(operand, nullable),
  ...['gt', 'gte', 'lt', 'lte'].map((operator) => one(operator, operand)),
];

const texts = (operand: Arbitrary<string>, nullable = false) => [
  ...ordered(operand, nullable),
  one('startsWith', operand),
  one('contains', fc.oneof(someString, operand)),
];

const atPaths = fc.array(
  fc
    .tuple(
      somePath,
      condition([
        one('string', condition(texts(someJsonString))),
        one('number', condition(ordered(someJsonNumber))),
        one('boolean', condition([one('eq', fc.boolean()), one('ne', fc.boolean())])),
        one('type', fc.constantFrom(...Object.values(JsonType))),
        one('exists', fc.boolean()),
      ]),
    )
    .map(([path, inner]) => ({ path, ...inner })),
  { minLength: 1, maxLength: 2 },
);

const json = condition([
  one('contains', somePart),
  one('at', fc.oneof({ weight: 24, arbitrary: atPaths }, { weight: 1, arbitrary: fc.constant([]) })),
]);

const anId = fc.oneof(
  fc.integer({ min: 1, max: 120 }).map(String),
  fc.constantFrom('0', '-1', '9223372036854775807', '-9223372036854775808'),
);

const status = condition(equality(fc.constantFrom('READY', 'STALE', 'PENDING', 'FAILED')));
const ids = condition(ordered(anId));
const words = condition(texts(someWords));
const text = (nullable = false) => condition(texts(someString, nullable));
const dates = (nullable = false) => condition(ordered(someDate, nullable));
const integers = condition(ordered(someInteger));

/**
 * Any nesting of conditions on these fields. A nested filter is drawn as its parts and a way to join them. The first
 * way takes one part as it is, so that a counterexample can lose its nesting.
 */
function filters<T>(fields: Record<string, Arbitrary<unknown>>): Arbitrary<T> {
  const single = fc.oneof(...Object.entries(fields).map(([name, arbitrary]) => one(name, arbitrary)));
  const flat = oneOrTwo(single);
  const { filter } = fc.letrec<{ filter: object; nested: object }>((tie) => ({
    filter: fc.oneof({ maxDepth: 3, depthSize: 'small' }, flat, tie('nested')),
    nested: fc
      .tuple(fc.constantFrom(...joinings), fc.array(tie('filter'), { minLength: 1, maxLength: 4 }))
      .map(([joining, [first = {}, ...others]]) => joining(first, others)),
  }));
  return filter as Arbitrary<T>;
}

const joinings: ((first: object, others: object[]) => object)[] = [
  (first) => first,
  (first, others) => ({ and: [first, ...others] }),
  (first, others) => ({ or: [first, ...others] }),
  (first) => ({ not: first }),
  (first, others) => ({ ...first, or: others }),
  (first, others) => ({ and: others, not: first }),
];

export const someMemoryFilters = filters<MemoryFilters>({
  source: text(),
  content: words,
  contentSummary: text(true),
  sessionId: text(true),
  idempotencyKey: text(true),
  userId: text(),
  importanceScore: condition(ordered(someFraction)),
  metadata: json,
  id: ids,
  embeddingModel: text(true),
  embeddingStatus: status,
  createdAt: dates(),
  updatedAt: dates(),
});

/** Only conditions inside JSON, which are the most intricate. */
export const someMetadataFilters = filters<MemoryFilters>({ metadata: json });

export const someDocumentFilters = filters<DocumentFilters>({
  filename: words,
  filePath: text(true),
  fileType: text(true),
  fileSize: condition(ordered(fc.oneof(someFileSize, fc.constant(0.5)), true)),
  contentHash: text(),
  totalChunks: integers,
  metadata: json,
  id: ids,
  userId: text(),
  processedAt: dates(),
  updatedAt: dates(),
});

export const someChunkFilters = filters<ChunkFilters>({
  content: words,
  contentSummary: text(true),
  chunkIndex: integers,
  totalChunks: integers,
  document: someDocumentFilters,
  documentId: ids,
  chunkSize: integers,
  overlapSize: integers,
  startOffset: integers,
  endOffset: integers,
  metadata: json,
  id: ids,
  userId: text(),
  embeddingModel: text(true),
  embeddingStatus: status,
  createdAt: dates(),
});

export const someToolFilters = filters<ToolFilters>({
  toolName: words,
  toolDescription: words,
  toolParameters: json,
  usageCount: integers,
  lastUsed: dates(true),
  id: ids,
  embeddingModel: text(true),
  embeddingStatus: status,
  createdAt: dates(),
  updatedAt: dates(),
});
