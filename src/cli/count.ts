/** Returns a number with its noun, such as `1 memory` and `3 memories`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
