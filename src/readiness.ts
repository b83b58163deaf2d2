import { setTimeout as delay } from 'node:timers/promises';
import { databaseError, isUnreachable } from './database/errors.ts';
import { readPendingMigrations } from './database/migrate.ts';
import type { Pool } from './database/pool.ts';
import type { Embedder } from './embedding/embedder.ts';

/** What the server needs to answer requests. */
export type ReadinessName = 'database' | 'migrations' | 'model';

/** Whether one thing is there, and for people what is wrong with it. */
export interface ReadinessCheck {
  readonly name: ReadinessName;
  readonly ready: boolean;
  readonly detail?: string | undefined;
}

export interface ReadinessOptions {
  pool: Pool;
  embedder: Pick<Embedder, 'embed' | 'stopped' | 'model'>;
  /** How long a look may take before what it has not found counts as not ready. */
  withinMs?: number;
  /** How long what was found is told again, so that many who ask do not keep the database busy. */
  keepMs?: number;
}

/** A text that every model can embed. */
const probe = 'funes';

/**
 * Makes the function that looks whether requests can be served: whether the database answers, whether it has all migrations, and
 * whether the model computes. All who ask at one time share one look. A look that takes longer goes on, and the next who ask wait for it.
 */
export function readinessChecker({
  pool,
  embedder,
  withinMs = 3000,
  keepMs = 1000,
}: ReadinessOptions): () => Promise<readonly ReadinessCheck[]> {
  const database = shared(() => checkDatabase(pool), keepMs);
  const model = shared(() => checkModel(embedder), keepMs);
  const late = `It did not answer within ${withinMs / 1000} s.`;
  return async () => {
    const [found, computes] = await Promise.all([
      within(withinMs, database(), [
        { name: 'database', ready: false, detail: late },
        { name: 'migrations', ready: false },
      ] as const),
      within(withinMs, model(), { name: 'model', ready: false, detail: late } as const),
    ]);
    return [...found, computes];
  };
}

async function checkDatabase(pool: Pool): Promise<readonly ReadinessCheck[]> {
  try {
    const pending = await readPendingMigrations(pool);
    const detail = pending.length === 0 ? undefined : `Pending: ${pending.join(', ')}. Run "funes migrate".`;
    return [
      { name: 'database', ready: true },
      { name: 'migrations', ready: pending.length === 0, detail },
    ];
  } catch (error) {
    const known = databaseError(error);
    const detail = known?.message ?? 'The database answered with an error.';
    // A database that answers, and of which the migrations say that it is not one of this version.
    const answers = known !== undefined && known.cause === undefined && !isUnreachable(error);
    return [
      { name: 'database', ready: answers, ...(!answers && { detail }) },
      { name: 'migrations', ready: false, ...(answers && { detail }) },
    ];
  }
}

async function checkModel(embedder: ReadinessOptions['embedder']): Promise<ReadinessCheck> {
  if (embedder.stopped !== true) return { name: 'model', ready: true };
  try {
    // Computing something starts the thread again, and shows whether it works.
    await embedder.embed([probe]);
    return { name: 'model', ready: true };
  } catch (error) {
    const detail = `${embedder.model} does not compute: ${error instanceof Error ? error.message : String(error)}`;
    return { name: 'model', ready: false, detail };
  }
}

/** Makes all who call at one time, and for `keepMs` after it ended, share one call. */
function shared<T>(look: () => Promise<T>, keepMs: number): () => Promise<T> {
  let found: Promise<T> | undefined;
  return () => {
    if (found === undefined) {
      const looking = look();
      found = looking;
      const forget = () => setTimeout(() => (found = undefined), keepMs).unref();
      looking.then(forget, forget);
    }
    return found;
  };
}

async function within<T>(ms: number, answer: Promise<T>, otherwise: T): Promise<T> {
  const patience = new AbortController();
  const late = delay(ms, otherwise, { signal: patience.signal, ref: false });
  late.catch(() => {});
  try {
    return await Promise.race([answer, late]);
  } finally {
    patience.abort();
  }
}
