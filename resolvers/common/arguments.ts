import { GraphQLFloat, GraphQLID, GraphQLInt, GraphQLString } from 'graphql';
import { Arg } from 'type-graphql';
import { limits } from '../../src/limits.ts';
import { SearchOptions } from './search-options.ts';

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
    description: `How many to return, up to ${limits.pageSize}.`,
  });

export const AfterArg = () =>
  Arg('after', () => GraphQLString, {
    nullable: true,
    description: 'The cursor to read on from, as an earlier page with the same order gave it.',
  });

export const IdArg = () =>
  Arg('id', () => GraphQLID, { description: 'The id, a whole number in decimal digits.' });

export const IdsArg = () =>
  Arg('ids', () => [GraphQLID], { description: `The ids, up to ${limits.batchSize}.` });
