import { setImmediate } from 'node:timers';
import { FunesError } from '../errors.ts';
import { planBatches } from './batches.ts';
import type { InferenceThread } from './inference-thread.ts';
import { meanOfWindows, segmentLength, segments, type WindowVector } from './long-text.ts';
import { UserQueue } from './user-queue.ts';

/** Queries are computed before writes, because a client waits for the answer of a search. */
export type Lane = 'query' | 'write';

/** A batch that the model has computed. */
export interface BatchReport {
  lane: Lane;
  /** Texts (or windows of long texts) in it. */
  texts: number;
  /** Tokens with padding: the tokens of its longest text times the number of its texts. */
  tokens: number;
}

/** Functions that the queue calls. */
export interface QueueHooks {
  onBatch?: ((report: BatchReport) => void) | undefined;
  /** Called with the reason why a round failed. The callers get a general error. */
  onFailure?: ((cause: unknown) => void) | undefined;
}

/** Tokens that one round computes. A query waits for at most one round, even behind a book. */
const roundTokens = 512;

/** Most rounds of queries in a row while writes wait. So a stream of searches slows writes down, but never stops them. */
const maxQueryRounds = 6;

/** [CLS] and [SEP]. */
const specialTokens = 2;

/** A call of `embed`. It resolves when each of its texts has a vector, and rejects at the first failure. */
interface Call {
  /** Whose turn the call takes: a user, or the call itself if it belongs to none. */
  user: unknown;
  texts: TextProgress[];
  unfinished: number;
  /** It failed, or was dropped: nothing more of it is computed. */
  ended?: true;
  resolve(vectors: Float32Array[]): void;
  reject(error: Error): void;
}

interface TextProgress {
  /** Segments and windows that are still to be processed. */
  pending: number;
  windows: WindowVector[];
}

interface Segment {
  weight: number;
  text: string;
  progress: TextProgress;
  call: Call;
}

interface Window extends Segment {
  tokens: number;
}

interface Waiting {
  segments: UserQueue<unknown, Call, Segment>;
  windows: UserQueue<unknown, Call, Window>;
}

/**
 * Feeds the inference thread. It cuts texts into windows, and computes windows of several callers together. A round is small,
 * so that a query never waits long. Users are served in turn, and so are the calls of one user.
 */
export class EmbeddingQueue {
  private readonly lanes: Record<Lane, Waiting> = {
    query: { segments: new UserQueue(), windows: new UserQueue() },
    write: { segments: new UserQueue(), windows: new UserQueue() },
  };
  private worker: Promise<void> | undefined;
  private closed = false;
  private queryRounds = 0;

  constructor(
    private readonly thread: Pick<InferenceThread, 'cut' | 'infer'>,
    private readonly dimensions: number,
    private readonly hooks: QueueHooks,
  ) {}

  /**
   * Computes the vectors of `texts`, in order.
   * @param from whose turn the call takes, and a signal that drops what of it still waits.
   * @throws FunesError UNAVAILABLE if they cannot be computed, or if the signal is aborted.
   */
  embed(
    texts: readonly string[],
    lane: Lane,
    { user, signal }: { user?: string; signal?: AbortSignal } = {},
  ): Promise<Float32Array[]> {
    if (signal?.aborted) return Promise.reject(leftError(signal));
    if (this.closed) return Promise.reject(closedError());
    if (texts.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const call: Call = { user, texts: [], unfinished: texts.length, resolve, reject };
      call.user ??= call;
      signal?.addEventListener('abort', () => this.fail(call, leftError(signal)), { once: true });
      for (const text of texts) {
        const parts = segments(text);
        const progress: TextProgress = { pending: parts.length, windows: [] };
        call.texts.push(progress);
        const waiting = parts.map((part) => ({ weight: part.length, text: part, progress, call }));
        this.lanes[lane].segments.add(call.user, call, waiting);
      }
      this.worker ??= this.work();
    });
  }

  /** Rejects all waiting calls, and resolves when the current round has ended. */
  async close(): Promise<void> {
    this.closed = true;
    for (const lane of Object.values(this.lanes)) {
      for (const call of [...lane.segments.calls(), ...lane.windows.calls()]) this.fail(call, closedError());
    }
    await this.worker;
  }

  private async work(): Promise<void> {
    // Calls that arrive in this turn of the event loop join the first round.
    await new Promise((resolve) => setImmediate(resolve));
    let round = this.nextRound();
    while (round !== undefined && !this.closed) {
      await round();
      round = this.nextRound();
    }
    this.worker = undefined;
  }

  private nextRound(): (() => Promise<void>) | undefined {
    const writesFirst = this.queryRounds >= maxQueryRounds;
    for (const lane of writesFirst ? (['write', 'query'] as const) : (['query', 'write'] as const)) {
      const round = this.nextRoundOf(lane);
      if (round === undefined) continue;
      this.queryRounds = lane === 'query' ? this.queryRounds + 1 : 0;
      return round;
    }
    return undefined;
  }

  private nextRoundOf(lane: Lane): (() => Promise<void>) | undefined {
    const { segments: uncut, windows } = this.lanes[lane];
    // Cut only enough of a user's texts for the next rounds, so that tokenizing a book does not delay the texts after it. What
    // waits of one user does not keep the texts of another from being cut, and so from having a turn.
    const isShort = (user: unknown) => windows.weightOf(user) < 2 * roundTokens;
    if (uncut.users().some(isShort)) return () => this.cut(lane, uncut.take(segmentLength, isShort));
    if (!windows.empty) return () => this.infer(lane, windows.take(roundTokens));
    return undefined;
  }

  private async cut(lane: Lane, round: Segment[]): Promise<void> {
    await this.attempt(round, async () => {
      const spans = await this.thread.cut(round.map((segment) => segment.text));
      round.forEach(({ text, progress, call }, i) => {
        const windows = (spans[i] ?? []).map(({ start, end, tokens }): Window => {
          const weight = tokens + specialTokens;
          return { weight, tokens, text: text.slice(start, end), progress, call };
        });
        // The call failed or was dropped meanwhile.
        if (call.ended) return;
        progress.pending += windows.length - 1;
        this.lanes[lane].windows.add(call.user, call, windows);
      });
    });
  }

  private async infer(lane: Lane, round: Window[]): Promise<void> {
    await this.attempt(round, async () => {
      const batches = planBatches(round);
      const results = await this.thread.infer(batches.map((batch) => batch.map((window) => window.text)));
      batches.forEach((batch, i) => {
        const longest = batch.at(-1)?.weight ?? 0;
        this.hooks.onBatch?.({ lane, texts: batch.length, tokens: longest * batch.length });
        batch.forEach((window, j) => {
          const vector = results[i]?.slice(j * this.dimensions, (j + 1) * this.dimensions);
          this.finish(window, vector ?? new Float32Array());
        });
      });
    });
  }

  private finish({ tokens, progress, call }: Window, vector: Float32Array): void {
    progress.windows.push({ tokens, vector });
    progress.pending -= 1;
    if (progress.pending > 0) return;
    call.unfinished -= 1;
    if (call.unfinished === 0) call.resolve(call.texts.map((text) => meanOfWindows(text.windows)));
  }

  /** Runs a round. If the round fails, the calls with items in it fail, and the next round is still tried. */
  private async attempt(round: readonly Segment[], run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (cause) {
      const message =
        'The embedding model stopped during this request, and is being started again. Send the request again.';
      const error = new FunesError('UNAVAILABLE', message, { cause });
      for (const { call } of round) this.fail(call, error);
    }
  }

  private fail(call: Call, error: Error): void {
    for (const lane of Object.values(this.lanes)) {
      lane.segments.drop(call.user, call);
      lane.windows.drop(call.user, call);
    }
    call.ended = true;
    call.reject(error);
  }
}

function closedError(): FunesError {
  return new FunesError('UNAVAILABLE', 'The server is shutting down and computes no more embeddings.');
}

function leftError(signal: AbortSignal): FunesError {
  return new FunesError('UNAVAILABLE', 'The client left before its text was embedded.', {
    cause: signal.reason,
  });
}
