/**
 * Says what becomes of a number that JavaScript would round beyond 2^53. Returns undefined for a number that stays as it is. A
 * fraction below 2^53 is rounded to some 16 digits, as every program does that stores doubles.
 * @param text the number as JSON or GraphQL write it.
 */
export function lossOf(text: string): string | undefined {
  // Sixteen digits are not enough to tell, so all shorter numbers are exact.
  if (text.length < 16) return undefined;
  const value = Number(text);
  if (Math.abs(value) < Number.MAX_SAFE_INTEGER || decimalOf(text) === decimalOf(String(value)))
    return undefined;
  const becomes = Number.isFinite(value) ? `would become ${value}` : 'is beyond 1.8e308';
  const shown = text.length > 40 ? `${text.slice(0, 40)}...` : text;
  return `the number ${shown}, which ${becomes}. Send it as a string.`;
}

/** Returns a form that is equal for equal numbers: the digits without zeros at both ends, and the exponent. */
function decimalOf(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}
