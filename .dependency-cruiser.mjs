/**
 * The floors of `src`, as CONTRIBUTING.md draws them: each folder or file with what it may import of `src`, beside itself.
 * `loaders.ts`, `composition.ts` and `main.ts` stand above all of them.
 */
const floors = {
  errors: [],
  distribution: [],
  'make-folder': [],
  'with-resolvers': [],
  input: ['errors'],
  viewer: ['errors'],
  database: ['viewer', 'distribution', 'make-folder', 'connection-url', 'errors'],
  embedding: ['distribution', 'make-folder', 'with-resolvers', 'errors'],
  filters: ['input', 'errors'],
  generations: ['database', 'embedding', 'errors'],
  services: ['readiness', 'database', 'embedding', 'generations', 'ingest'],
  store: ['filters', 'input', 'database', 'embedding', 'generations', 'viewer', 'services', 'errors'],
  security: ['store', 'input', 'database', 'viewer', 'config', 'log', 'errors'],
  search: ['store', 'filters', 'input', 'database', 'embedding', 'generations', 'viewer', 'errors'],
  ingest: [
    'store',
    'database',
    'embedding',
    'generations',
    'input',
    'viewer',
    'services',
    'distribution',
    'errors',
  ],
  transfer: ['store', 'database', 'input', 'viewer', 'services', 'errors'],
  metrics: ['database', 'embedding', 'errors'],
  http: ['metrics', 'readiness', 'input', 'database', 'config', 'log', 'viewer', 'errors'],
  readiness: ['database', 'embedding'],
  doctor: ['database', 'distribution', 'viewer', 'errors'],
  config: ['embedding', 'connection-url', 'errors', 'suggestion'],
  log: ['config'],
  suggestion: [],
  'open-database': ['database', 'config', 'connection-url', 'log', 'errors'],
  cli: [
    'doctor',
    'transfer',
    'ingest',
    'embedding',
    'services',
    'store',
    'filters',
    'input',
    'security',
    'viewer',
    'open-database',
    'database',
    'config',
    'log',
    'suggestion',
    'distribution',
    'errors',
    'composition',
    'generations',
  ],
};

/** One rule a floor. */
const floorsOfSrc = Object.entries(floors).map(([name, below]) => ({
  name: `src-${name}-is-on-its-floor`,
  comment: `src/${name} imports ${below.length === 0 ? 'nothing else of src' : `of src only ${below.join(', ')}`}.`,
  severity: 'error',
  from: { path: `^src/${name}(/|\\.ts$)` },
  to: { path: '^src/', pathNot: `^src/(${[name, ...below].join('|')})(/|\\.ts$)` },
}));

/**
 * Which way imports go: resolvers -> src -> schema. `npm run check:imports` fails on anything else.
 * @type {import('dependency-cruiser').IConfiguration}
 */
export default {
  forbidden: [
    ...floorsOfSrc,
    {
      name: 'src-cli-composes-to-serve',
      comment: 'Every other command starts without the API and without a model.',
      severity: 'error',
      from: { path: '^src/cli/', pathNot: '^src/cli/commands/serve\\.ts$' },
      to: { path: '^src/composition\\.ts$' },
    },
    {
      name: 'one-second-door',
      comment:
        'Work with the rows of all users, which belongs to no user, has one door. No request may come in there.',
      severity: 'error',
      from: {
        pathNot: '^(src/security/key-lookup\\.ts$|src/generations\\.ts$|src/store/filler\\.ts$|test/)',
      },
      to: { path: '^src/database/maintenance\\.ts$' },
    },
    {
      name: 'filler-runs-beside-requests',
      comment:
        'The filler has the rows of all users, so only the composition root starts it. Requests may wake it.',
      severity: 'error',
      from: { pathNot: '^(src/composition\\.ts$|test/|testkit/|bench/)' },
      to: { path: '^src/store/filler\\.ts$' },
    },
    {
      name: 'search-rows-alone-of-store',
      comment: "A search needs the columns of rows, and none of the store's reads and writes.",
      severity: 'error',
      from: { path: '^src/search/' },
      to: { path: '^src/store/', pathNot: '^src/store/rows\\.ts$' },
    },
    {
      name: 'search-sql-follows-the-plan',
      comment:
        'What makes SQL follows the plan. It knows neither loaders nor entry points nor how a statement is run.',
      severity: 'error',
      from: { path: '^src/search/sql/' },
      to: { path: '^src/search/(similar|recall|loader|execute|searches|report|diversity)\\.ts$' },
    },
    {
      name: 'schema-stands-alone',
      comment: 'The tables know nothing of what is built on them.',
      severity: 'error',
      from: { path: '^schema/' },
      to: { path: '^(src|resolvers|test|testkit|bench|demo|build|drizzle)/' },
    },
    {
      name: 'src-below-resolvers',
      comment:
        'Only the composition root knows the API; everything else in src would serve any other API as well.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/composition\\.ts$' },
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
      comment: 'What runs in production imports no tests, no benchmarks and no demo.',
      severity: 'error',
      from: { path: '^(src|resolvers|schema)/' },
      to: { path: '^(test|testkit|bench|demo|build)/' },
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
      comment:
        'A server is installed without devDependencies; a package it needs belongs in dependencies, or in the build.',
      severity: 'error',
      from: { path: '^(src|resolvers|schema|demo)/', pathNot: '^src/typescript-loader\\.mjs$' },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only'],
        pathNot: '^node_modules/(@graphql-yoga/render-graphiql|@xenova/transformers)/', // as `build/programs.ts` says
      },
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
      from: { path: '^(src|resolvers|schema|test|testkit|bench|demo|build)/' },
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
