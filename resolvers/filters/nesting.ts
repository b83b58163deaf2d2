import { filterLimits } from '../../src/filters/limits.ts';

/** Descriptions of `and`, `or` and `not`, and of how the conditions of a filter are joined. */
export const nesting = {
  all:
    'A row must meet every condition that is given. A filter without conditions ({}, an empty list) is no filter: `and`, ' +
    `\`or\` and \`not\` ignore it. At most ${filterLimits.conditions} conditions and ` +
    `${filterLimits.depth} levels of nesting.`,
  and: 'A row must pass all of these filters.',
  or: 'A row must pass at least one of these filters; an empty list is no filter.',
  not: 'Finds exactly the rows that this filter leaves out, also rows that have no value.',
};
