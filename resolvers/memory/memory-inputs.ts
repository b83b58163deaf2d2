import { GraphQLBoolean, GraphQLFloat, GraphQLString } from 'graphql';
import { GraphQLDateTime, GraphQLJSONObject } from 'graphql-scalars';
import { Field, InputType } from 'type-graphql';
import { limits } from '../../src/limits.ts';
import type { MemoryChange, NewMemory } from '../../src/store/memories.ts';
import { type ArchiveRequest, archiveSampleSize } from '../../src/store/memory-archive.ts';
import { OptionalField } from '../common/optional-field.ts';
import { MemoryFilters } from '../filters/memory-filters.ts';

@InputType({ description: 'A memory to store.' })
export class CreateMemoryInput implements NewMemory {
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

  @OptionalField(() => GraphQLString, 'The user it belongs to, up to 100 characters. Default: who asks.')
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
    'A name for this write, unique per user, up to 200 characters: sent again with the same content it stores ' +
      'nothing and returns the first memory; with other content it is a CONFLICT.',
  )
  idempotencyKey?: string | null;
}

@InputType({ description: 'What to change of a memory; a field that is left out stays as it is.' })
export class UpdateMemoryInput implements MemoryChange {
  @OptionalField(() => GraphQLString, 'The new text; it is embedded anew.')
  content?: string | null;

  @OptionalField(() => GraphQLString, 'A shorter form of the text; null removes it.')
  contentSummary?: string | null;

  @OptionalField(() => GraphQLString, 'Where it comes from.')
  source?: string | null;

  @OptionalField(() => GraphQLString, 'The conversation it belongs to; null removes it.')
  sessionId?: string | null;

  @OptionalField(() => GraphQLFloat, 'How much it matters, 0 to 1.')
  importanceScore?: number | null;

  @OptionalField(() => GraphQLJSONObject, 'Takes the place of all the metadata.')
  metadata?: Record<string, unknown> | null;
}

@InputType({
  description:
    'Which memories to archive: all that is given must hold, and at least one of `olderThan`, `importanceBelow` and ' +
    '`filters` must be given.',
})
export class ArchiveMemoriesInput implements ArchiveRequest {
  @OptionalField(() => GraphQLDateTime, 'Those that were stored (`createdAt`) before this time.')
  olderThan?: Date | null;

  @OptionalField(() => GraphQLFloat, 'Those with an `importanceScore` below this, 0 to 1.')
  importanceBelow?: number | null;

  @OptionalField(() => MemoryFilters, 'Those that pass these filters; empty filters do not count as given.')
  filters?: MemoryFilters | null;

  @Field(() => GraphQLBoolean, {
    defaultValue: true,
    description:
      `True: changes nothing, and says how many would be archived with up to ${archiveSampleSize} of them. Look at these ` +
      'first, then send the same with false.',
  })
  dryRun!: boolean;
}
