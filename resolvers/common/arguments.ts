import { GraphQLFloat, GraphQLID, GraphQLInt, type GraphQLResolveInfo, GraphQLString } from 'graphql';
import { Arg, createParameterDecorator } from 'type-graphql';
import { limits } from '../../src/input/limits.ts';
import { SearchOptions } from './search-options.ts';
import { wantsSearchReport } from './search-report.ts';

// The arguments that several fields share, described once.

export const TextArg = () =>
  Arg('text', () => GraphQLString, {
    nullable: true,
    description: `What matches should be near to in meaning, up to ${limits.queryLength} characters.`,
  });

export const VectorArg = () =>
  Arg('vector', () => [GraphQLFloat], {
    nullable: true,
    description: `An embedding of your own to be near to, ${limits.dimensions} numbers. Give it, \`text\` or \`like\`.`,
  });

export const LikeArg = () =>
  Arg('like', () => [GraphQLID], {
    nullable: true,
    description:
      `Ids of stored ones as examples of what matches should be like, 1 to ${limits.examples}: near to the mean of their ` +
      'embeddings. The examples themselves are never matches.',
  });

export const UnlikeArg = () =>
  Arg('unlike', () => [GraphQLID], {
    nullable: true,
    description:
      `With \`like\`: ids of examples of what matches should not be like, up to ${limits.examples}. Matches are then near to ` +
      '2 * mean(like) - mean(unlike).',
  });

export const SimilarTextArg = () =>
  Arg('text', () => GraphQLString, {
    nullable: true,
    description: `What matches should be near to, up to ${limits.queryLength} characters; leave it out for this object itself.`,
  });

export const KArg = () =>
  Arg('k', () => GraphQLInt, {
    defaultValue: 5,
    description: `How many matches to return, 1 to ${limits.k}; fewer come only when fewer rows match.`,
  });

export const OptionsArg = () =>
  Arg('options', () => SearchOptions, {
    nullable: true,
    description: 'How to measure, and how hard to look.',
  });

export const FirstArg = () =>
  Arg('first', () => GraphQLInt, {
    defaultValue: 20,
    description: `How many to return, 0 to ${limits.pageSize}.`,
  });

export const AfterArg = () =>
  Arg('after', () => GraphQLString, {
    nullable: true,
    description: 'The cursor to read on from, as an earlier page with the same order gave it.',
  });

export const AfterMatchArg = () =>
  Arg('after', () => GraphQLString, {
    nullable: true,
    description:
      'The `cursor` of the match to read on from, as the same search gave it; k may differ. Rows that were stored since the ' +
      'first page neither repeat nor hide others. A page with fewer than k matches is the last one. What ranks by more than ' +
      'distance does so among its candidates, the best few hundred; when they are read, the next few hundred follow.',
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
