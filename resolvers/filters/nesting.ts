import { filterLimits } from '../../src/filters/limits.ts';

/** Descriptions of `and`, `or` and `not`, and of how the conditions of a filter are joined. */
export const nesting = {
  all:
    'A row must meet every condition that is given. The whole filter may be empty ({}), which is no filter. Whatever you name ' +
    'in it must say something: a field without an operator, an empty filter in `and`, `or` or `not`, and a variable without ' +
    `a value are refused. At most ${filterLimits.conditions} conditions and ${filterLimits.depth} levels of nesting.`,
  and: 'A row must pass all of these filters; an empty list is no filter.',
  or: 'A row must pass at least one of these filters; an empty list is no filter.',
  not: 'Finds exactly the rows that this filter leaves out, also rows that have no value.',
};
