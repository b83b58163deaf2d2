import { graphql } from 'graphql';
import type { ParameterOrJSON } from 'postgres';
import { createContext } from '../../resolvers/context.ts';
import { buildSchema } from '../../resolvers/schema.ts';
import { vectorLiteral } from '../../schema/columns/vector.ts';
import type { Pool } from '../../src/database/pool.ts';
import { bundledModelName } from '../../src/embedding/model.ts';
import { Chunker } from '../../src/ingest/chunker.ts';
import { Extractor } from '../../src/ingest/extractor.ts';
import { createLogger } from '../../src/log.ts';
import { HashEmbedder } from '../../testkit/hash-embedder.ts';
import { recordStatements } from '../../testkit/statements.ts';
import { type Form, k, query } from './forms.ts';
import type { BenchQuery } from './rows.ts';
import type { BenchViewer } from './viewers.ts';

/** The statement that the server sends for a search. The vector is a parameter. */
export interface SearchStatement {
  text: string;
  /** The settings of its transaction, by name. */
  settings: Record<string, string>;
  /** What opens its transaction: BEGIN, the role and the settings. */
  opening: string;
  parameters(vector: readonly number[]): ParameterOrJSON<never>[];
}

/** Runs a viewer's search through the schema and resolvers of the server, and notes the statement that they send. */
export async function captureStatement(
  pool: Pool,
  { viewer }: BenchViewer,
  form: Form,
  { vector }: BenchQuery,
): Promise<SearchStatement> {
  const recorded = recordStatements(pool);
  const extractor = new Extractor();
  const chunker = new Chunker();
  const { errors } = await graphql({
    schema: buildSchema(),
    source: query,
    variableValues: { vector, k, filters: form.filters, options: form.options },
    contextValue: createContext(
      {
        database: recorded.database,
        // Of the name that the server's own model has, as the stored vectors: the statement asks for it.
        embedder: new HashEmbedder(bundledModelName),
        extractor,
        chunker,
        log: createLogger({ level: 'silent' }),
      },
      viewer,
    ),
  });
  await Promise.all([extractor.close(), chunker.close()]);
  const [statement, ...more] = recorded.statements;
  if (errors || !statement || more.length > 0) {
    throw new Error(
      `The search sent ${recorded.statements.length} statements instead of one; its error is ${errors?.[0]?.message}.`,
    );
  }
  const isVector = (parameter: unknown) => typeof parameter === 'string' && /^\[[-\d.e,]+\]$/.test(parameter);
  if (!statement.parameters.some(isVector))
    throw new Error('The search has no parameter that is its vector.');
  return {
    text: statement.text,
    opening: statement.settings,
    settings: Object.fromEntries(
      [...statement.settings.matchAll(/set local (\S+) = ([^;]+)/g)].map(([, name, value]) => [name, value]),
    ),
    parameters: (other) =>
      statement.parameters.map((parameter) =>
        isVector(parameter) ? vectorLiteral(other) : parameter,
      ) as ParameterOrJSON<never>[],
  };
}

/** Returns the plan with its times and pages, without the numbers of the vectors. */
export async function explainStatement(
  pool: Pool,
  statement: SearchStatement,
  { vector }: BenchQuery,
): Promise<string> {
  const connection = await pool.reserve();
  try {
    const explain = () =>
      connection.unsafe(`explain (analyze, buffers) ${statement.text}`, statement.parameters(vector));
    await connection.unsafe(statement.opening);
    await explain(); // The plan that is shown must find the pages in memory, as most searches do.
    const rows = await explain();
    await connection.unsafe('rollback');
    return rows.map((row) => String(row['QUERY PLAN']).replace(/'\[[^\]]{50,}\]'/g, "'[…]'")).join('\n');
  } finally {
    connection.release();
  }
}
