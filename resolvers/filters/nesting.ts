import { filterLimits } from '../../src/search/filters/limits.ts';

/** Descriptions of `and`, `or` and `not`, and of how the conditions of a filter are joined. */
export const nesting = {
  all:
    'All that is given must hold. A filter that says nothing ({}, an empty list) is no filter, and is left out of the ' +
    `\`and\`, \`or\` or \`not\` that it stands in. At most ${filterLimits.conditions} conditions and ` +
    `${filterLimits.depth} levels of nesting.`,
  and: 'All of these filters hold.',
  or: 'At least one of these filters holds; an empty list is no filter.',
  not: 'Exactly the rows that this filter leaves out, rows without a value among them.',
};
