/** `offset`, or the beginning of the surrogate pair that it would cut. */
export function wholeCharacters(text: string, offset: number): number {
  return (text.codePointAt(offset - 1) ?? 0) > 0xffff ? offset - 1 : offset;
}
