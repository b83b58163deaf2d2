import type { SingleBar } from 'cli-progress';
import { z } from 'zod';

/** How far a command is. */
export const progressState = z.strictObject({
  /** What it does, such as `import`. */
  task: z.string(),
  done: z.number(),
  /** Undefined if nobody knows how much there is. */
  total: z.number().optional(),
  /** What is counted, such as `rows`. */
  unit: z.string(),
});
export type ProgressState = z.output<typeof progressState>;

/** Shows how far a command is. */
export interface ProgressDisplay {
  /** Shows the state, if the last one was shown long enough ago. */
  show(state: ProgressState): void;
  /** Prints a line that stays, without breaking a bar. */
  note(text: string): void;
  /** Takes the bar away until the next state is shown. */
  hide(): void;
}

/** What the display writes to. `process.stderr` fits. */
export type ProgressStream = NodeJS.WritableStream & { isTTY?: boolean };

/** Between two lines where there is no terminal. */
const usualLineEveryMs = 10_000;

/**
 * Makes the display of a command: a bar on a terminal, otherwise a plain line from time to time. A command that is done before the
 * first line prints none.
 * @param stream standard error, because standard output has the results.
 */
export function progressDisplay(
  stream: ProgressStream = process.stderr,
  lineEveryMs: number = usualLineEveryMs,
): ProgressDisplay {
  return stream.isTTY ? new BarDisplay(stream) : new LineDisplay(stream, lineEveryMs);
}

class LineDisplay implements ProgressDisplay {
  private shownAt = performance.now();

  constructor(
    private readonly stream: ProgressStream,
    private readonly everyMs: number,
  ) {}

  show(state: ProgressState): void {
    const now = performance.now();
    if (now - this.shownAt < this.everyMs) return;
    this.shownAt = now;
    this.note(describe(state));
  }

  note(text: string): void {
    this.stream.write(`${text}\n`);
  }

  hide(): void {}
}

class BarDisplay implements ProgressDisplay {
  private bar: SingleBar | undefined;
  private loading: Promise<void> | undefined;
  private isShown = false;
  private last: ProgressState | undefined;

  constructor(private readonly stream: ProgressStream) {}

  show(state: ProgressState): void {
    this.last = state;
    const { total = 0, done } = state;
    this.loading ??= this.load();
    if (this.bar === undefined) return;
    if (!this.isShown) this.bar.start(total, done);
    this.isShown = true;
    this.bar.setTotal(total);
    this.bar.update(done);
  }

  note(text: string): void {
    this.hide();
    this.stream.write(`${text}\n`);
    if (this.last) this.show(this.last);
  }

  hide(): void {
    if (this.isShown) this.bar?.stop(); // it clears its line
    this.isShown = false;
  }

  /** Loads the bar when it is first shown, because most commands show none. */
  private async load(): Promise<void> {
    const { default: cliProgress } = await import('cli-progress');
    this.bar = new cliProgress.SingleBar({
      stream: this.stream,
      clearOnComplete: true,
      hideCursor: null, // a process that is killed would leave the terminal without its cursor
      gracefulExit: false,
      format: (_options, { progress }) => (this.last ? barOf(this.last, progress, this.stream) : ''),
    });
  }
}

function barOf(state: ProgressState, progress: number, stream: ProgressStream): string {
  const text = describe(state);
  if (state.total === undefined) return text;
  const columns = 'columns' in stream && typeof stream.columns === 'number' ? stream.columns : 80;
  const width = Math.max(10, Math.min(40, columns - text.length - 3));
  const full = Math.round(width * progress);
  return `${'█'.repeat(full)}${'░'.repeat(width - full)} ${text}`;
}

/** A line for people, such as `import: 1200 of 5000 rows (24 %)`. */
export function describe({ task, done, total, unit }: ProgressState): string {
  if (total === undefined) return `${task}: ${done} ${unit}`;
  const percent = total === 0 ? 100 : Math.floor((done / total) * 100);
  return `${task}: ${done} of ${total} ${unit} (${percent} %)`;
}
