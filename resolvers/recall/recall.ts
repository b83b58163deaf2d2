import { createUnionType, InputType } from 'type-graphql';
import type { KindFilters, KindName } from '../../src/search/kinds.ts';
import { ChunkMatch } from '../chunk/chunk.ts';
import { enumOf } from '../common/enum.ts';
import { OptionalField } from '../common/optional-field.ts';
import { DocumentMatch } from '../document/document.ts';
import { ChunkFilters } from '../filters/chunk-filters.ts';
import { DocumentFilters } from '../filters/document-filters.ts';
import { MemoryFilters } from '../filters/memory-filters.ts';
import { ToolFilters } from '../filters/tool-filters.ts';
import { MemoryMatch } from '../memory/memory.ts';
import { ToolMatch } from '../tool/tool.ts';

export const RecallKindEnum = enumOf<KindName>('RecallKind', 'What can be recalled.', {
  MEMORY: 'Memories.',
  CHUNK: 'Chunks of documents.',
  DOCUMENT: 'Documents, each by its best chunk.',
  TOOL: 'Tools.',
});

export const RecallMatch = createUnionType({
  name: 'RecallMatch',
  description: 'Something that `recall` found.',
  types: () => [MemoryMatch, ChunkMatch, DocumentMatch, ToolMatch] as const,
  // `document` before `chunk`: the match of a document has both.
  resolveType: (match) => {
    if ('memory' in match) return MemoryMatch;
    if ('tool' in match) return ToolMatch;
    return 'document' in match ? DocumentMatch : ChunkMatch;
  },
});

@InputType({ description: 'Which rows of each kind. Filters of a kind that is not in `kinds` are refused.' })
export class RecallFilters implements KindFilters {
  @OptionalField(() => MemoryFilters, 'Which memories.')
  memories?: MemoryFilters | null;

  @OptionalField(() => ChunkFilters, 'Which chunks.')
  chunks?: ChunkFilters | null;

  @OptionalField(() => DocumentFilters, 'Which documents.')
  documents?: DocumentFilters | null;

  @OptionalField(() => ToolFilters, 'Which tools.')
  tools?: ToolFilters | null;
}
