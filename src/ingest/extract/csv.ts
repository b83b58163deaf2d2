import { CsvError, parse } from 'csv-parse/sync';
import { decodeText } from './encoding.ts';
import { type Extraction, UnreadableFile } from './extraction.ts';
import { sheetTable } from './markdown-syntax.ts';

const delimiters = [',', ';', '\t', '|'] as const;

/** Extracts a CSV file as a Markdown table. Its first row is the header. Commas, semicolons, tabs or bars separate the cells. */
export async function extractCsv(bytes: Uint8Array): Promise<Extraction> {
  const text = decodeText(bytes);
  try {
    const rows = parse(text, {
      delimiter: delimiterOf(text),
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
    });
    return { text: sheetTable(rows), structure: 'markdown', parts: [] };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new UnreadableFile(
      `is not valid CSV: ${error.message} Correct it, or send it with fileType "txt".`,
    );
  }
}

/** The delimiter that stands most often in the first lines, outside of quotes. */
function delimiterOf(text: string): string {
  const unquoted = text.slice(0, 20_000).replace(/"(?:[^"]|"")*"/g, '');
  const count = (delimiter: string) => unquoted.split(delimiter).length;
  return delimiters.reduce<string>((best, one) => (count(one) > count(best) ? one : best), ',');
}
