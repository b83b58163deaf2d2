import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Markdown files of the installed packages, under node_modules, that were written for readers. */
export const documentFiles: readonly string[] = [
  'dataloader/README.md',
  'lru-cache/README.md',
  'async-mutex/README.md',
  'postgres/README.md',
  'graphql/README.md',
  '@electric-sql/pglite/README.md',
  'piscina/docs/docs/Introduction.md',
  'pino/docs/redaction.md',
  'pino/docs/help.md',
  'pino/docs/child-loggers.md',
  'pino/docs/asynchronous.md',
  'fastify/docs/Guides/Testing.md',
  'fastify/docs/Guides/Database.md',
  'fastify/docs/Guides/Recommendations.md',
  'fastify/docs/Guides/Detecting-When-Clients-Abort.md',
  'fastify/docs/Guides/Delay-Accepting-Requests.md',
  'fastify/docs/Guides/Prototype-Poisoning.md',
  'fastify/docs/Reference/Lifecycle.md',
  'fastify/docs/Reference/Encapsulation.md',
  'fastify/docs/Reference/Logging.md',
  'fastify/docs/Reference/HTTP2.md',
];

// npm puts the packages beside funes where it is installed, and below it in a clone.
const packageFolders = createRequire(import.meta.url).resolve.paths('funes') ?? [];

/** A document in the form that `ingestDocument` takes. */
export interface DemoDocument {
  filename: string;
  filePath: string;
  content: string;
  metadata: { package: string; version: string };
}

/** Reads the documents. It leaves out files that the installed packages no longer have. */
export async function readDocuments(): Promise<DemoDocument[]> {
  const documents = await Promise.all(documentFiles.map(readDocument));
  return documents.filter((document) => document !== undefined);
}

async function readDocument(file: string): Promise<DemoDocument | undefined> {
  const [packageName = file] = /^(@[^/]+\/)?[^/]+/.exec(file) ?? [];
  const folder = packageFolders.find((path) => existsSync(join(path, packageName)));
  if (folder === undefined) return undefined;
  try {
    const manifest = await readFile(join(folder, packageName, 'package.json'), 'utf8');
    const { version } = JSON.parse(manifest) as { version: string };
    const filePath = join(folder, file);
    return {
      filename: file,
      filePath,
      content: await readFile(filePath, 'utf8'),
      metadata: { package: packageName, version },
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
