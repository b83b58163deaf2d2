import { GraphQLFloat, GraphQLString } from 'graphql';
import { Field, FieldResolver, ObjectType } from 'type-graphql';
import { EmbeddingStatus } from '../../src/filters/conditions.ts';
import { limits } from '../../src/input/limits.ts';
import type { EmbeddingSource as Source } from '../../src/store/embeddings.ts';
import { enumOf } from './enum.ts';

export const EmbeddingSource = enumOf<Source>('EmbeddingSource', 'Who makes an embedding.', {
  FUNES: 'The server, from the text.',
  CLIENT: 'The client, which sent it with the text.',
});

/** What the API shows about the embedding of a row, without the embedding itself. */
@ObjectType({ simpleResolvers: true })
export abstract class Embedded {
  @Field(() => GraphQLString, {
    nullable: true,
    description: 'The model that made the embedding; null while PENDING or FAILED.',
  })
  embeddingModel!: string | null;

  @Field(() => EmbeddingStatus, { description: 'Whether it can be found by meaning already.' })
  embeddingStatus!: EmbeddingStatus;

  @Field(() => EmbeddingSource, {
    description: 'Who made the embedding. FUNES while PENDING, because the server will make it.',
  })
  embeddingSource!: Source;

  @Field(() => GraphQLString, {
    nullable: true,
    description: 'Why it cannot have an embedding; null unless it is FAILED.',
  })
  embeddingError!: string | null;
}

/** The field `embedding` of a row. It has a resolver of its own, because few requests ask for an embedding. */
export function EmbeddingField(): MethodDecorator {
  return FieldResolver(() => [GraphQLFloat], {
    nullable: true,
    description: `The embedding, ${limits.dimensions} numbers; null while PENDING or FAILED. Read from the database only when asked for.`,
  });
}
