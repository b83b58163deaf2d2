import { isDeepStrictEqual } from 'node:util';
import { eq, inArray, type SQL, sql } from 'drizzle-orm';
import type { VectorInput } from '../../schema/columns/vector.ts';
import { toolEmbeddings } from '../../schema/index.ts';
import { type Database, transaction } from '../database/transaction.ts';
import { FunesError, quote } from '../errors.ts';
import { searchedModel } from '../generations.ts';
import { checkBatch, checkJson, checkText } from '../input/checks.ts';
import { limits } from '../input/limits.ts';
import { type OwnEmbedding, parseOwnEmbedding } from '../input/vectors.ts';
import type { Services } from '../services.ts';
import type { Viewer } from '../viewer.ts';
import { toolText } from './embedded-text.ts';
import { forgottenEmbedding, keepInstallationsModel, wakeFiller } from './embeddings.ts';
import type { Listed } from './pages.ts';
import { type ToolRow, toolColumns } from './rows.ts';
import { embedUnlessOwn } from './written-embeddings.ts';

const MAX_NAME_LENGTH = 100;

/** A tool, as a client sends it. */
export interface NewTool extends OwnEmbedding {
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
 * description and parameters, and keeps its id and usage. A tool that is as it was is neither embedded nor written.
 * @param wait whether to wait for the embeddings; without, the tools are PENDING.
 * @throws FunesError BAD_USER_INPUT or LIMIT_EXCEEDED with the input path. BAD_USER_INPUT also if two inputs have one name.
 */
export async function registerTools(
  services: Services,
  viewer: Viewer,
  inputs: readonly NewTool[],
  wait = true,
): Promise<ToolRow[]> {
  checkBatch(inputs, 'inputs');
  if (inputs.length === 0) return [];
  const values = inputs.map((input, i) => parseNewTool(input, `inputs[${i}]`));
  checkDistinct(values.map(({ toolName }) => toolName));
  // A statement locks rows in the order in which it writes them. Without one order for all, two agents that register
  // the same tools would deadlock.
  values.sort((a, b) => (a.toolName < b.toolName ? -1 : 1));
  const { database } = services;
  const model = await searchedModel(services);
  const names = values.map(({ toolName }) => toolName);
  const stored = await transaction(database, viewer, { access: 'read', single: true }, (tx) =>
    tx
      .select({ ...toolColumns, embedding: toolEmbeddings.embedding })
      .from(toolEmbeddings)
      .where(inArray(toolEmbeddings.toolName, names)),
  );
  const before = new Map(stored.map((row) => [row.toolName, row]));
  const changed = values.filter((value) => !isAsItWas(value, before.get(value.toolName), model, wait));
  const byName = new Map<string, ToolRow>(
    stored.map(({ embedding: _embedding, ...row }) => [row.toolName, row]),
  );
  if (changed.length > 0) {
    const embeddings = await embedUnlessOwn(
      services,
      changed.map((value) => ({ text: toolText(value), own: value.own })),
      wait,
    );
    const rows = await transaction(database, viewer, { access: 'write' }, (tx) =>
      tx
        .insert(toolEmbeddings)
        .values(changed.map(({ own: _own, ...value }, i) => ({ ...value, ...embeddings[i] })))
        .onConflictDoUpdate({
          target: toolEmbeddings.toolName,
          set: {
            toolDescription: sql`excluded.tool_description`,
            toolParameters: sql`excluded.tool_parameters`,
            embedding: sql`excluded.embedding`,
            embeddingModel: sql`excluded.embedding_model`,
            embeddingSource: sql`excluded.embedding_source`,
            ...forgottenEmbedding,
            nextEmbedding: sql`excluded.next_embedding`,
            nextEmbeddingModel: sql`excluded.next_embedding_model`,
          },
        })
        .returning(toolColumns)
        .then((written) => keepInstallationsModel(tx, toolEmbeddings, written)),
    );
    wakeFiller(services, rows);
    for (const row of rows) byName.set(row.toolName, row);
  }
  return inputs.flatMap(({ toolName }) => byName.get(toolName) ?? []);
}

function parseNewTool(input: NewTool, inputPath: string) {
  return {
    toolName: checkText(input.toolName, `${inputPath}.toolName`, MAX_NAME_LENGTH),
    toolDescription: checkText(input.toolDescription, `${inputPath}.toolDescription`, limits.contentLength),
    toolParameters: input.toolParameters
      ? checkJson(input.toolParameters, `${inputPath}.toolParameters`)
      : null,
    own: parseOwnEmbedding(input, inputPath),
  };
}

/**
 * Whether a tool is stored as the client sends it. Without a vector of its own, the stored vector must be the server's, of the
 * model that searches compare, so that a tool which is registered again gets what it lacks. If the client does not wait, a tool that is PENDING
 * lacks nothing, because the filler embeds it.
 */
function isAsItWas(
  { toolDescription, toolParameters, own }: ReturnType<typeof parseNewTool>,
  stored: (ToolRow & { embedding: VectorInput | null }) | undefined,
  model: string,
  wait: boolean,
): boolean {
  if (stored === undefined || stored.toolDescription !== toolDescription) return false;
  if (!isDeepStrictEqual(stored.toolParameters, toolParameters)) return false;
  if (stored.embedding === null) return !own && !wait && stored.embeddingStatus === 'PENDING';
  return own
    ? stored.embeddingSource === 'CLIENT' &&
        stored.embeddingModel === own.embeddingModel &&
        isDeepStrictEqual(Float32Array.from(stored.embedding), own.embedding)
    : stored.embeddingSource === 'FUNES' && stored.embeddingModel === model;
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
