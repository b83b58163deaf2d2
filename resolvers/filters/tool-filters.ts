import { InputType } from 'type-graphql';
import type { ToolFilters as ToolFiltersType } from '../../src/filters/filters.ts';
import { OptionalField } from '../common/optional-field.ts';
import { EmbeddingStatusFilter } from './embedding-status-filter.ts';
import { JSONFilter } from './json-filter.ts';
import { nesting } from './nesting.ts';
import { DateTimeFilter, IDFilter, IntFilter, StringFilter } from './scalar-filters.ts';

@InputType({ description: `Which tools. ${nesting.all}` })
export class ToolFilters implements ToolFiltersType {
  @OptionalField(() => IDFilter, 'The id.')
  id?: IDFilter | null;

  @OptionalField(() => StringFilter, 'The name, which no two tools share.')
  toolName?: StringFilter | null;

  @OptionalField(() => StringFilter, 'What the tool does.')
  toolDescription?: StringFilter | null;

  @OptionalField(
    () => JSONFilter,
    'The parameters, a JSON object; a tool without parameters has no values inside.',
  )
  toolParameters?: JSONFilter | null;

  @OptionalField(() => IntFilter, 'How often the tool was used.')
  usageCount?: IntFilter | null;

  @OptionalField(() => DateTimeFilter, 'When the tool was last used; null where it never was.')
  lastUsed?: DateTimeFilter | null;

  @OptionalField(() => StringFilter, 'The model that made the embedding; null while the row waits for it.')
  embeddingModel?: StringFilter | null;

  @OptionalField(() => EmbeddingStatusFilter, 'Whether the row has its embedding.')
  embeddingStatus?: EmbeddingStatusFilter | null;

  @OptionalField(() => DateTimeFilter, 'When the tool was registered.')
  createdAt?: DateTimeFilter | null;

  @OptionalField(() => DateTimeFilter, 'When the tool last changed.')
  updatedAt?: DateTimeFilter | null;

  @OptionalField(() => [ToolFilters], nesting.and)
  and?: ToolFilters[] | null;

  @OptionalField(() => [ToolFilters], nesting.or)
  or?: ToolFilters[] | null;

  @OptionalField(() => ToolFilters, nesting.not)
  not?: ToolFilters | null;
}
