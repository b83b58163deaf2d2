/** An item with the cost of processing it, in any unit. */
export interface Weighted {
  weight: number;
}

/**
 * A queue that serves its callers in turn. A caller with one item never waits for all items of another caller. Items of one
 * caller keep their order.
 */
export class FairQueue<Caller, Item extends Weighted> {
  // A Map keeps the order of insertion, so its first caller is the next one to be served. Each line is in reverse order.
  private readonly lines = new Map<Caller, Item[]>();
  private total = 0;

  /** The sum of the weights of all waiting items. */
  get weight(): number {
    return this.total;
  }

  get empty(): boolean {
    return this.lines.size === 0;
  }

  add(caller: Caller, items: readonly Item[]): void {
    if (items.length === 0) return;
    const line = [...items].reverse();
    this.lines.set(caller, line.concat(this.lines.get(caller) ?? []));
    for (const item of items) this.total += item.weight;
  }

  /**
   * Takes items that weigh at most `budget` together, but at least one item if `atLeastOne`. A caller that was served and has items
   * left goes to the back. A caller whose next item is too heavy keeps its turn.
   */
  take(budget: number, atLeastOne = true): Item[] {
    const taken: Item[] = [];
    let left = budget;
    for (const [caller, line] of this.lines) {
      const before = taken.length;
      let next = line.at(-1);
      while (next !== undefined && (next.weight <= left || (atLeastOne && taken.length === 0))) {
        line.pop();
        taken.push(next);
        left -= next.weight;
        this.total -= next.weight;
        next = line.at(-1);
      }
      if (line.length === 0 || taken.length > before) this.lines.delete(caller);
      if (line.length > 0) this.lines.set(caller, line);
      if (left <= 0 || line.length > 0) break;
    }
    return taken;
  }

  /** Removes all waiting items of `caller`. */
  drop(caller: Caller): void {
    for (const item of this.lines.get(caller) ?? []) this.total -= item.weight;
    this.lines.delete(caller);
  }

  /** The callers that have waiting items. */
  callers(): Caller[] {
    return [...this.lines.keys()];
  }
}
