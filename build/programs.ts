/** What the build makes entries of: the name in `dist`, and the module. A thread or process keeps the name of its module. */
export const programs: Readonly<Record<string, string>> = {
  main: 'src/main.ts',
  demo: 'demo/main.ts',
  index: 'src/index.ts',
  'engine-process': 'src/database/embedded/engine-process.ts',
  'inference-worker': 'src/embedding/inference-worker.ts',
  'chunker-worker': 'src/ingest/chunker-worker.ts',
  'extractor-worker': 'src/ingest/extractor-worker.ts',
};

/** Packages whose code is in the build. The package that is installed does not depend on them. */
export const bundledPackages: readonly string[] = ['@graphql-yoga/render-graphiql', '@xenova/transformers'];
