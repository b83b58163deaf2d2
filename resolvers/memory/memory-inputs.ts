import { GraphQLBoolean, GraphQLFloat, GraphQLString } from 'graphql';
import { GraphQLDateTime } from 'graphql-scalars';
import { Field, InputType } from 'type-graphql';
import { limits } from '../../src/input/limits.ts';
import type { MemoryChange, NewMemory } from '../../src/store/memories.ts';
import { type ArchiveRequest, archiveSampleSize } from '../../src/store/memory-archive.ts';
import { GraphQLJSONObject } from '../common/json-object.ts';
import { OptionalField } from '../common/optional-field.ts';
import { OwnEmbedding } from '../common/own-embedding.ts';
import { MemoryFilters } from '../filters/memory-filters.ts';

@InputType({ description: 'A memory to store.' })
export class CreateMemoryInput extends OwnEmbedding implements NewMemory {
  @Field(() => GraphQLString, {
    description: `The text, not blank, up to ${limits.contentLength} characters.`,
  })
  content!: string;

  @OptionalField(() => GraphQLString, 'A shorter form of the text.')
  contentSummary?: string | null;

  @OptionalField(() => GraphQLString, 'Where it comes from, up to 50 characters. Default "chat".')
  source?: string | null;

  @OptionalField(() => GraphQLString, 'The conversation it belongs to, up to 100 characters.')
  sessionId?: string | null;

  @OptionalField(
    () => GraphQLString,
    'The user it belongs to, up to 100 characters. Default: the user who sends the request.',
  )
  userId?: string | null;

  @OptionalField(() => GraphQLFloat, 'How much it matters, 0 to 1. Default 0.5.')
  importanceScore?: number | null;

  @OptionalField(
    () => GraphQLJSONObject,
    `What else to keep with it, up to ${limits.jsonLength} characters of JSON.`,
  )
  metadata?: Record<string, unknown> | null;

  @OptionalField(
    () => GraphQLString,
    'A name for this write, unique per user, up to 200 characters. If you send the same write again, nothing is stored and the ' +
      'first memory is returned, even if it is archived or has changed since. With other fields it is a CONFLICT.',
  )
  idempotencyKey?: string | null;

  @OptionalField(
    () => GraphQLDateTime,
    'When it was made, if that was earlier; not in the future. Default: when it is stored.',
  )
  createdAt?: Date | null;
}

@InputType({ description: 'What to change of a memory. A field that you leave out stays as it is.' })
export class UpdateMemoryInput extends OwnEmbedding implements MemoryChange {
  @OptionalField(
    () => GraphQLString,
    'The new text. The server embeds it, unless you send its `embedding` too.',
  )
  content?: string | null;

  @OptionalField(() => GraphQLString, 'A shorter form of the text; null removes it.')
  contentSummary?: string | null;

  @OptionalField(() => GraphQLString, 'Where it comes from.')
  source?: string | null;

  @OptionalField(() => GraphQLString, 'The conversation it belongs to; null removes it.')
  sessionId?: string | null;

  @OptionalField(() => GraphQLFloat, 'How much it matters, 0 to 1.')
  importanceScore?: number | null;

  @OptionalField(() => GraphQLJSONObject, 'Replaces all the metadata.')
  metadata?: Record<string, unknown> | null;

  @OptionalField(
    () => GraphQLJSONObject,
    'Instead of `metadata`: a JSON Merge Patch (RFC 7396). Null removes a key, and keys that you leave out stay.',
  )
  mergeMetadata?: Record<string, unknown> | null;
}

@InputType({
  description:
    'Which memories to archive. Give at least one of `olderThan`, `importanceBelow` and `filters`; a memory must meet all ' +
    'that you give.',
})
export class ArchiveMemoriesInput implements ArchiveRequest {
  @OptionalField(() => GraphQLDateTime, 'Memories that were stored (`createdAt`) before this time.')
  olderThan?: Date | null;

  @OptionalField(() => GraphQLFloat, 'Memories with an `importanceScore` below this, 0 to 1.')
  importanceBelow?: number | null;

  @OptionalField(
    () => MemoryFilters,
    'Memories that pass these filters. Empty filters do not count as given.',
  )
  filters?: MemoryFilters | null;

  @Field(() => GraphQLBoolean, {
    defaultValue: true,
    description:
      `With true, nothing changes: the mutation returns how many memories would be archived, and up to ${archiveSampleSize} of ` +
      'them. With false, they are archived.',
  })
  dryRun!: boolean;
}
