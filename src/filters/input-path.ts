import { FunesError } from '../errors.ts';
import { filterLimits } from './limits.ts';

/** Where in a filter the compiler is: names what an error is about, and counts what the limits are about. */
export class InputPath {
  private constructor(
    private readonly path: string,
    private readonly depth: number,
    private readonly size: { conditions: number },
  ) {}

  /** The start of a filter that the client knows under this name. */
  static root(name: string): InputPath {
    return new InputPath(name, 0, { conditions: 0 });
  }

  /** Inside a field, an operator, or an element of a list. */
  at(step: string | number): InputPath {
    const path = typeof step === 'number' ? `${this.path}[${step}]` : `${this.path}.${step}`;
    return new InputPath(path, this.depth, this.size);
  }

  /** One level of nesting further in. @throws FunesError LIMIT_EXCEEDED */
  deeper(): InputPath {
    if (this.depth >= filterLimits.depth) {
      throw new FunesError(
        'LIMIT_EXCEEDED',
        `${this.path} is nested too deep: a filter may have at most ${filterLimits.depth} levels of and, or, not and document.`,
      );
    }
    return new InputPath(this.path, this.depth + 1, this.size);
  }

  /** Counts a comparison. @throws FunesError LIMIT_EXCEEDED */
  count(): void {
    this.size.conditions += 1;
    if (this.size.conditions > filterLimits.conditions) {
      throw new FunesError(
        'LIMIT_EXCEEDED',
        `A filter may hold at most ${filterLimits.conditions} conditions, and ${this.path} is one too many. ` +
          `To compare one field with many values use in, with up to ${filterLimits.listLength} values.`,
      );
    }
  }

  /** The error for something here that can never be right. `problem` continues the sentence that starts with its name. */
  refusal(problem: string): FunesError {
    return new FunesError('BAD_USER_INPUT', `${this.path} ${problem}`);
  }

  /** The error for something here that passes a limit. */
  excess(problem: string): FunesError {
    return new FunesError('LIMIT_EXCEEDED', `${this.path} ${problem}`);
  }
}
