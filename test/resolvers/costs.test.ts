import { isObjectType } from 'graphql';
import { expect, test } from 'vitest';
import { buildSchema } from '../../resolvers/schema.ts';
import { costRuleOf } from '../../src/http/operation/cost-rules.ts';
import { costs } from '../../src/input/limits.ts';
import { personalTables } from '../../src/store/personal-tables.ts';

/** Arguments with a number of their own each, so that a cost tells what it was made of. */
const args = {
  k: 7,
  first: 50,
  limit: 1000,
  text: 'x',
  inputs: [{ content: 'x' }, { content: 'y' }],
  input: { content: 'x' },
  ids: ['1', '2', '3'],
};

test('these fields cost something, and multiply what stands below them', () => {
  const rules = Object.values(buildSchema().getTypeMap())
    .filter(isObjectType)
    .flatMap((type) =>
      Object.values(type.getFields()).flatMap((field) => {
        const rule = costRuleOf(type.name, field);
        if (rule === undefined) return [];
        return `${type.name}.${field.name}: ${rule.own(args)}, ${rule.times(args)} times what is below`;
      }),
    );
  expect(rules.sort()).toMatchInlineSnapshot(`
    [
      "ApiKeyConnection.totalCount: 10, 1 times what is below",
      "ArchivePayload.sample: 200, 200 times what is below",
      "AuditLineConnection.totalCount: 10, 1 times what is below",
      "Chunk.document: 1, 1 times what is below",
      "Chunk.embedding: 1, 1 times what is below",
      "Chunk.next: 1, 1 times what is below",
      "Chunk.previous: 1, 1 times what is below",
      "Chunk.similar: 18, 7 times what is below",
      "ChunkConnection.totalCount: 10, 1 times what is below",
      "CreateKeyPayload.apiKey: 1, 1 times what is below",
      "DeletedDocuments.sample: 200, 200 times what is below",
      "DeletedMemories.sample: 200, 200 times what is below",
      "Document.chunks: 50, 50 times what is below",
      "Document.similar: 18, 7 times what is below",
      "Document.text: 4, 1 times what is below",
      "DocumentConnection.totalCount: 10, 1 times what is below",
      "Health.checks: 200, 200 times what is below",
      "IngestDocumentPayload.document: 1, 1 times what is below",
      "Integrity.findings: 200, 200 times what is below",
      "KindStats.embeddings: 200, 200 times what is below",
      "Memory.embedding: 1, 1 times what is below",
      "Memory.similar: 18, 7 times what is below",
      "MemoryConnection.totalCount: 10, 1 times what is below",
      "Mutation.archiveMemories: 2, 1 times what is below",
      "Mutation.createKey: 2, 1 times what is below",
      "Mutation.createMemories: 4, 2 times what is below",
      "Mutation.createMemory: 2, 1 times what is below",
      "Mutation.deleteDocumentsWhere: 10, 1 times what is below",
      "Mutation.deleteMemories: 3, 1 times what is below",
      "Mutation.deleteMemoriesWhere: 10, 1 times what is below",
      "Mutation.forgetUser: 10, 1 times what is below",
      "Mutation.ingestDocument: 2, 1 times what is below",
      "Mutation.recordToolUse: 1, 1 times what is below",
      "Mutation.registerTools: 4, 2 times what is below",
      "Mutation.restoreMemories: 3, 1 times what is below",
      "Mutation.restoreMemoriesWhere: 10, 1 times what is below",
      "Mutation.revokeKey: 1, 1 times what is below",
      "Mutation.updateDocument: 2, 1 times what is below",
      "Mutation.updateMemory: 2, 1 times what is below",
      "PersonalRowConnection.totalCount: 60, 1 times what is below",
      "Query.archivedMemories: 50, 50 times what is below",
      "Query.audit: 50, 50 times what is below",
      "Query.chunk: 1, 1 times what is below",
      "Query.chunks: 50, 50 times what is below",
      "Query.document: 1, 1 times what is below",
      "Query.documents: 50, 50 times what is below",
      "Query.embeddings: 200, 200 times what is below",
      "Query.exportUser: 111, 50 times what is below",
      "Query.indexes: 200, 200 times what is below",
      "Query.integrity: 5000, 1 times what is below",
      "Query.keys: 50, 50 times what is below",
      "Query.memories: 50, 50 times what is below",
      "Query.memory: 1, 1 times what is below",
      "Query.recall: 18, 7 times what is below",
      "Query.similarChunks: 18, 7 times what is below",
      "Query.similarDocuments: 18, 7 times what is below",
      "Query.similarMemories: 18, 7 times what is below",
      "Query.similarTools: 18, 7 times what is below",
      "Query.tool: 1, 1 times what is below",
      "Query.tools: 50, 50 times what is below",
      "RestoredMemories.sample: 200, 200 times what is below",
      "Stats.kinds: 66, 6 times what is below",
      "Stats.userCount: 66, 6 times what is below",
      "Stats.users: 110, 50 times what is below",
      "Tool.embedding: 1, 1 times what is below",
      "Tool.similar: 18, 7 times what is below",
      "ToolConnection.totalCount: 10, 1 times what is below",
    ]
  `);
});

test('all rows of a person are counted in as many tables as there are', () => {
  expect(costs.tablesOfPerson).toBe(Object.keys(personalTables).length);
});
