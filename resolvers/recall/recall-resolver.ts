import { GraphQLInt, GraphQLString } from 'graphql';
import { Args, ArgsType, Ctx, Field, Query, Resolver } from 'type-graphql';
import { limits } from '../../src/input/limits.ts';
import type { KindName, RecalledRow } from '../../src/search/kinds.ts';
import type { Match } from '../../src/search/matches.ts';
import { recall } from '../../src/search/recall.ts';
import { AfterMatchField, OptionsField } from '../common/arguments.ts';
import { OptionalField } from '../common/optional-field.ts';
import type { SearchOptions } from '../common/search-options.ts';
import { ReportAs } from '../common/search-report.ts';
import type { Context } from '../context.ts';
import { RecallFilters, RecallKindEnum, RecallMatch } from './recall.ts';

function toRecallMatch({ row, ...scores }: Match<RecalledRow>): typeof RecallMatch {
  switch (row.kind) {
    case 'MEMORY':
      return { ...scores, memory: row.memory };
    case 'CHUNK':
      return { ...scores, chunk: row.chunk };
    case 'DOCUMENT':
      return { ...scores, document: row.document, chunk: row.chunk };
    case 'TOOL':
      return { ...scores, tool: row.tool };
  }
}

@ArgsType()
class RecallArguments {
  @Field(() => GraphQLString, {
    description: `The text to search for, up to ${limits.queryLength} characters.`,
  })
  text!: string;

  @Field(() => GraphQLInt, {
    defaultValue: 8,
    description: `How many matches to return, of all kinds together, 1 to ${limits.k}. You get fewer only if fewer rows pass the filters and thresholds.`,
  })
  k!: number;

  @Field(() => [RecallKindEnum], {
    defaultValue: ['MEMORY', 'CHUNK'],
    description: 'The kinds to search, each once.',
  })
  kinds!: KindName[];

  @OptionalField(() => RecallFilters, 'Which rows of each kind.')
  filters?: RecallFilters | null;

  @OptionsField()
  options?: SearchOptions | null;

  @AfterMatchField()
  after?: string | null;
}

@Resolver()
export class RecallResolver {
  @Query(() => [RecallMatch], {
    description:
      'The rows of several kinds that are nearest to a text, in one list, best first. Scores of different kinds are ' +
      'comparable: one model makes all embeddings, and what else counts (how rare a word is, means and spreads) is ' +
      'computed over the candidates of all kinds together.',
  })
  async recall(
    @Args(() => RecallArguments) { text, ...search }: RecallArguments,
    @ReportAs() reportAs: string | undefined,
    @Ctx() { loaders }: Context,
  ): Promise<(typeof RecallMatch)[]> {
    const matches = await recall(loaders.recall, text, { ...search, reportAs });
    return matches.map(toRecallMatch);
  }
}
