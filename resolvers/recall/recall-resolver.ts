import { GraphQLInt, GraphQLString } from 'graphql';
import { Args, ArgsType, Ctx, Field, Query, Resolver } from 'type-graphql';
import { limits } from '../../src/limits.ts';
import type { Match } from '../../src/search/matches.ts';
import { type RecalledRow, recall } from '../../src/search/recall.ts';
import type { RecallKind } from '../../src/search/recall-kinds.ts';
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
    description: `What matches should be near to, up to ${limits.queryLength} characters.`,
  })
  text!: string;

  @Field(() => GraphQLInt, {
    defaultValue: 8,
    description: `How many matches to return, of all kinds together, 1 to ${limits.k}; fewer come only when fewer rows match.`,
  })
  k!: number;

  @Field(() => [RecallKindEnum], {
    defaultValue: ['MEMORY', 'CHUNK'],
    description: 'What to look among, each kind once.',
  })
  kinds!: RecallKind[];

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
      'What is nearest to a text among rows of several kinds: one list, best first. Scores of different kinds are ' +
      'comparable: all embeddings are of one model, and what else counts (how rare a word is, means and spreads) is taken ' +
      'over the candidates of all kinds together.',
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
