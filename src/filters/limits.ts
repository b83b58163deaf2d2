/** Limits of one filter. They keep the SQL of every filter small enough to plan and run. */
export const filterLimits = {
  /** Levels of `and`, `or`, `not` and `document` inside each other. */
  depth: 8,
  /** Conditions in the whole filter. */
  conditions: 100,
  /** Elements of one `in` or `notIn`. */
  listLength: 1000,
  /** Characters (UTF-16 code units) of one string. */
  stringLength: 10_000,
  /** Levels of objects and arrays in `contains`, and steps in a path. */
  jsonDepth: 32,
} as const;
