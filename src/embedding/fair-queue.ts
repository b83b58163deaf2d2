/** Something that waits, with what it costs to process, in a unit of the user's choice. */
export interface Weighted {
  weight: number;
}

/**
 * A queue that serves its callers in turn: a caller with one item waits for at most one round, however much another
 * has put in. Items of one caller keep their order.
 */
export class FairQueue<Caller, Item extends Weighted> {
  // A Map keeps the order of insertion: the first caller is the next to be served. Items lie last first.
  private readonly lines = new Map<Caller, Item[]>();
  private total = 0;

  /** The waiting items' weights added up. */
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

  /** Takes items worth at most `budget`, but at least one; what a caller has left over goes to the back. */
  take(budget: number): Item[] {
    const taken: Item[] = [];
    let left = budget;
    for (const [caller, line] of this.lines) {
      let next = line.at(-1);
      while (next !== undefined && (next.weight <= left || taken.length === 0)) {
        line.pop();
        taken.push(next);
        left -= next.weight;
        this.total -= next.weight;
        next = line.at(-1);
      }
      this.lines.delete(caller);
      if (line.length > 0) this.lines.set(caller, line);
      if (left <= 0 || line.length > 0) break;
    }
    return taken;
  }

  /** Forgets all that `caller` has waiting. */
  drop(caller: Caller): void {
    for (const item of this.lines.get(caller) ?? []) this.total -= item.weight;
    this.lines.delete(caller);
  }

  /** The callers with something waiting. */
  callers(): Caller[] {
    return [...this.lines.keys()];
  }
}
