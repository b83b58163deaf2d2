import { InputType } from 'type-graphql';
import type { MemoryFilters as MemoryFiltersType } from '../../src/filters/filters.ts';
import { OptionalField } from '../common/optional-field.ts';
import { EmbeddingStatusFilter } from './embedding-status-filter.ts';
import { JSONFilter } from './json-filter.ts';
import { nesting } from './nesting.ts';
import { DateTimeFilter, FloatFilter, IDFilter, StringFilter } from './scalar-filters.ts';

@InputType({ description: `Which memories. ${nesting.all}` })
export class MemoryFilters implements MemoryFiltersType {
  @OptionalField(() => IDFilter, 'The id.')
  id?: IDFilter | null;

  @OptionalField(
    () => StringFilter,
    'The owner. Without this filter, an administrator finds the rows of all users.',
  )
  userId?: StringFilter | null;

  @OptionalField(() => StringFilter, 'The text itself.')
  content?: StringFilter | null;

  @OptionalField(() => StringFilter, 'The summary; null where there is none.')
  contentSummary?: StringFilter | null;

  @OptionalField(() => StringFilter, 'Where the memory came from, such as "chat".')
  source?: StringFilter | null;

  @OptionalField(() => StringFilter, 'The conversation; null where there is none.')
  sessionId?: StringFilter | null;

  @OptionalField(() => FloatFilter, 'Importance, from 0 to 1.')
  importanceScore?: FloatFilter | null;

  @OptionalField(() => JSONFilter, 'The metadata, an object in every row.')
  metadata?: JSONFilter | null;

  @OptionalField(() => StringFilter, 'The key that a retried write repeats; null where there is none.')
  idempotencyKey?: StringFilter | null;

  @OptionalField(() => StringFilter, 'The model that made the embedding; null while the row waits for it.')
  embeddingModel?: StringFilter | null;

  @OptionalField(() => EmbeddingStatusFilter, 'Whether the row has its embedding.')
  embeddingStatus?: EmbeddingStatusFilter | null;

  @OptionalField(() => DateTimeFilter, 'When the memory was stored.')
  createdAt?: DateTimeFilter | null;

  @OptionalField(() => DateTimeFilter, 'When the memory last changed.')
  updatedAt?: DateTimeFilter | null;

  @OptionalField(() => [MemoryFilters], nesting.and)
  and?: MemoryFilters[] | null;

  @OptionalField(() => [MemoryFilters], nesting.or)
  or?: MemoryFilters[] | null;

  @OptionalField(() => MemoryFilters, nesting.not)
  not?: MemoryFilters | null;
}
