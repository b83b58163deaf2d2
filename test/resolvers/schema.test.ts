import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isObjectType,
  lexicographicSortSchema,
  parse,
  printSchema,
  TypeInfo,
  validate,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { buildSchema } from '../../resolvers/schema.ts';

const schema = buildSchema();
const operationsFolder = join(import.meta.dirname, '../operations');
const operations = parse(
  readdirSync(operationsFolder)
    .map((name) => readFileSync(join(operationsFolder, name), 'utf8'))
    .join('\n'),
);
const ownTypes = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'));

/** Returns each field and each argument that a client can ask for. */
function questions(type: GraphQLNamedType): string[] {
  if (!isObjectType(type)) return [];
  return Object.values(type.getFields()).flatMap(({ name, args }) => [
    `${type.name}.${name}`,
    ...args.map((arg) => `${type.name}.${name}(${arg.name})`),
  ]);
}

describe('the schema', () => {
  test('is the one that schema.graphql shows to clients', () => {
    const committed = readFileSync(join(import.meta.dirname, '../../schema.graphql'), 'utf8');
    expect(`${printSchema(lexicographicSortSchema(schema))}\n`).toBe(committed);
  });

  test('describes every type, field, argument, input field and enum value', () => {
    const silent = ownTypes.flatMap((type) => {
      const members: { name: string; description?: string | null | undefined }[] = [];
      if (isObjectType(type) || isInputObjectType(type)) members.push(...Object.values(type.getFields()));
      if (isObjectType(type)) members.push(...Object.values(type.getFields()).flatMap(({ args }) => args));
      if (isEnumType(type)) members.push(...type.getValues());
      const isBuiltIn = ['String', 'Int', 'Float', 'Boolean', 'ID'].includes(type.name);
      const own = isBuiltIn ? [] : [type];
      return [...own, ...members.map((member) => ({ ...member, name: `${type.name}.${member.name}` }))]
        .filter(({ description }) => !description?.trim())
        .map(({ name }) => name);
    });
    expect(silent).toEqual([]);
  });
});

describe('the operations of the tests', () => {
  test('are valid', () => {
    expect(validate(schema, operations)).toEqual([]);
  });

  test('ask for every field and give every argument there is', () => {
    const asked = new Set<string>();
    const types = new TypeInfo(schema);
    visit(
      operations,
      visitWithTypeInfo(types, {
        Field: () => void asked.add(`${types.getParentType()?.name}.${types.getFieldDef()?.name}`),
        Argument: () =>
          void asked.add(
            `${types.getParentType()?.name}.${types.getFieldDef()?.name}(${types.getArgument()?.name})`,
          ),
      }),
    );
    expect(ownTypes.flatMap(questions).filter((question) => !asked.has(question))).toEqual([]);
  });
});
