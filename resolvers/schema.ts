import 'reflect-metadata';
import {
  defaultFieldResolver,
  type GraphQLObjectType,
  type GraphQLSchema,
  specifiedDirectives,
} from 'graphql';
import { buildSchemaSync } from 'type-graphql';
import { checkAccess, everybody, type RootField, rolesFor } from '../src/security/access.ts';
import { AuditResolver } from './audit/audit-resolver.ts';
import { ChunkResolver } from './chunk/chunk-resolver.ts';
import { refuseMissingVariables } from './common/missing-variables.ts';
import { searchReportDirective } from './common/search-report.ts';
import type { Context } from './context.ts';
import { DocumentResolver } from './document/document-resolver.ts';
import { EmbeddingResolver } from './embedding/embedding-resolver.ts';
import { KeyResolver } from './key/key-resolver.ts';
import { MemoryResolver } from './memory/memory-resolver.ts';
import { OperationsResolver } from './operations/operations-resolver.ts';
import { PersonResolver } from './person/person-resolver.ts';
import { RecallResolver } from './recall/recall-resolver.ts';
import { ToolResolver } from './tool/tool-resolver.ts';

/** Builds the GraphQL schema with its resolvers: the server runs it, and `npm run schema` prints it. */
export function buildSchema(): GraphQLSchema {
  const schema = buildSchemaSync({
    resolvers: [
      MemoryResolver,
      DocumentResolver,
      ChunkResolver,
      ToolResolver,
      RecallResolver,
      KeyResolver,
      PersonResolver,
      AuditResolver,
      EmbeddingResolver,
      OperationsResolver,
    ],
    directives: [...specifiedDirectives, searchReportDirective],
    // src/ checks what GraphQL types cannot express, with error messages of its own.
    validate: false,
  });
  refuseMissingVariables(schema);
  describe(
    schema.getQueryType(),
    'What can be read: rows by id, lists in pages, and searches by meaning or words.',
  );
  describe(
    schema.getMutationType(),
    'What can be changed. Each mutation is done as a whole or not at all, and those of one operation one after another.',
  );
  guard(schema.getQueryType(), 'query');
  guard(schema.getMutationType(), 'mutation');
  return schema;
}

/** Puts the check of roles before each field of a root type that is not for everybody. @throws Error for a mutation without rule */
function guard(type: GraphQLObjectType | null | undefined, kind: RootField['kind']): void {
  for (const field of Object.values(type?.getFields() ?? {})) {
    const { name, resolve = defaultFieldResolver } = field;
    const roles = rolesFor({ name, kind });
    if (roles === everybody) continue;
    field.resolve = (source, args, context: Context, info) => {
      checkAccess(context.viewer, name, roles);
      return resolve(source, args, context, info);
    };
  }
}

/** Describes a root type: type-graphql makes these types, and takes no description for them. */
function describe(type: GraphQLObjectType | null | undefined, description: string): void {
  if (type) type.description = description;
}
