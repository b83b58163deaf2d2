import { InputType } from 'type-graphql';
import type { DocumentFilters as DocumentFiltersType } from '../../src/filters/filters.ts';
import { OptionalField } from '../common/optional-field.ts';
import { EmbeddingStatusFilter } from './embedding-status-filter.ts';
import { JSONFilter } from './json-filter.ts';
import { nesting } from './nesting.ts';
import { DateTimeFilter, FloatFilter, IDFilter, IntFilter, StringFilter } from './scalar-filters.ts';

@InputType({ description: `Which documents. ${nesting.all}` })
export class DocumentFilters implements DocumentFiltersType {
  @OptionalField(() => IDFilter, 'The id.')
  id?: IDFilter | null;

  @OptionalField(
    () => StringFilter,
    'The owner. Without this filter, an administrator finds the rows of all users.',
  )
  userId?: StringFilter | null;

  @OptionalField(() => StringFilter, 'The name of the file.')
  filename?: StringFilter | null;

  @OptionalField(() => StringFilter, 'Where the file was found; null where that is unknown.')
  filePath?: StringFilter | null;

  @OptionalField(() => StringFilter, 'How the bytes were read, such as "md"; null where that is unknown.')
  fileType?: StringFilter | null;

  @OptionalField(
    () => FloatFilter,
    'Size of the file in bytes, a whole number (Float, since it may pass 32 bits); null where that is unknown.',
  )
  fileSize?: FloatFilter | null;

  @OptionalField(() => StringFilter, 'SHA-256 of the content, 64 hexadecimal digits in lower case.')
  contentHash?: StringFilter | null;

  @OptionalField(() => IntFilter, 'How many chunks the document has.')
  totalChunks?: IntFilter | null;

  @OptionalField(() => EmbeddingStatusFilter, 'Whether its chunks have their embeddings.')
  embeddingStatus?: EmbeddingStatusFilter | null;

  @OptionalField(() => JSONFilter, 'The metadata, an object in every row.')
  metadata?: JSONFilter | null;

  @OptionalField(() => DateTimeFilter, 'When it was stored first.')
  createdAt?: DateTimeFilter | null;

  @OptionalField(() => DateTimeFilter, 'When the document was ingested.')
  processedAt?: DateTimeFilter | null;

  @OptionalField(() => DateTimeFilter, 'When the document last changed.')
  updatedAt?: DateTimeFilter | null;

  @OptionalField(() => [DocumentFilters], nesting.and)
  and?: DocumentFilters[] | null;

  @OptionalField(() => [DocumentFilters], nesting.or)
  or?: DocumentFilters[] | null;

  @OptionalField(() => DocumentFilters, nesting.not)
  not?: DocumentFilters | null;
}
