import fc from 'fast-check';
import { Draw } from './draw.ts';
import type { Member } from './members.ts';

/** How many smaller operations are tried after one has failed. */
const mostAttempts = 200;

export interface Turns {
  /** How many operations are made and sent. */
  count: number;
  seed: number;
  /** What each operation is made for, in turn; it never ends. */
  goals: Iterator<Member>;
}

/**
 * Has one operation after another made and sent, until all are sent or one fails. That one is made smaller.
 * @param send makes an operation for a goal, sends it, and throws if the answer is wrong.
 * @throws what `send` threw for the smallest operation that fails.
 */
export async function sendInTurn(
  { count, seed, goals }: Turns,
  send: (goal: Member, draw: Draw) => Promise<void>,
): Promise<void> {
  let attempts = 0;
  let smallest: unknown;
  // The goal is drawn outside of what fast-check makes smaller, so that it stays.
  const goal = fc.constant(undefined).map(() => goals.next().value as Member);
  try {
    await fc.assert(
      fc.asyncProperty(goal, fc.gen(), async (wanted, generated) => {
        if (smallest !== undefined) fc.pre(++attempts <= mostAttempts);
        try {
          await send(wanted, new Draw(generated));
        } catch (error) {
          smallest = error;
          throw error;
        }
      }),
      { numRuns: count, seed, unbiased: true },
    );
  } catch (error) {
    // fast-check's own message has some thousand numbers before the operation.
    throw smallest ?? error;
  }
}
