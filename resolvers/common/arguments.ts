import { GraphQLFloat, GraphQLID, GraphQLInt, type GraphQLResolveInfo, GraphQLString } from 'graphql';
import { Arg, createParameterDecorator } from 'type-graphql';
import { limits } from '../../src/input/limits.ts';
import { SearchOptions } from './search-options.ts';
import { wantsSearchReport } from './search-report.ts';

// The arguments that several fields share, described once.

export const TextArg = () =>
  Arg('text', () => GraphQLString, {
    nullable: true,
    description: `The text to search for, up to ${limits.queryLength} characters. Give it, \`vector\` or \`like\`.`,
  });

export const VectorArg = () =>
  Arg('vector', () => [GraphQLFloat], {
    nullable: true,
    description: `An embedding of your own to search for, ${limits.dimensions} numbers. Give it, \`text\` or \`like\`.`,
  });

export const LikeArg = () =>
  Arg('like', () => [GraphQLID], {
    nullable: true,
    description:
      `Ids of 1 to ${limits.examples} stored rows as examples: the search is for the mean of their embeddings. The examples ` +
      'themselves are never matches.',
  });

export const UnlikeArg = () =>
  Arg('unlike', () => [GraphQLID], {
    nullable: true,
    description:
      `With \`like\`: ids of up to ${limits.examples} rows that matches should be unlike. The search is then for ` +
      '2 * mean(like) - mean(unlike).',
  });

export const SimilarTextArg = () =>
  Arg('text', () => GraphQLString, {
    nullable: true,
    description: `The text to search for, up to ${limits.queryLength} characters. Without it the search is for this object itself.`,
  });

export const KArg = () =>
  Arg('k', () => GraphQLInt, {
    defaultValue: 5,
    description: `How many matches to return, 1 to ${limits.k}. You get fewer only if fewer rows pass the filters and thresholds.`,
  });

export const OptionsArg = () =>
  Arg('options', () => SearchOptions, {
    nullable: true,
    description: 'How to search: mode, metric, thresholds and ranking.',
  });

export const FirstArg = () =>
  Arg('first', () => GraphQLInt, {
    defaultValue: 20,
    description: `How many to return, 0 to ${limits.pageSize}.`,
  });

export const AfterArg = () =>
  Arg('after', () => GraphQLString, {
    nullable: true,
    description: 'The cursor of an edge of an earlier page with the same order: the page begins behind it.',
  });

export const AfterMatchArg = () =>
  Arg('after', () => GraphQLString, {
    nullable: true,
    description:
      'The `cursor` of a match of the same search: the page begins behind it. Only k may differ. Rows that were stored since ' +
      'the first page neither repeat nor hide others. A page with fewer than k matches is the last one. A search that ranks by ' +
      'more than distance ranks its candidates, the best few hundred rows; after them come the next few hundred.',
  });

/** The field of the response that asks, when the operation wants to know how its searches are carried out. */
export const ReportAs = () =>
  createParameterDecorator(({ info }) => (wantsSearchReport(info) ? fieldName(info.path) : undefined));

/** A path as a name, without places in lists: `memories.edges.node.similar`. */
function fieldName(path: GraphQLResolveInfo['path']): string {
  const names: (string | number)[] = [];
  for (let step: typeof path | undefined = path; step; step = step.prev) names.unshift(step.key);
  return names.filter((name) => typeof name === 'string').join('.');
}

export const IdArg = () =>
  Arg('id', () => GraphQLID, { description: 'The id, a whole number in decimal digits.' });

export const IdsArg = () =>
  Arg('ids', () => [GraphQLID], { description: `The ids, up to ${limits.batchSize}.` });
