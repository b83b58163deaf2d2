import {
  coerceInputValue,
  GraphQLError,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLLeafType,
  type GraphQLSchema,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  typeFromAST,
  type VariableDefinitionNode,
} from 'graphql';
import { fieldHint, valueHint } from './input-hints.ts';
import { literalOf, writtenValue } from './written.ts';

/** Something in a variable that graphql refuses. */
export interface VariableProblem {
  definition: VariableDefinitionNode;
  /** What graphql says, with the value cut to a line. */
  message: string;
  /** What to write instead. */
  hint: string | undefined;
}

export interface SentVariables {
  schema: GraphQLSchema;
  definitions: readonly VariableDefinitionNode[];
  values: Readonly<Record<string, unknown>>;
  /** Whether messages may say names that the client did not send. */
  suggest: boolean;
}

/** Problems that are listed; graphql lists as many errors of variables. */
export const mostProblems = 50;

/**
 * Returns what is wrong with variables if their shape is: a name that an input object does not have or misses, an object or
 * list where a scalar belongs, a scalar where an object belongs. Returns nothing for a right shape, in which a scalar may still be
 * wrong. graphql would write the whole value into each error, and take a minute for an object of 10 MB with fifty wrong names.
 */
export function problemsOfShape(sent: SentVariables): VariableProblem[] {
  return new Search(sent, 'shape', 1).problems().length === 0 ? [] : problemsOfVariables(sent);
}

/** Returns what is wrong with variables, in the order in which graphql finds it. */
export function problemsOfVariables(sent: SentVariables): VariableProblem[] {
  return new Search(sent, 'all', mostProblems).problems();
}

interface Path {
  before: Path | undefined;
  step: string | number;
}

const enough = new Error('As many problems as wanted.');

class Search {
  private readonly found: VariableProblem[] = [];
  private definition: VariableDefinitionNode | undefined;
  private shown: { value: unknown; text: string } | undefined;

  constructor(
    private readonly sent: SentVariables,
    private readonly wanted: 'shape' | 'all',
    private readonly most: number,
  ) {}

  problems(): VariableProblem[] {
    const { schema, definitions, values } = this.sent;
    try {
      for (const definition of definitions) {
        const type = typeFromAST(schema, definition.type);
        const value = values[definition.variable.name.value];
        if (value === undefined || !isInputType(type)) continue;
        this.definition = definition;
        this.look(value, type, undefined);
      }
    } catch (error) {
      if (error !== enough) throw error;
    }
    return this.found;
  }

  private look(value: unknown, type: GraphQLInputType, path: Path | undefined): void {
    if (isNonNullType(type)) {
      if (value != null) this.look(value, type.ofType, path);
      else if (this.wanted === 'all')
        this.report(value, path, `Expected non-nullable type "${type}" not to be null.`, undefined);
    } else if (value == null) {
      // null is a value of every other type.
    } else if (isListType(type)) {
      if (!Array.isArray(value)) this.look(value, type.ofType, path);
      else for (let i = 0; i < value.length; i++) this.look(value[i], type.ofType, { before: path, step: i });
    } else if (isInputObjectType(type)) {
      this.lookAtObject(value, type, path);
    } else {
      this.lookAtLeaf(value, type, path);
    }
  }

  private lookAtObject(value: unknown, type: GraphQLInputObjectType, path: Path | undefined): void {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      const hint = valueHint(type, writtenValue(value));
      this.report(value, path, `Expected type "${type.name}" to be an object.`, hint);
      return;
    }
    const object = value as Record<string, unknown>;
    const fields = type.getFields();
    for (const field of Object.values(fields)) {
      const inner = object[field.name];
      if (inner !== undefined) this.look(inner, field.type, { before: path, step: field.name });
      else if (isRequiredInputField(field)) {
        const message = `Field "${field.name}" of required type "${field.type}" was not provided.`;
        this.report(value, path, message, undefined);
      }
    }
    for (const name in object) {
      if (fields[name]) continue;
      const hint = fieldHint(type, name, writtenValue(object[name]));
      this.report(value, path, this.unknownField(type, name), hint);
    }
  }

  private lookAtLeaf(value: unknown, type: GraphQLLeafType, path: Path | undefined): void {
    if (typeof value === 'object') {
      if (type.name === 'JSONObject' && !Array.isArray(value)) return;
      const message =
        type.name === 'JSONObject'
          ? `JSONObject cannot represent non-object value: ${literalOf(value)}`
          : `${type.name} cannot represent ${Array.isArray(value) ? 'a list' : 'an object'}: ${literalOf(value)}`;
      this.report(value, path, message, valueHint(type, writtenValue(value)));
    } else if (this.wanted === 'all') {
      // The words of graphql. A scalar is short, or one text.
      coerceInputValue(
        value,
        type,
        (_, __, { message }) => this.report(value, path, message, valueHint(type, writtenValue(value))),
        !this.sent.suggest,
      );
    }
  }

  /** What graphql says of a name that an input object does not have, with its guess. */
  private unknownField(type: GraphQLInputObjectType, name: string): string {
    const plain = `Field "${name}" is not defined by type "${type.name}".`;
    let message = plain;
    coerceInputValue(
      { [name]: null },
      type,
      (_, __, problem) => {
        if (problem.message.startsWith(plain)) message = problem.message;
      },
      !this.sent.suggest,
    );
    return message;
  }

  private report(value: unknown, path: Path | undefined, problem: string, hint: string | undefined): void {
    const { definition } = this;
    if (!definition) return;
    const name = definition.variable.name.value;
    const at = path === undefined ? '' : ` at "${name}${written(path)}"`;
    // Listing the names of a wide object takes long, and the problems of one object follow each other.
    if (!this.shown || this.shown.value !== value) this.shown = { value, text: literalOf(value) };
    const message = `Variable "$${name}" got invalid value ${this.shown.text}${at}; ${problem}`;
    this.found.push({ definition, message, hint });
    if (this.found.length >= this.most) throw enough;
  }
}

function written(path: Path | undefined): string {
  if (path === undefined) return '';
  return written(path.before) + (typeof path.step === 'number' ? `[${path.step}]` : `.${path.step}`);
}

/** The error for a problem, as graphql would make it. */
export function errorOf({ definition, message }: VariableProblem): GraphQLError {
  return new GraphQLError(message, { nodes: definition });
}
