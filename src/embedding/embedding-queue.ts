import { setImmediate } from 'node:timers';
import { FunesError } from '../errors.ts';
import { withResolvers } from '../with-resolvers.ts';
import { planBatches } from './batches.ts';
import type { InferenceThread } from './inference-thread.ts';
import { meanOfWindows, segmentLength, segments, type WindowVector } from './long-text.ts';
import { UserQueue } from './user-queue.ts';

/**
 * Queries are computed before writes, because a client waits for the answer of a search. What nobody waits for is computed after
 * both.
 */
export type Lane = 'query' | 'write' | 'background';

const lanes = ['query', 'write', 'background'] as const;

/** A batch that the model has computed. */
export interface BatchReport {
  lane: Lane;
  /** Texts (or windows of long texts) in it. */
  texts: number;
  /** Tokens with padding: the tokens of its longest text times the number of its texts. */
  tokens: number;
}

/** What the model computed at a stretch: one batch, or several. */
export interface RoundReport {
  lane: Lane;
  ms: number;
}

/** Functions that the queue calls. */
export interface QueueHooks {
  onBatch?: ((report: BatchReport) => void) | undefined;
  onRound?: ((report: RoundReport) => void) | undefined;
  /** Called if the thread could not compute something: it has stopped, or refuses a text. */
  onFailedRound?: (() => void) | undefined;
  /** Called if more texts wait for their vectors, or fewer. */
  onWaiting?: ((lane: Lane, change: number) => void) | undefined;
  /** Called with the reason why a round failed. The callers get a general error. */
  onFailure?: ((cause: unknown) => void) | undefined;
}

/** Tokens that one round computes. A query waits for at most one round, even behind a book. */
const roundTokens: Readonly<Record<Lane, number>> = { query: 512, write: 512, background: 256 };

/**
 * Most rounds of other lanes in a row while a lane waits. So a stream of searches slows writes down, but never stops them, and
 * requests never stop what is in the background.
 */
const mostRoundsBefore: Readonly<Record<Lane, number>> = {
  query: Number.POSITIVE_INFINITY,
  write: 6,
  background: 30,
};

/** [CLS] and [SEP]. */
const specialTokens = 2;

/** What a caller of `embed` may say about its texts. */
interface CallOptions {
  /** Whose turn the call takes. A call of nobody has a turn of its own. */
  user?: string;
  signal?: AbortSignal;
  onVector?: (index: number, vector: Float32Array) => void;
}

/** A call of `embed`. It resolves when each of its texts has a vector, and rejects at the first failure. */
interface Call {
  lane: Lane;
  /** Whose turn the call takes: a user, or the call itself if it belongs to none. */
  user: unknown;
  texts: TextProgress[];
  unfinished: number;
  /** Whether the caller has an error already, or left. Nothing more of it is computed. */
  ended: boolean;
  onVector: CallOptions['onVector'];
  resolve(vectors: Float32Array[]): void;
  reject(error: Error): void;
}

interface TextProgress {
  /** The index of the text in its call. */
  index: number;
  /** Segments and windows that are still to be processed. */
  pending: number;
  windows: WindowVector[];
  vector: Float32Array | undefined;
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
    background: { segments: new UserQueue(), windows: new UserQueue() },
  };
  private worker: Promise<void> | undefined;
  private closed = false;
  /** Rounds of other lanes since the last round of a lane. */
  private readonly roundsBefore: Record<Lane, number> = { query: 0, write: 0, background: 0 };

  constructor(
    private readonly thread: Pick<InferenceThread, 'cut' | 'infer'>,
    private readonly dimensions: number,
    private readonly hooks: QueueHooks,
  ) {}

  /**
   * Computes the vectors of `texts`, in order.
   * @param options whose turn the call takes, a signal that drops what of it still waits, and what hears of each vector at once.
   * @throws FunesError UNAVAILABLE if they cannot be computed. The reason of `signal` if it is aborted.
   */
  embed(
    texts: readonly string[],
    lane: Lane,
    { user, signal, onVector }: CallOptions = {},
  ): Promise<Float32Array[]> {
    if (this.closed) return Promise.reject(closedError());
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (texts.length === 0) return Promise.resolve([]);
    const { promise, resolve, reject } = withResolvers<Float32Array[]>();
    const unfinished = texts.length;
    const call: Call = { lane, user, texts: [], unfinished, ended: false, onVector, resolve, reject };
    call.user ??= call;
    const abort = () => this.fail(call, signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    this.add(call, texts, lane);
    return promise.finally(() => signal?.removeEventListener('abort', abort));
  }

  private add(call: Call, texts: readonly string[], lane: Lane): void {
    this.hooks.onWaiting?.(lane, texts.length);
    for (const [index, text] of texts.entries()) {
      const parts = segments(text);
      const progress: TextProgress = { index, pending: parts.length, windows: [], vector: undefined };
      call.texts.push(progress);
      const waiting = parts.map((part) => ({ weight: part.length, text: part, progress, call }));
      this.lanes[lane].segments.add(call.user, call, waiting);
    }
    this.worker ??= this.work();
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
    const waiting = lanes.filter((lane) => !this.isEmpty(lane));
    const lane = waiting.find((one) => this.roundsBefore[one] >= mostRoundsBefore[one]) ?? waiting[0];
    if (lane === undefined) return undefined;
    for (const other of waiting) this.roundsBefore[other] += 1;
    this.roundsBefore[lane] = 0;
    return this.nextRoundOf(lane);
  }

  private isEmpty(lane: Lane): boolean {
    return this.lanes[lane].segments.empty && this.lanes[lane].windows.empty;
  }

  private nextRoundOf(lane: Lane): () => Promise<void> {
    const { segments: uncut, windows } = this.lanes[lane];
    // Cut only enough of a user's texts for the next rounds, so that tokenizing a book does not delay the texts after it. What
    // waits of one user does not keep the texts of another from being cut, and so from having a turn.
    const isShort = (user: unknown) => windows.weightOf(user) < 2 * roundTokens[lane];
    if (uncut.users().some(isShort)) return () => this.cut(lane, uncut.take(segmentLength, isShort));
    return () => this.infer(lane, windows.take(roundTokens[lane]));
  }

  private async cut(lane: Lane, round: Segment[]): Promise<void> {
    await this.attempt(round, async () => {
      const spans = await this.thread.cut(round.map((segment) => segment.text));
      round.forEach(({ text, progress, call }, i) => {
        // The call failed or was dropped meanwhile.
        if (call.ended) return;
        const windows = (spans[i] ?? []).map(({ start, end, tokens }): Window => {
          const weight = tokens + specialTokens;
          return { weight, tokens, text: text.slice(start, end), progress, call };
        });
        progress.pending += windows.length - 1;
        this.lanes[lane].windows.add(call.user, call, windows);
      });
    });
  }

  private async infer(lane: Lane, round: Window[]): Promise<void> {
    await this.attempt(round, async () => {
      const batches = planBatches(round);
      const began = performance.now();
      const results = await this.thread.infer(batches.map((batch) => batch.map((window) => window.text)));
      this.hooks.onRound?.({ lane, ms: performance.now() - began });
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
    if (call.ended) return;
    progress.windows.push({ tokens, vector });
    progress.pending -= 1;
    if (progress.pending > 0) return;
    const mean = meanOfWindows(progress.windows);
    progress.vector = mean;
    call.onVector?.(progress.index, mean);
    call.unfinished -= 1;
    this.hooks.onWaiting?.(call.lane, -1);
    if (call.unfinished === 0) call.resolve(call.texts.map((text) => text.vector ?? new Float32Array()));
  }

  /** Runs a round. If the round fails, the calls with items in it fail, and the next round is still tried. */
  private async attempt(round: readonly Segment[], run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (cause) {
      this.hooks.onFailedRound?.();
      const message =
        'The embedding model stopped during this request, and is being started again. Send the request again.';
      const error = new FunesError('UNAVAILABLE', message, { cause });
      for (const { call } of round) this.fail(call, error);
    }
  }

  private fail(call: Call, error: Error): void {
    if (!call.ended && call.unfinished > 0) this.hooks.onWaiting?.(call.lane, -call.unfinished);
    call.ended = true;
    for (const lane of Object.values(this.lanes)) {
      lane.segments.drop(call.user, call);
      lane.windows.drop(call.user, call);
    }
    call.reject(error);
  }
}

function closedError(): FunesError {
  return new FunesError('UNAVAILABLE', 'The server is shutting down and computes no more embeddings.');
}
