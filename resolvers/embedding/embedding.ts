import { GraphQLFloat, GraphQLString } from 'graphql';
import { Field, ObjectType } from 'type-graphql';
import { EmbeddingStatus } from '../../src/filters/conditions.ts';
import type {
  EmbeddingCount as Count,
  EmbeddingKind as EmbeddingKindName,
} from '../../src/store/embedding-counts.ts';
import { enumOf } from '../common/enum.ts';

export const EmbeddingKind = enumOf<EmbeddingKindName>(
  'EmbeddingKind',
  'A kind of rows that have embeddings.',
  {
    MEMORY: 'Memories.',
    ARCHIVED_MEMORY: 'Memories in the archive.',
    CHUNK: 'Chunks of documents.',
    TOOL: 'Tools.',
  },
);

@ObjectType({
  simpleResolvers: true,
  description: 'How many rows of a kind have a status and a model.',
})
export class EmbeddingCount implements Count {
  @Field(() => EmbeddingKind, { description: 'The kind of the rows.' })
  kind!: EmbeddingKindName;

  @Field(() => EmbeddingStatus, { description: 'Their status.' })
  status!: EmbeddingStatus;

  @Field(() => GraphQLString, {
    nullable: true,
    description: 'The model that made their embeddings; null for PENDING and FAILED.',
  })
  model!: string | null;

  // A Float, because a GraphQL Int ends at 2 billion.
  @Field(() => GraphQLFloat, { description: 'How many rows, a whole number.' })
  count!: number;
}
