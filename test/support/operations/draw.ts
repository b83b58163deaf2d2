import fc from 'fast-check';

/** Draws from what fast-check generates, so that an operation that fails is made smaller. */
export class Draw {
  constructor(private readonly generated: fc.GeneratorValue) {}

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return this.generated(fc.nat, { max: limit - 1 });
  }

  /** True with this probability; smaller operations have more that is false. */
  chance(probability: number): boolean {
    return this.below(1000) >= 1000 - Math.round(probability * 1000);
  }

  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new Error('There is nothing to draw from.');
    return from[this.below(from.length)] as T;
  }
}
