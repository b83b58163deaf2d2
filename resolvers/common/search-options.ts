import { GraphQLBoolean, GraphQLFloat, GraphQLInt } from 'graphql';
import { Field, InputType } from 'type-graphql';
import { limits } from '../../src/input/limits.ts';
import type { Fusion, Metric, Mode, SearchOptionsInput } from '../../src/search/options.ts';
import { enumOf } from './enum.ts';
import { OptionalField } from './optional-field.ts';

const MetricEnum = enumOf<Metric>('Metric', 'How the distance between two embeddings is measured.', {
  COSINE: 'Cosine distance, 0 (same direction) to 2 (opposite). Answered by the vector index.',
  EUCLIDEAN: 'Straight-line distance, 0 and up. Exact: reads every row that passes the filters.',
  INNER_PRODUCT:
    'The negative inner product, so that smaller is nearer. Exact: reads every row that passes the filters.',
});

const ModeEnum = enumOf<Mode>('SearchMode', 'What makes a row a good match.', {
  SEMANTIC: 'The meaning: the distance of the embeddings.',
  KEYWORD:
    'The words of the text, ranked by BM25. A row must share a word with the text; common words such as "the" do not ' +
    'count. Also finds rows that have no embedding yet.',
  HYBRID: 'Both: the two scores are fused.',
});

const FusionEnum = enumOf<Fusion>(
  'Fusion',
  'How HYBRID joins the score of the meaning and the score of the words.',
  {
    SCORE: 'The sum of the two scores, each as standard deviations from the mean of the candidates.',
    RANK: 'Reciprocal rank fusion: only the ranks in the two lists count.',
  },
);

@InputType({
  description:
    'The weights of similarity, recency and importance in the score of a memory, which is their weighted mean. Only the ' +
    'proportions count. The best few hundred memories are ranked, so that a fresh or important one that is not among the ' +
    'nearest k can still match.',
})
export class SearchWeights {
  @OptionalField(
    () => GraphQLFloat,
    'Weight of the nearness to what you search for, 0 to 1000000. Default 1.',
  )
  similarity?: number | null;

  @OptionalField(
    () => GraphQLFloat,
    'Weight of the freshness, 0 to 1000000: it is 1 for a new memory, and halves with each half-life. Default 0.',
  )
  recency?: number | null;

  @OptionalField(() => GraphQLFloat, 'Weight of `importanceScore`, 0 to 1000000. Default 0.')
  importance?: number | null;

  @OptionalField(
    () => GraphQLFloat,
    'The half-life of recency in days, above 0 and up to 1000000. Default 30.',
  )
  halfLifeDays?: number | null;
}

@InputType({ description: 'How a search measures distances, ranks matches, and uses the vector index.' })
export class SearchOptions implements SearchOptionsInput {
  @Field(() => MetricEnum, { defaultValue: 'COSINE', description: 'The distance to measure by.' })
  metric!: Metric;

  @Field(() => ModeEnum, {
    defaultValue: 'SEMANTIC',
    description: 'Search by meaning, by words, or by both.',
  })
  mode!: Mode;

  @OptionalField(() => FusionEnum, 'HYBRID only: how the two scores are joined. Default SCORE.')
  fusion?: Fusion | null;

  @OptionalField(
    () => GraphQLFloat,
    'HYBRID only: the weight of the words, 0 to 10. The meaning weighs 1. Default 0.7.',
  )
  keywordWeight?: number | null;

  @OptionalField(
    () => GraphQLFloat,
    'Memories only: the share of its score that each memory lends to the memories right before and after it in its session, 0 ' +
      'to 1, and half of the share to those two turns away. An answer often stands a turn beside the words that match. On by ' +
      'default, with 0.4, in HYBRID with fusion SCORE. Elsewhere the default is 0, which is off.',
  )
  context?: number | null;

  @OptionalField(
    () => GraphQLFloat,
    'Leave out matches with a larger distance than this, in the distance of the metric. 0 or more; for INNER_PRODUCT any number.',
  )
  maxDistance?: number | null;

  @OptionalField(
    () => GraphQLFloat,
    'A threshold that adapts, 0 to 1: with 0.1, only the nearest tenth of the candidates can match. The candidates are the ' +
      'rows that the search ranks, some hundreds, and more of them for a larger k. So the threshold depends on k, as do scores ' +
      'that are computed over the candidates. Without it there is no such threshold.',
  )
  percentile?: number | null;

  @OptionalField(
    () => SearchWeights,
    'Memories only: rank by recency and importance too. Without it they do not count.',
  )
  weights?: SearchWeights | null;

  @OptionalField(
    () => GraphQLFloat,
    'Prefer matches that are unlike the matches before them (maximal marginal relevance): 0 (not at all) to 1 (nothing else ' +
      'counts). Without it likeness does not count. A list with `diversity` has one page.',
  )
  diversity?: number | null;

  @Field(() => GraphQLBoolean, {
    defaultValue: false,
    description:
      'Compare every row that passes the filters instead of using the vector index: slower, and never misses a row.',
  })
  exact!: boolean;

  @OptionalField(
    () => GraphQLInt,
    `How many candidates the vector index considers, 1 to ${limits.efSearch}. A larger value misses fewer of the ` +
      'nearest rows and takes longer. Default 100.',
  )
  efSearch?: number | null;
}
