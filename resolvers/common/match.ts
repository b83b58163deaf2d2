import { GraphQLFloat, GraphQLString } from 'graphql';
import { Field, ObjectType } from 'type-graphql';

@ObjectType({
  simpleResolvers: true,
  description: 'What a score was made of; null for what the search did not look at.',
})
export class ScoreParts {
  @Field(() => GraphQLFloat, { nullable: true, description: 'BM25 of the words, 0 and up.' })
  keyword!: number | null;

  @Field(() => GraphQLFloat, { nullable: true, description: 'What the neighbours in the session lent.' })
  context!: number | null;

  @Field(() => GraphQLFloat, { nullable: true, description: 'Freshness, 1 (now) to 0.' })
  recency!: number | null;

  @Field(() => GraphQLFloat, { nullable: true, description: 'The importanceScore, 0 to 1.' })
  importance!: number | null;
}

/** The fields that the matches of all kinds have. */
@ObjectType({ simpleResolvers: true })
export abstract class Scores {
  @Field(() => GraphQLFloat, {
    description: "pgvector's distance in the metric of the search; smaller is nearer. COSINE: 0 to 2.",
  })
  distance!: number;

  @Field(() => GraphQLFloat, {
    description:
      'The distance as a number that grows with nearness: 1 - distance for COSINE, 1 / (1 + distance) for EUCLIDEAN, ' +
      'the inner product for INNER_PRODUCT.',
  })
  similarity!: number;

  @Field(() => GraphQLFloat, { description: 'What the list is ordered by, best first.' })
  score!: number;

  @Field(() => ScoreParts, {
    nullable: true,
    description: 'What the score was made of; null where it is the similarity alone.',
  })
  scoreParts!: ScoreParts | null;

  @Field(() => GraphQLString, {
    nullable: true,
    description:
      'Where this match stands in the list of a search at the root: give it there as `after` to read on from here. Null ' +
      'elsewhere, and with `diversity`, which chooses a list as a whole.',
  })
  cursor?: () => string | null;
}
