import { GraphQLBoolean, GraphQLFloat, GraphQLID, GraphQLInt, GraphQLString } from 'graphql';
import { Arg, ArgsType, type ClassType, Field } from 'type-graphql';
import { limits } from '../../src/input/limits.ts';
import { OptionalField } from './optional-field.ts';
import { SearchOptions } from './search-options.ts';

// Arguments of fields that several resolvers have: a class, or a function that makes one, for each family of fields.

/** The arguments of a list. */
@ArgsType()
export class PageArguments {
  @Field(() => GraphQLInt, {
    defaultValue: 20,
    description: `How many to return, 0 to ${limits.pageSize}.`,
  })
  first!: number;

  @OptionalField(
    () => GraphQLString,
    'The cursor of an edge of an earlier page with the same order: the page begins behind it.',
  )
  after?: string | null;
}

/**
 * Makes the arguments of a list of `plural` at the root.
 * @param byDefault the default order, in words.
 */
export function listArgumentsOf<Filters extends object, Order extends object>(
  plural: string,
  filtersType: ClassType<Filters>,
  orderType: ClassType<Order>,
  byDefault: string,
) {
  @ArgsType()
  abstract class ListArguments extends PageArguments {
    @OptionalField(() => filtersType, `Which ${plural}.`)
    filters?: Filters | null;

    @OptionalField(() => orderType, `The order of the list; ${byDefault} unless told.`)
    orderBy?: Order | null;
  }
  return ListArguments;
}

/** Makes the arguments of a mutation that changes all `plural` which pass filters. */
export function whereArgumentsOf<Filters extends object>(plural: string, filtersType: ClassType<Filters>) {
  @ArgsType()
  abstract class WhereArguments {
    @Field(() => filtersType, { description: `Which ${plural}.` })
    filters!: Filters;

    @Field(() => GraphQLBoolean, {
      defaultValue: false,
      description: `Whether filters without a condition mean all ${plural} that you may see. Without it, they are refused.`,
    })
    all!: boolean;

    @Field(() => GraphQLBoolean, {
      defaultValue: true,
      description: `With true, nothing changes: you learn how many ${plural} there are, and see some of them.`,
    })
    dryRun!: boolean;
  }
  return WhereArguments;
}

/** Makes the arguments of a search for `plural` at the root: by text, vector or examples, read in pages. */
export function searchArgumentsOf<Filters extends object>(plural: string, filtersType: ClassType<Filters>) {
  @ArgsType()
  abstract class SearchArguments {
    @OptionalField(
      () => GraphQLString,
      `The text to search for, up to ${limits.queryLength} characters. Send exactly one of \`text\`, \`vector\` and \`like\`.`,
    )
    text?: string | null;

    @OptionalField(
      () => [GraphQLFloat],
      `An embedding of your own to search for, ${limits.dimensions} numbers. Send exactly one of \`text\`, \`vector\` and \`like\`.`,
    )
    vector?: number[] | null;

    @OptionalField(
      () => GraphQLString,
      'With `vector`: the model that made it, as `embeddingModel` of rows names it. The search is among rows whose embeddings are of ' +
        'this model. By default that is the model by which the server embeds texts to search for.',
    )
    vectorModel?: string | null;

    @OptionalField(
      () => [GraphQLID],
      `Ids of 1 to ${limits.examples} stored rows as examples: the search is for the mean of their embeddings. The examples ` +
        'themselves are never matches.',
    )
    like?: string[] | null;

    @OptionalField(
      () => [GraphQLID],
      `With \`like\`: ids of up to ${limits.examples} rows that matches should be unlike. The search is then for ` +
        '2 * mean(like) - mean(unlike).',
    )
    unlike?: string[] | null;

    @KField()
    k!: number;

    @OptionalField(() => filtersType, `Which ${plural}.`)
    filters?: Filters | null;

    @OptionsField()
    options?: SearchOptions | null;

    @AfterMatchField()
    after?: string | null;
  }
  return SearchArguments;
}

/** Makes the arguments of the field `similar`: a search for `plural` by text, or by the object that has the field. */
export function similarArgumentsOf<Filters extends object>(plural: string, filtersType: ClassType<Filters>) {
  @ArgsType()
  abstract class SimilarArguments {
    @OptionalField(
      () => GraphQLString,
      `The text to search for, up to ${limits.queryLength} characters. Without it the search is for this object itself.`,
    )
    text?: string | null;

    @KField()
    k!: number;

    @OptionalField(() => filtersType, `Which ${plural}.`)
    filters?: Filters | null;

    @OptionsField()
    options?: SearchOptions | null;
  }
  return SimilarArguments;
}

function KField(): PropertyDecorator {
  return Field(() => GraphQLInt, {
    defaultValue: 5,
    description: `How many matches to return, 1 to ${limits.k}. You get fewer only if fewer rows pass the filters and thresholds.`,
  });
}

/** The argument `options` of a search. */
export function OptionsField(): PropertyDecorator {
  return OptionalField(() => SearchOptions, 'How to search: mode, metric, thresholds and ranking.');
}

/** The argument `after` of a search that is read in pages. */
export function AfterMatchField(): PropertyDecorator {
  return OptionalField(
    () => GraphQLString,
    'The `cursor` of a match of the same search: the page begins behind it. Only k may differ. Rows that were stored since ' +
      'the first page neither repeat nor hide others. A page with fewer than k matches is the last one. A search that ranks ' +
      'by more than distance ranks its candidates, the best few hundred rows; after them come the next few hundred.',
  );
}

/** The argument `id`. */
export const IdArg = () =>
  Arg('id', () => GraphQLID, { description: 'The id, a whole number in decimal digits.' });

/** The argument `ids`. */
export const IdsArg = () =>
  Arg('ids', () => [GraphQLID], { description: `The ids, up to ${limits.batchSize}.` });
