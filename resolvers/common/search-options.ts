import { GraphQLBoolean, GraphQLFloat, GraphQLInt } from 'graphql';
import { Field, InputType } from 'type-graphql';
import { limits } from '../../src/limits.ts';
import type { Metric } from '../../src/search/distance.ts';
import type { Fusion, Mode, SearchOptionsInput } from '../../src/search/options.ts';
import { enumOf } from './enum.ts';

const MetricEnum = enumOf<Metric>('Metric', 'How the distance between two embeddings is measured.', {
  COSINE: 'Cosine distance, 0 (same direction) to 2 (opposite). Answered by the vector index.',
  EUCLIDEAN: 'Straight-line distance, 0 and up. Exact: reads every row that passes the filters.',
  INNER_PRODUCT:
    'The negative inner product, so that smaller is nearer. Exact: reads every row that passes the filters.',
});

const ModeEnum = enumOf<Mode>('SearchMode', 'What makes a row a good match.', {
  SEMANTIC: 'Nearness in meaning: the distance of the embeddings.',
  KEYWORD:
    'The words of the text, ranked by BM25. Finds rows that have no embedding yet; a row has to share a word with the ' +
    'text, common words such as "the" not counted.',
  HYBRID: 'Both, fused.',
});

const FusionEnum = enumOf<Fusion>('Fusion', 'How HYBRID joins nearness and words.', {
  SCORE: 'The sum of the two scores, each as standard deviations from the mean of the candidates.',
  RANK: 'Reciprocal rank fusion: only the places in the two lists count.',
});

@InputType({
  description:
    'What the parts of a score weigh; only their proportions count. Candidates are the best few hundred, so that a fresh, ' +
    'important memory outside of the nearest k can enter.',
})
export class SearchWeights {
  @Field(() => GraphQLFloat, { nullable: true, description: 'Nearness to what is searched for. Default 1.' })
  similarity?: number | null;

  @Field(() => GraphQLFloat, {
    nullable: true,
    description: 'Freshness: 1 now, halved with each half-life. Default 0.',
  })
  recency?: number | null;

  @Field(() => GraphQLFloat, { nullable: true, description: 'importanceScore, 0 to 1. Default 0.' })
  importance?: number | null;

  @Field(() => GraphQLFloat, {
    nullable: true,
    description: 'Days after which recency is half, above 0. Default 30.',
  })
  halfLifeDays?: number | null;
}

@InputType({ description: 'How a search measures, ranks, and how hard it looks.' })
export class SearchOptions implements SearchOptionsInput {
  @Field(() => MetricEnum, { defaultValue: 'COSINE', description: 'The distance to measure by.' })
  metric!: Metric;

  @Field(() => ModeEnum, {
    defaultValue: 'SEMANTIC',
    description: 'Search by meaning, by words, or by both.',
  })
  mode!: Mode;

  @Field(() => FusionEnum, { nullable: true, description: 'HYBRID: how the two are joined. Default SCORE.' })
  fusion?: Fusion | null;

  @Field(() => GraphQLFloat, {
    nullable: true,
    description: 'HYBRID: what the words weigh, 0 to 10, where meaning weighs 1. Default 0.7.',
  })
  keywordWeight?: number | null;

  @Field(() => GraphQLFloat, {
    nullable: true,
    description:
      'Memories: the share of its score that each one lends those next to it in its session, 0 to 1 (half of it to the ' +
      'second next), because an answer often stands a turn beside the words that match. Default 0.4 in HYBRID, otherwise 0.',
  })
  context?: number | null;

  @Field(() => GraphQLFloat, {
    nullable: true,
    description: "Leave out matches that are farther than this, in the metric's own distance.",
  })
  maxDistance?: number | null;

  @Field(() => GraphQLFloat, {
    nullable: true,
    description:
      "A threshold that adapts: keep matches whose distance is at or below this percentile of the candidates' distances, 0 " +
      'to 1. Candidates are the best few hundred, and more for a greater k: the threshold is another then, and so are scores ' +
      'that are made over the candidates.',
  })
  percentile?: number | null;

  @Field(() => SearchWeights, {
    nullable: true,
    description: 'Memories: rank by freshness and importance, too.',
  })
  weights?: SearchWeights | null;

  @Field(() => GraphQLFloat, {
    nullable: true,
    description:
      'Prefer matches that are unlike those before them, 0 (not at all) to 1 (nothing else counts): maximal marginal relevance.',
  })
  diversity?: number | null;

  @Field(() => GraphQLBoolean, {
    defaultValue: false,
    description:
      'Compare with every row that passes the filters instead of using the vector index: slower, and never misses.',
  })
  exact!: boolean;

  @Field(() => GraphQLInt, {
    nullable: true,
    description: `Candidates the vector index keeps in hand while it looks, 1 to ${limits.efSearch}: more finds more and takes longer. Default 100.`,
  })
  efSearch?: number | null;
}
