import { FunesError } from '../errors.ts';
import { lossOf } from '../input/exact-numbers.ts';

/** What a whole number of sixteen digits or more can follow. A text that has none of this has no number that loses digits. */
const mayLose = /(?:^|[[{:,\s])-?[1-9]\d{15}/;

const numbers = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * Refuses JSON with a number that JavaScript cannot hold, before it is parsed: JSON.parse would round the number in silence.
 * @throws FunesError BAD_USER_INPUT that names the number.
 */
export function refuseInexactNumbers(json: string): void {
  if (!mayLose.test(json)) return;
  for (const [before, between] of outsideOfStrings(json)) {
    for (const [number] of between.matchAll(numbers)) {
      const loss = lossOf(number);
      if (loss === undefined) continue;
      const name =
        /^\s*:\s*-?\d/.test(between) && between.trimStart().slice(1).trimStart().startsWith(number);
      throw new FunesError('BAD_USER_INPUT', `${name ? `${before} has ` : 'The request has '}${loss}`);
    }
  }
}

/** The parts of a JSON text that are not in strings, each with the string before it. */
function* outsideOfStrings(json: string): Generator<[before: string, part: string]> {
  let before = '';
  let from = 0;
  for (;;) {
    const opening = json.indexOf('"', from);
    if (opening < 0) break;
    yield [before, json.slice(from, opening)];
    const closing = endOfString(json, opening + 1);
    if (closing < 0) return;
    before = json.slice(opening, Math.min(closing + 1, opening + longestName));
    from = closing + 1;
  }
  yield [before, json.slice(from)];
}

const longestName = 100;

function endOfString(json: string, from: number): number {
  for (let quote = json.indexOf('"', from); quote >= 0; quote = json.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (json[quote - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return quote;
  }
  return -1;
}
