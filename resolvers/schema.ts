import 'reflect-metadata';
import { type GraphQLObjectType, type GraphQLSchema, specifiedDirectives } from 'graphql';
import { buildSchemaSync } from 'type-graphql';
import { ChunkResolver } from './chunk/chunk-resolver.ts';
import { refuseMissingVariables } from './common/missing-variables.ts';
import { searchReportDirective } from './common/search-report.ts';
import { DocumentResolver } from './document/document-resolver.ts';
import { MemoryResolver } from './memory/memory-resolver.ts';
import { RecallResolver } from './recall/recall-resolver.ts';
import { ToolResolver } from './tool/tool-resolver.ts';

/** Builds the GraphQL schema with its resolvers: the server runs it, and `npm run schema` prints it. */
export function buildSchema(): GraphQLSchema {
  const schema = buildSchemaSync({
    resolvers: [MemoryResolver, DocumentResolver, ChunkResolver, ToolResolver, RecallResolver],
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
  return schema;
}

/** Describes a root type: type-graphql makes these types, and takes no description for them. */
function describe(type: GraphQLObjectType | null | undefined, description: string): void {
  if (type) type.description = description;
}
