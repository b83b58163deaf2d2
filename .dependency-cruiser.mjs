/**
 * Which way imports go: resolvers -> src -> schema. `npm run check:imports` fails on anything else.
 * @type {import('dependency-cruiser').IConfiguration}
 */
export default {
  forbidden: [
    {
      name: 'schema-stands-alone',
      comment: 'The tables know nothing of what is built on them.',
      severity: 'error',
      from: { path: '^schema/' },
      to: { path: '^(src|resolvers|test|testkit|bench|drizzle)/' },
    },
    {
      name: 'src-below-resolvers',
      comment:
        'Only the composition root knows the API; everything else in src would serve any other API as well.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(composition|main)\\.ts$' },
      to: { path: '^resolvers/' },
    },
    {
      name: 'resolvers-below-composition',
      comment: 'Resolvers get what they need from the context, and do not start anything.',
      severity: 'error',
      from: { path: '^resolvers/' },
      to: { path: '^src/(composition|main)\\.ts$' },
    },
    {
      name: 'resolvers-hold-no-sql',
      comment: 'A resolver checks and translates. SQL belongs in src/store or src/search.',
      severity: 'error',
      from: { path: '^resolvers/' },
      to: { path: '^node_modules/(drizzle-orm|postgres)/' },
    },
    {
      name: 'nothing-needs-tests',
      comment: 'What runs in production does not import tests or benchmarks.',
      severity: 'error',
      from: { path: '^(src|resolvers|schema)/' },
      to: { path: '^(test|testkit|bench)/' },
    },
    {
      name: 'bench-needs-no-tests',
      comment: 'What tests and benchmarks share is in testkit.',
      severity: 'error',
      from: { path: '^(testkit|bench|demo)/' },
      to: { path: '^test/' },
    },
    {
      name: 'no-development-packages',
      comment: 'A server is installed without devDependencies; a package it needs belongs in dependencies.',
      severity: 'error',
      from: { path: '^(src|resolvers|schema)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-declared-packages',
      comment: 'A package that another one happens to bring along may be gone tomorrow: declare it.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
    {
      name: 'nothing-missing',
      comment: 'The import cannot be resolved.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-cycles',
      comment: 'Cycles of types alone cost nothing at run time and are allowed.',
      severity: 'error',
      from: { path: '^(src|resolvers|schema|test|testkit|bench)/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'nothing-unused',
      comment: 'No file imports it, and it is no entry point: delete it, or name it here.',
      severity: 'error',
      from: {
        path: '^(src|resolvers|schema)/',
        orphan: true,
        pathNot: '\\.d\\.ts$',
      },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: ['^node_modules'] },
    exclude: { path: ['^test/generated/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
};
