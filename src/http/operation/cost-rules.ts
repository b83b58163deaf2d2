import {
  type GraphQLField,
  getNamedType,
  isCompositeType,
  isListType,
  isNonNullType,
  isObjectType,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
} from 'graphql';
import { checkBatch } from '../../input/checks.ts';
import { costs, limits } from '../../input/limits.ts';

/** The arguments of a field, as the client sent them: they were not checked. */
export type RawArguments = Readonly<Record<string, unknown>>;

/** What a field costs by itself, and how many objects it returns at most, each with the fields below it. */
export interface CostRule {
  own(args: RawArguments): number;
  times(args: RawArguments): number;
}

const rules = new WeakMap<object, { rule: CostRule | undefined }>();

/**
 * Returns what a field costs; undefined if it costs nothing. This follows from the names and types of a field and its
 * arguments, so that a field that is added to the schema has a cost without being named here. A test lists all rules.
 */
export function costRuleOf(parent: string, field: GraphQLField<unknown, unknown>): CostRule | undefined {
  const known = rules.get(field);
  if (known) return known.rule;
  const rule = makeRule(parent, field);
  rules.set(field, { rule });
  return rule;
}

function makeRule(parent: string, field: GraphQLField<unknown, unknown>): CostRule | undefined {
  if (field === SchemaMetaFieldDef || field === TypeMetaFieldDef)
    return { own: () => costs.introspection, times: once };
  if (parent.startsWith('__')) return undefined;
  const names = new Set(field.args.map(({ name }) => name));
  if (names.has('k')) {
    return {
      own: (args) =>
        costs.search +
        sizeOf(args.k, limits.k) +
        elementsOf(args.like) +
        elementsOf(args.unlike) +
        costOfText(args.text),
      times: (args) => sizeOf(args.k, limits.k),
    };
  }
  // All rows of each table are counted.
  if (parent === 'Stats') {
    const times = ({ first }: RawArguments) =>
      names.has('first') ? sizeOf(first, limits.pageSize) : costs.tablesOfPerson;
    return { own: (args) => countOfPerson + times(args), times };
  }
  if (names.has('first')) {
    const size = ({ first }: RawArguments) => sizeOf(first, limits.pageSize);
    // A page of a person's rows may write the line of the audit that says how many rows there are.
    const line = getNamedType(field.type).name === allOfPerson ? countOfPerson + costs.row : 0;
    return { own: (args) => size(args) + line, times: size };
  }
  // A part of a text: about as many chunks as it is long.
  if (names.has('limit')) {
    const charactersOfChunk = (limits.usualChunkSize - limits.usualOverlap) * costs.charactersOfToken;
    return {
      own: ({ limit }) => costs.row + Math.ceil(sizeOf(limit, limits.textPartLength) / charactersOfChunk),
      times: once,
    };
  }
  if (names.has('inputs')) {
    const own = ({ inputs }: RawArguments) =>
      listOf(inputs, 'inputs').reduce<number>((sum, input) => sum + costOfInput(input), 0);
    return { own, times: ({ inputs }) => elementsOf(inputs) };
  }
  if (names.has('input')) {
    return { own: ({ input }) => costOfInput(input), times: once };
  }
  if (names.has('ids')) return { own: ({ ids }) => listOf(ids, 'ids').length * costs.row, times: once };
  // A count reads rows that it does not return.
  if (parent === allOfPerson && field.name === 'totalCount') return { own: () => countOfPerson, times: once };
  if (field.name === 'totalCount' || names.has('dryRun')) return { own: () => costs.search, times: once };
  // Vectors are read by themselves.
  if (field.name === 'embedding') return { own: () => costs.row, times: once };

  if (parent === 'Query' && field.name === 'integrity') return { own: () => costs.integrity, times: once };

  const type = getNamedType(field.type);
  if (!isCompositeType(type)) return undefined;
  if (isListOf(field)) {
    if (parent.endsWith('Connection')) return undefined;
    // Nothing says how many these are.
    return { own: () => limits.pageSize * costs.row, times: () => limits.pageSize };
  }
  // The rows of edges and matches were counted where the list or the search stands.
  const isRow = isObjectType(type) && type.getFields().id !== undefined;
  const comesWithParent = parent.endsWith('Edge') || parent.endsWith('Match');
  return isRow && !comesWithParent ? { own: () => costs.row, times: once } : undefined;
}

/** The type of a page of all rows of a person, which are in several tables. */
const allOfPerson = 'PersonalRowConnection';
const countOfPerson = costs.tablesOfPerson * costs.search;

const once = () => 1;

function isListOf({ type }: GraphQLField<unknown, unknown>): boolean {
  return isListType(isNonNullType(type) ? type.ofType : type);
}

/** The cost of the text of a search. A text that is too long is refused by the field itself. */
function costOfText(text: unknown): number {
  if (typeof text !== 'string') return 0;
  const length = Math.min(text.length, limits.queryLength);
  return Math.max(1, Math.ceil(length / costs.charactersOfText)) * costs.text;
}

/** A number of rows. A larger one than `most`, or none at all, is refused by the field itself, before it reads anything. */
function sizeOf(value: unknown, most: number): number {
  return typeof value === 'number' && value > 0 ? Math.min(value, most) : 0;
}

/** The elements of a list; GraphQL takes a single value for a list of one. */
function elementsOf(value: unknown): number {
  if (value === undefined || value === null) return 0;
  return Array.isArray(value) ? value.length : 1;
}

/**
 * A batch as a list. One that is too large is refused here, because turning a thousand inputs into objects takes longer.
 * @throws FunesError LIMIT_EXCEEDED
 */
function listOf(value: unknown, name: string): readonly unknown[] {
  return checkBatch(Array.isArray(value) ? value : [value], name);
}

/** The cost of a row to write. It has a text to embed, or as many pieces of one as its length lets expect. */
function costOfInput(input: unknown): number {
  if (typeof input !== 'object' || input === null) return 0;
  const { content, contentBase64, chunkSize, overlap } = input as Record<string, unknown>;
  const length =
    typeof contentBase64 === 'string'
      ? contentBase64.length * 0.75
      : typeof content === 'string'
        ? content.length
        : 0;
  const size = typeof chunkSize === 'number' ? chunkSize : limits.usualChunkSize;
  const repeated = typeof overlap === 'number' ? overlap : Math.min(limits.usualOverlap, size / 2);
  const step = Math.max(1, size - Math.max(0, repeated));
  const texts = Math.max(1, Math.ceil(length / (step * costs.charactersOfToken)));
  return costs.row + texts * costs.text;
}
