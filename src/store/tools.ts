import { eq, type SQL, sql } from 'drizzle-orm';
import { toolEmbeddings } from '../../schema/index.ts';
import { type Database, transaction } from '../database/transaction.ts';
import { FunesError, quote } from '../errors.ts';
import { checkBatch, checkJson, checkText } from '../input/checks.ts';
import { limits } from '../input/limits.ts';
import type { Services } from '../services.ts';
import type { Viewer } from '../viewer.ts';
import { toolText } from './embedded-text.ts';
import { embedForWriting } from './embeddings.ts';
import type { Listed } from './pages.ts';
import { type ToolRow, toolColumns } from './rows.ts';

const MAX_NAME_LENGTH = 100;

/** A tool, as a client sends it. */
export interface NewTool {
  toolName: string;
  toolDescription: string;
  toolParameters?: Record<string, unknown> | null | undefined;
}

export const toolList: Listed<ToolRow, 'TOOL_NAME' | 'USAGE_COUNT' | 'CREATED_AT' | 'UPDATED_AT' | 'ID'> = {
  name: 'tools',
  table: toolEmbeddings,
  id: toolEmbeddings.id,
  userId: undefined,
  columns: toolColumns,
  orders: {
    TOOL_NAME: toolEmbeddings.toolName,
    USAGE_COUNT: toolEmbeddings.usageCount,
    CREATED_AT: toolEmbeddings.createdAt,
    UPDATED_AT: toolEmbeddings.updatedAt,
    ID: toolEmbeddings.id,
  },
};

/**
 * Reads the tool with this name. Returns undefined if there is none.
 * @throws FunesError BAD_USER_INPUT or LIMIT_EXCEEDED if no tool can have this name.
 */
export async function readTool(
  database: Database,
  viewer: Viewer,
  name: string,
): Promise<ToolRow | undefined> {
  const [row] = await transaction(database, viewer, { access: 'read' }, (tx) =>
    tx.select(toolColumns).from(toolEmbeddings).where(named(name)),
  );
  return row;
}

/**
 * Stores tools, all or none, and returns them in the order of the inputs. If there is a tool with the name, it gets the new
 * description and parameters, and keeps its id and usage.
 * @throws FunesError BAD_USER_INPUT or LIMIT_EXCEEDED with the input path. BAD_USER_INPUT also if two inputs have one name.
 */
export async function registerTools(
  { database, embedder, generations, log }: Services,
  viewer: Viewer,
  inputs: readonly NewTool[],
): Promise<ToolRow[]> {
  checkBatch(inputs, 'inputs');
  if (inputs.length === 0) return [];
  const values = inputs.map((input, i) => ({
    toolName: checkText(input.toolName, `inputs[${i}].toolName`, MAX_NAME_LENGTH),
    toolDescription: checkText(input.toolDescription, `inputs[${i}].toolDescription`, limits.contentLength),
    toolParameters: input.toolParameters
      ? checkJson(input.toolParameters, `inputs[${i}].toolParameters`)
      : null,
  }));
  checkDistinct(values.map(({ toolName }) => toolName));
  // A statement locks rows in the order in which it writes them. Without one order for all, two agents that register
  // the same tools would deadlock.
  values.sort((a, b) => (a.toolName < b.toolName ? -1 : 1));
  const embeddings = await embedForWriting(embedder, values.map(toolText), log, generations);
  const rows = await transaction(database, viewer, { access: 'write' }, (tx) =>
    tx
      .insert(toolEmbeddings)
      .values(values.map((value, i) => ({ ...value, ...embeddings[i] })))
      .onConflictDoUpdate({
        target: toolEmbeddings.toolName,
        set: {
          toolDescription: sql`excluded.tool_description`,
          toolParameters: sql`excluded.tool_parameters`,
          embedding: sql`excluded.embedding`,
          embeddingModel: sql`excluded.embedding_model`,
          nextEmbedding: sql`excluded.next_embedding`,
          nextEmbeddingModel: sql`excluded.next_embedding_model`,
        },
      })
      .returning(toolColumns),
  );
  const byName = new Map(rows.map((row) => [row.toolName, row]));
  return inputs.flatMap(({ toolName }) => byName.get(toolName) ?? []);
}

/**
 * Counts one use of a tool, now.
 * @throws FunesError NOT_FOUND. BAD_USER_INPUT or LIMIT_EXCEEDED if no tool can have this name.
 */
export async function recordToolUse({ database }: Services, viewer: Viewer, name: string): Promise<ToolRow> {
  const [row] = await transaction(database, viewer, { access: 'write' }, (tx) =>
    tx
      .update(toolEmbeddings)
      .set({ usageCount: sql`${toolEmbeddings.usageCount} + 1`, lastUsed: sql`now()` })
      .where(named(name))
      .returning(toolColumns),
  );
  if (!row) throw new FunesError('NOT_FOUND', `There is no tool named ${quote(name)}.`);
  return row;
}

/**
 * Deletes a tool. Returns whether there was one.
 * @throws FunesError BAD_USER_INPUT or LIMIT_EXCEEDED if no tool can have this name.
 */
export async function deleteTool({ database }: Services, viewer: Viewer, name: string): Promise<boolean> {
  const deleted = await transaction(database, viewer, { access: 'write' }, (tx) =>
    tx.delete(toolEmbeddings).where(named(name)).returning({ id: toolEmbeddings.id }),
  );
  return deleted.length > 0;
}

function named(name: string): SQL {
  return eq(toolEmbeddings.toolName, checkText(name, 'name', MAX_NAME_LENGTH));
}

function checkDistinct(names: readonly string[]): void {
  const seen = new Map<string, number>();
  for (const [i, name] of names.entries()) {
    const first = seen.get(name);
    if (first !== undefined) {
      throw new FunesError(
        'BAD_USER_INPUT',
        `inputs[${i}].toolName ${quote(name)} is the name of inputs[${first}] too: a batch can register a name only once.`,
      );
    }
    seen.set(name, i);
  }
}
