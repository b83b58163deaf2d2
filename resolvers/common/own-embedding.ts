import { GraphQLFloat, GraphQLString } from 'graphql';
import { InputType } from 'type-graphql';
import { limits } from '../../src/input/limits.ts';
import type { OwnEmbedding as OwnEmbeddingType } from '../../src/input/vectors.ts';
import { OptionalField } from './optional-field.ts';

/** The fields of an input that takes a vector of the client's own. */
@InputType()
export abstract class OwnEmbedding implements OwnEmbeddingType {
  @OptionalField(
    () => [GraphQLFloat],
    `An embedding of your own, ${limits.dimensions} numbers, which is stored as it is. Default: the server embeds the text.`,
  )
  embedding?: number[] | null;

  @OptionalField(
    () => GraphQLString,
    'With `embedding`: the model that made it, up to 200 characters. Vectors of different models are not compared.',
  )
  embeddingModel?: string | null;
}
