import { InputType } from 'type-graphql';
import type { ChunkFilters as ChunkFiltersType } from '../../src/filters/filters.ts';
import { OptionalField } from '../common/optional-field.ts';
import { DocumentFilters } from './document-filters.ts';
import { EmbeddingStatusFilter } from './embedding-status-filter.ts';
import { JSONFilter } from './json-filter.ts';
import { nesting } from './nesting.ts';
import { DateTimeFilter, IDFilter, IntFilter, StringFilter } from './scalar-filters.ts';

@InputType({ description: `Which chunks. ${nesting.all}` })
export class ChunkFilters implements ChunkFiltersType {
  @OptionalField(() => IDFilter, 'The id.')
  id?: IDFilter | null;

  @OptionalField(
    () => StringFilter,
    'The owner, who also owns the document. Without this filter, an administrator finds the rows of all users.',
  )
  userId?: StringFilter | null;

  @OptionalField(() => IDFilter, 'The document that the chunk is of.')
  documentId?: IDFilter | null;

  @OptionalField(
    () => DocumentFilters,
    'Chunks of documents that pass this filter, which counts as one more level of nesting.',
  )
  document?: DocumentFilters | null;

  @OptionalField(() => IntFilter, 'The number of the chunk in its document, from 0.')
  chunkIndex?: IntFilter | null;

  @OptionalField(() => IntFilter, 'How many chunks the document has.')
  totalChunks?: IntFilter | null;

  @OptionalField(() => StringFilter, 'The text itself.')
  content?: StringFilter | null;

  @OptionalField(() => StringFilter, 'The summary; null where there is none.')
  contentSummary?: StringFilter | null;

  @OptionalField(() => IntFilter, 'Length in tokens of the embedding model.')
  chunkSize?: IntFilter | null;

  @OptionalField(() => IntFilter, 'How many tokens at the start also end the chunk before.')
  overlapSize?: IntFilter | null;

  @OptionalField(() => IntFilter, 'Where the chunk starts in the text of the document, in UTF-16 code units.')
  startOffset?: IntFilter | null;

  @OptionalField(() => IntFilter, 'Where the chunk ends in the text of the document, in UTF-16 code units.')
  endOffset?: IntFilter | null;

  @OptionalField(() => JSONFilter, 'The metadata, an object in every row.')
  metadata?: JSONFilter | null;

  @OptionalField(() => StringFilter, 'The model that made the embedding; null while the row waits for it.')
  embeddingModel?: StringFilter | null;

  @OptionalField(() => EmbeddingStatusFilter, 'Whether the row has its embedding.')
  embeddingStatus?: EmbeddingStatusFilter | null;

  @OptionalField(() => DateTimeFilter, 'When the chunk was stored.')
  createdAt?: DateTimeFilter | null;

  @OptionalField(() => [ChunkFilters], nesting.and)
  and?: ChunkFilters[] | null;

  @OptionalField(() => [ChunkFilters], nesting.or)
  or?: ChunkFilters[] | null;

  @OptionalField(() => ChunkFilters, nesting.not)
  not?: ChunkFilters | null;
}
