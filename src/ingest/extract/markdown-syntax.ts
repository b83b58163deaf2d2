/**
 * Escapes the beginning of a line of prose that Markdown would take for a heading, list, quote, rule, code fence, table or HTML.
 */
export function escapeLine(line: string): string {
  if (/^(?:#{1,6}(?:\s|$)|[-+*](?:\s|$)|>|```|~~~|\||<[a-z!/?]|(?:[-_*=]\s*)+$)/i.test(line))
    return `\\${line}`;
  return line.replace(/^(\d{1,9})([.)])(?=\s|$)/, '$1\\$2');
}

/** Escapes the text of a cell, so that it stays one cell. */
export function escapeCell(text: string): string {
  return text.replace(/(?<!\\)\|/g, '\\|').trim();
}

/** Returns a code block whose fence is longer than any in the text. */
export function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}

/** Returns a table of escaped cells, whose first row is the header. Rows get as many cells as the longest one. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const columns = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const line = (row: readonly string[]) =>
    `| ${Array.from({ length: columns }, (_, index) => row[index] ?? '').join(' | ')} |`;
  const [header = [], ...rest] = rows;
  return [line(header), line(Array<string>(columns).fill('---')), ...rest.map(line)].join('\n');
}

/** Returns the rows of a sheet as a table, without empty rows, and without the empty columns at its end. */
export function sheetTable(rows: readonly (readonly string[])[]): string {
  const cells = rows
    .map((row) => row.map((cell) => escapeCell(cell.replace(/\s+/g, ' '))))
    .map((row) => row.slice(0, row.findLastIndex((cell) => cell !== '') + 1))
    .filter((row) => row.length > 0);
  return cells.length === 0 ? '' : markdownTable(cells);
}
