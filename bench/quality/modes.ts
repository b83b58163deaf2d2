import { ApiError, type Client } from '../support/client.ts';
import type { DataSet } from './data-set.ts';
import { searchFields } from './storage.ts';

/** A mode of searching: a name for the `options` of a search. */
export interface Mode {
  name: string;
  options: Record<string, unknown>;
}

export const modes: readonly Mode[] = [
  { name: 'SEMANTIC', options: {} },
  { name: 'SEMANTIC exact', options: { exact: true } },
  { name: 'KEYWORD', options: { mode: 'KEYWORD' } },
  { name: 'HYBRID', options: { mode: 'HYBRID' } },
  { name: 'HYBRID no context', options: { mode: 'HYBRID', context: 0 } },
  { name: 'HYBRID by rank', options: { mode: 'HYBRID', fusion: 'RANK' } },
  { name: 'SEMANTIC context', options: { context: 0.4 } },
];

interface TypeReference {
  kind: string;
  name: string | null;
  ofType: TypeReference | null;
}

interface SearchArguments {
  field: { fields: { name: string; args: { name: string; type: TypeReference }[] }[] };
}

interface InputType {
  type: {
    inputFields: { name: string; type: { name: string | null; ofType: { name: string | null } | null } }[];
  };
}

/** The search for one kind of object, as the server's schema has it. */
export interface SearchField {
  /** The GraphQL query, with variables text, k, filters and options. */
  query: string;
  /** Returns an option of the mode that the schema does not have. Returns undefined if the schema has all options. */
  missing(mode: Mode): string | undefined;
}

/** Asks the server's schema for the search for one kind of object. */
export async function searchField(client: Client, kind: DataSet['kind']): Promise<SearchField> {
  const { field, filters, row } = searchFields[kind];
  const { field: query } = await client<SearchArguments>(
    `query BenchSearchArguments { field: __type(name: "Query") {
      fields { name args { name type { kind name ofType { kind name ofType { kind name } } } } }
    } }`,
  );
  const argument = query.fields
    .find(({ name }) => name === field)
    ?.args.find(({ name }) => name === 'options');
  const optionsType = argument && namedType(argument.type);
  const values = await optionValues(client, optionsType);
  return {
    query: `query BenchSearch($text: String!, $k: Int!, $filters: ${filters}, $options: ${optionsType}) {
      matches: ${field}(text: $text, k: $k, filters: $filters, options: $options) { row: ${row} { id } }
    }`,
    missing: ({ options }) => {
      for (const [name, value] of Object.entries(options)) {
        if (!values.has(name)) return name;
        const allowed = values.get(name);
        if (allowed && !allowed.includes(String(value))) return `${name}: ${value}`;
      }
      return undefined;
    },
  };
}

/** Returns the fields of an input type. A field that is an enum comes with its values. */
async function optionValues(
  client: Client,
  type: string | null | undefined,
): Promise<Map<string, string[] | undefined>> {
  const { type: input } = await client<InputType>(
    'query BenchOptions($name: String!) { type: __type(name: $name) { inputFields { name type { name ofType { name } } } } }',
    { name: type },
  );
  const found = new Map<string, string[] | undefined>();
  for (const { name, type } of input.inputFields) {
    const { values } = await client<{ values: { enumValues: { name: string }[] | null } | null }>(
      'query BenchEnum($name: String!) { values: __type(name: $name) { enumValues { name } } }',
      { name: type.name ?? type.ofType?.name ?? '' },
    );
    found.set(
      name,
      values?.enumValues?.map((value) => value.name),
    );
  }
  return found;
}

function namedType(type: TypeReference): string | null {
  return type.ofType ? namedType(type.ofType) : type.name;
}

/** Whether the server refused the options, such as `context` for documents, which have no sessions. */
export function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === 'BAD_USER_INPUT';
}
