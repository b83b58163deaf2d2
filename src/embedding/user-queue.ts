import { FairQueue, type Weighted } from './fair-queue.ts';

/**
 * A queue that serves users in turn, and the calls of one user in turn. A user with one short text never waits for all texts of
 * another user, however many calls these came in.
 */
export class UserQueue<User, Call, Item extends Weighted> {
  // A Map keeps the order of insertion, so its first user is the next one to be served.
  private readonly lines = new Map<User, FairQueue<Call, Item>>();

  get empty(): boolean {
    return this.lines.size === 0;
  }

  /** The sum of the weights of the waiting items of `user`. */
  weightOf(user: User): number {
    return this.lines.get(user)?.weight ?? 0;
  }

  add(user: User, call: Call, items: readonly Item[]): void {
    if (items.length === 0) return;
    const line = this.lines.get(user) ?? new FairQueue<Call, Item>();
    line.add(call, items);
    this.lines.set(user, line);
  }

  /**
   * Takes items that weigh at most `budget` together, but at least one item. A user with items left goes to the back.
   * @param isServed leaves out the users for whom it returns false.
   */
  take(budget: number, isServed: (user: User) => boolean = () => true): Item[] {
    const taken: Item[] = [];
    let left = budget;
    for (const [user, line] of [...this.lines]) {
      if (!isServed(user)) continue;
      const items = line.take(left, taken.length === 0);
      for (const { weight } of items) left -= weight;
      taken.push(...items);
      if (line.empty || items.length > 0) this.lines.delete(user);
      if (!line.empty) this.lines.set(user, line);
      if (left <= 0 || !line.empty) break;
    }
    return taken;
  }

  /** Removes all waiting items of a call of `user`. */
  drop(user: User, call: Call): void {
    const line = this.lines.get(user);
    line?.drop(call);
    if (line?.empty) this.lines.delete(user);
  }

  /** The users that have waiting items. */
  users(): User[] {
    return [...this.lines.keys()];
  }

  /** The calls that have waiting items. */
  calls(): Call[] {
    return [...this.lines.values()].flatMap((line) => line.callers());
  }
}
