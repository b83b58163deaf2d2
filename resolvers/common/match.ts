import { GraphQLFloat, GraphQLString } from 'graphql';
import { Field, ObjectType } from 'type-graphql';

@ObjectType({
  simpleResolvers: true,
  description: 'What a score was made of. A part is null if the search did not use it.',
})
export class ScoreParts {
  @Field(() => GraphQLFloat, { nullable: true, description: 'BM25 of the words, 0 and up.' })
  keyword!: number | null;

  @Field(() => GraphQLFloat, {
    nullable: true,
    description: 'The score that neighbours in the session lent.',
  })
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

  @Field(() => GraphQLFloat, {
    description: 'What the list is ordered by, largest first, unless `diversity` orders it.',
  })
  score!: number;

  @Field(() => ScoreParts, {
    nullable: true,
    description: 'What the score was made of. Null if the score is the similarity alone.',
  })
  scoreParts!: ScoreParts | null;

  @Field(() => GraphQLString, {
    nullable: true,
    description:
      'The position of this match in the list of a search at the root: pass it there as `after` to read on from here. Null ' +
      'elsewhere, and with `diversity`, which chooses a list as a whole.',
  })
  cursor?: () => string | null;
}
