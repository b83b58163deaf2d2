import 'reflect-metadata';
import { type GraphQLSchema, specifiedDirectives } from 'graphql';
import { buildSchemaSync } from 'type-graphql';
import { ChunkResolver } from './chunk/chunk-resolver.ts';
import { searchReportDirective } from './common/search-report.ts';
import { DocumentResolver } from './document/document-resolver.ts';
import { MemoryResolver } from './memory/memory-resolver.ts';
import { RecallResolver } from './recall/recall-resolver.ts';
import { ToolResolver } from './tool/tool-resolver.ts';

/** The GraphQL schema with its resolvers, as the server runs it and `schema.graphql` prints it. */
export function buildSchema(): GraphQLSchema {
  return buildSchemaSync({
    resolvers: [MemoryResolver, DocumentResolver, ChunkResolver, ToolResolver, RecallResolver],
    directives: [...specifiedDirectives, searchReportDirective],
    // What a decorator cannot say is checked where it is used, with messages of our own.
    validate: false,
  });
}
