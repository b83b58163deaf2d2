import type { CodegenConfig } from '@graphql-codegen/cli';

/**
 * `npm run codegen`: typed operations from `schema.graphql` and the `.graphql` files. A change of the API that breaks
 * one of them breaks the build. An operation is a string with the types of its result and variables, so that a client
 * needs no GraphQL library to send it.
 */
const config: CodegenConfig = {
  schema: 'schema.graphql',
  documents: 'test/operations/*.graphql',
  generates: {
    'test/generated/operations.ts': {
      plugins: ['typescript-operations', 'typed-document-node'],
      config: {
        documentMode: 'string',
        useTypeImports: true,
        enumType: 'string-literal',
        // A scalar without a type here would be `any`.
        strictScalars: true,
        scalars: { DateTime: 'string', JSONObject: 'Record<string, unknown>', ID: 'string' },
      },
    },
  },
};

export default config;
