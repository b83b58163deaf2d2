import { InputType, registerEnumType } from 'type-graphql';
import { EmbeddingStatus, type EnumCondition } from '../../src/filters/conditions.ts';
import { OptionalField } from '../common/optional-field.ts';
import { membership } from './ordered-filter.ts';

registerEnumType(EmbeddingStatus, {
  name: 'EmbeddingStatus',
  description: 'Whether a row can be found by meaning.',
  valuesConfig: {
    READY: { description: 'The row has its embedding.' },
    STALE: { description: "The row has an embedding that the server made with another model than today's." },
    PENDING: {
      description:
        'The row is stored and waits for its embedding, which a server makes in the background; vector search does not find ' +
        'it yet.',
    },
    FAILED: {
      description:
        'The row can have no embedding; `embeddingError` says why. Searches by words find it. New text makes it PENDING again.',
    },
  },
});

@InputType({
  description: 'Conditions on whether a row has its embedding; a row must meet all that are given.',
})
export class EmbeddingStatusFilter implements EnumCondition<EmbeddingStatus> {
  @OptionalField(() => EmbeddingStatus, 'Equal to this.')
  eq?: EmbeddingStatus | null;

  @OptionalField(() => EmbeddingStatus, 'Different from this.')
  ne?: EmbeddingStatus | null;

  @OptionalField(() => [EmbeddingStatus], membership.in)
  in?: EmbeddingStatus[] | null;

  @OptionalField(() => [EmbeddingStatus], 'Equal to none of these.')
  notIn?: EmbeddingStatus[] | null;
}
