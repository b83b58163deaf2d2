import { GraphQLFloat, GraphQLID, GraphQLInt, GraphQLString } from 'graphql';
import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ObjectType } from 'type-graphql';
import type { Deleted } from '../../src/store/delete-where.ts';
import { type Archived, archiveSampleSize } from '../../src/store/memory-archive.ts';
import type { MemoryRow } from '../../src/store/rows.ts';
import { connectionOf, orderOf } from '../common/connection.ts';
import { Embedded } from '../common/embedded.ts';
import { GraphQLJSONObject } from '../common/json-object.ts';
import { Scores } from '../common/match.ts';

/** The fields that are read with the row. memory-resolver.ts adds `embedding` and `similar`. */
@ObjectType({
  simpleResolvers: true,
  description: 'Something that an application remembers: an utterance, a fact.',
})
export class Memory extends Embedded implements MemoryRow {
  @Field(() => GraphQLID, { description: 'Identifies the memory; a whole number in decimal digits.' })
  id!: string;

  @Field(() => GraphQLString, { description: 'The user it belongs to.' })
  userId!: string;

  @Field(() => GraphQLString, { description: 'The text itself, whose meaning and words searches use.' })
  content!: string;

  @Field(() => GraphQLString, {
    nullable: true,
    description: 'A shorter form of the text, if the application gave one.',
  })
  contentSummary!: string | null;

  @Field(() => GraphQLString, { description: 'Where the memory came from, such as "chat".' })
  source!: string;

  @Field(() => GraphQLString, { nullable: true, description: 'The conversation it belongs to.' })
  sessionId!: string | null;

  @Field(() => GraphQLFloat, { description: 'How much it matters, 0 to 1.' })
  importanceScore!: number;

  @Field(() => GraphQLJSONObject, { description: 'What else the application keeps with it.' })
  metadata!: Record<string, unknown>;

  @Field(() => GraphQLString, {
    nullable: true,
    description: 'The key under which a retried write finds it again.',
  })
  idempotencyKey!: string | null;

  @Field(() => GraphQLDateTime, {
    description: 'When it was made (UTC): what the application said, otherwise when it was stored.',
  })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'When it last changed (UTC).' })
  updatedAt!: Date;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description:
      'When it was archived (UTC). Null for a live memory. Only archivedMemories, what archives or deletes memories, and a write ' +
      'that repeats the key of an archived memory return archived memories.',
  })
  archivedAt?: Date | null | undefined;
}

@ObjectType({ simpleResolvers: true, description: 'A memory that a search found.' })
export class MemoryMatch extends Scores {
  @Field(() => Memory, { description: 'The memory.' })
  memory!: Memory;
}

@ObjectType({ simpleResolvers: true, description: 'What archiveMemories did, or in a dry run would do.' })
export class ArchivePayload implements Archived {
  @Field(() => GraphQLInt, { description: 'How many memories.' })
  count!: number;

  @Field(() => [Memory], {
    description:
      `Up to ${archiveSampleSize} of them, oldest first. Once they are archived, their \`embedding\` is null here, and ` +
      '`similar` without a text is empty.',
  })
  sample!: Memory[];
}

@ObjectType({ simpleResolvers: true, description: 'What deleteMemoriesWhere did, or in a dry run would do.' })
export class DeletedMemories implements Deleted<MemoryRow> {
  @Field(() => GraphQLInt, { description: 'How many memories.' })
  count!: number;

  @Field(() => [Memory], {
    description: `Up to ${archiveSampleSize} of them, oldest first, as they were before.`,
  })
  sample!: Memory[];
}

@ObjectType({
  simpleResolvers: true,
  description: 'What restoreMemoriesWhere did, or in a dry run would do.',
})
export class RestoredMemories implements Archived {
  @Field(() => GraphQLInt, { description: 'How many memories.' })
  count!: number;

  @Field(() => [Memory], { description: `Up to ${archiveSampleSize} of them, oldest first.` })
  sample!: Memory[];
}

export const MemoryConnection = connectionOf('Memory', 'memories', () => Memory);

export const MemoryOrder = orderOf(
  'Memory',
  {
    CREATED_AT: 'When it was made.',
    UPDATED_AT: 'When it last changed.',
    IMPORTANCE_SCORE: 'How much it matters.',
    ID: 'The id.',
  },
  { field: 'CREATED_AT', direction: 'DESC' },
);

export const ArchivedMemoryOrder = orderOf(
  'ArchivedMemory',
  {
    ARCHIVED_AT: 'When it was archived.',
    CREATED_AT: 'When it was made.',
    UPDATED_AT: 'When it last changed.',
    IMPORTANCE_SCORE: 'How much it matters.',
    ID: 'The id.',
  },
  { field: 'ARCHIVED_AT', direction: 'DESC' },
);
