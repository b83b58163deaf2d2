import { type GraphQLSchema, parse } from 'graphql';
import { LRUCache } from 'lru-cache';
import { FunesError, quote } from '../../errors.ts';
import { limits } from '../../input/limits.ts';
import { checkCost } from './cost.ts';
import { type OperationOutline, outlineDocument } from './outline.ts';
import { countTokens } from './token-count.ts';

/** A GraphQL request as it was sent: nothing of it was checked. */
export interface RawOperation {
  query?: unknown;
  variables?: unknown;
  operationName?: unknown;
}

/** Tokens that are counted for a message, so that the refusal of a long text takes no long time. */
const mostCounted = 2 * limits.tokens;

/** Characters of the operations whose outlines are kept. */
const keptCharacters = 4_000_000;

/**
 * Returns a function that refuses an operation which is too large or could cost too much, before it is validated and before
 * anything of it runs. What is no operation at all is left to Apollo, which refuses it.
 * @param costLimit what an operation may cost at most.
 * @throws FunesError LIMIT_EXCEEDED, or BAD_USER_INPUT for a name of no operation (the function that is returned)
 */
export function operationChecker(
  schema: GraphQLSchema,
  costLimit: number,
): (operation: RawOperation) => void {
  const kept = new LRUCache<string, OperationOutline[]>({
    maxSize: keptCharacters,
    sizeCalculation: (_, query) => query.length,
  });

  return ({ query, variables, operationName }) => {
    if (typeof query !== 'string' || query === '') return;
    let outlines = kept.get(query);
    if (outlines === undefined) {
      outlines = outlineOf(query, schema);
      if (outlines === undefined) return;
      kept.set(query, outlines);
    }
    const outline = chosenOutline(outlines, operationName);
    if (outline) checkCost(outline, isRecord(variables) ? variables : {}, costLimit);
  };
}

/**
 * The operation of a document that is to run. Undefined if the document or the name has a fault that Apollo refuses.
 * @throws FunesError BAD_USER_INPUT if the name does not say which.
 */
function chosenOutline(outlines: readonly OperationOutline[], name: unknown): OperationOutline | undefined {
  if (typeof name !== 'string' && name != null) return undefined;
  const names = outlines.flatMap(({ operation }) => operation.name?.value ?? []);
  // Validation refuses an operation without a name among others.
  if (outlines.length === 0 || (outlines.length > 1 && names.length < outlines.length)) return undefined;
  const chosen =
    name == null
      ? outlines.length === 1 && outlines[0]
      : outlines.find(({ operation }) => operation.name?.value === name);
  if (chosen) return chosen;
  const given = name == null ? '' : `, and none is named ${quote(name)}`;
  if (names.length === 0) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `The request has one operation, which has no name${given}: leave operationName out.`,
    );
  }
  throw new FunesError(
    'BAD_USER_INPUT',
    `The request has ${names.length === 1 ? 'the operation' : 'the operations'} ${listed(names)}${given}: name one by operationName.`,
  );
}

const listedNames = 10;

function listed(names: readonly string[]): string {
  const shown = names
    .slice(0, listedNames)
    .map((name) => (name.length > 60 ? `${name.slice(0, 60)}…` : name));
  if (names.length > shown.length) shown.push(`${names.length - shown.length} more`);
  const last = shown.pop() ?? '';
  return shown.length === 0 ? last : `${shown.join(', ')} and ${last}`;
}

/** The outline of a document; undefined if it cannot be parsed. */
function outlineOf(query: string, schema: GraphQLSchema): OperationOutline[] | undefined {
  if (query.length > limits.operationLength) {
    throw new FunesError(
      'LIMIT_EXCEEDED',
      `The operation has ${query.length} characters; at most ${limits.operationLength} are allowed. ` +
        'Send long texts as variables.',
    );
  }
  let document: ReturnType<typeof parse>;
  try {
    document = parse(query, { maxTokens: limits.tokens, noLocation: true });
  } catch (error) {
    if (!(error as Error).message.startsWith('Syntax Error: Document contains more')) return undefined;
    throw new FunesError(
      'LIMIT_EXCEEDED',
      `The operation has ${describeTokens(query)}. Send values as variables, or several requests.`,
    );
  }
  return outlineDocument(document, schema);
}

function describeTokens(query: string): string {
  const { tokens, more, dearest } = countTokens(query, mostCounted);
  return (
    `${more ? 'more than ' : ''}${tokens} tokens (names, punctuation and values); at most ${limits.tokens} are allowed` +
    (dearest === undefined ? '' : `. The field with the most is ${quote(dearest.field)}: ${dearest.tokens}`)
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
