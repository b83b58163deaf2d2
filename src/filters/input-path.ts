import { FunesError } from '../errors.ts';
import { filterLimits } from './limits.ts';

/** Where in a filter something is. Makes the errors about it, and counts the conditions of the whole filter. */
export class InputPath {
  private constructor(
    private readonly path: string,
    private readonly depth: number,
    private readonly size: { conditions: number },
  ) {}

  /** Returns the input path of a whole filter, such as `filters`. */
  static root(path: string): InputPath {
    return new InputPath(path, 0, { conditions: 0 });
  }

  /** Returns the input path one step further in: of a field, an operator, or an element of a list. */
  at(step: string | number): InputPath {
    const path = typeof step === 'number' ? `${this.path}[${step}]` : `${this.path}.${step}`;
    return new InputPath(path, this.depth, this.size);
  }

  /** Returns this input path, one level of nesting deeper. @throws FunesError LIMIT_EXCEEDED */
  deeper(): InputPath {
    if (this.depth >= filterLimits.depth) {
      throw new FunesError(
        'LIMIT_EXCEEDED',
        `${this.path} is nested too deep: a filter may have at most ${filterLimits.depth} levels of and, or, not and document.`,
      );
    }
    return new InputPath(this.path, this.depth + 1, this.size);
  }

  /** Counts a condition. @throws FunesError LIMIT_EXCEEDED */
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

  /** Returns the error for a value that is wrong. `problem` continues the sentence that begins with the input path. */
  refusal(problem: string): FunesError {
    return new FunesError('BAD_USER_INPUT', `${this.path} ${problem}`);
  }

  /** Returns the error for a value that exceeds a limit. */
  excess(problem: string): FunesError {
    return new FunesError('LIMIT_EXCEEDED', `${this.path} ${problem}`);
  }
}
