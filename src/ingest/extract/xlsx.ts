import readXlsxFile, { type CellValue, type Sheet } from 'read-excel-file/node';
import { type Extraction, TextBuilder } from './extraction.ts';
import { escapeLine, sheetTable } from './markdown-syntax.ts';
import { brokenOfficeFile, unzip } from './zip.ts';

/** Extracts a workbook as Markdown: each sheet is a heading and a table, whose header is the sheet's first row, and a part. */
export async function extractXlsx(bytes: Uint8Array): Promise<Extraction> {
  await unzip(bytes, () => false);
  let sheets: Sheet[];
  try {
    sheets = await readXlsxFile(Buffer.from(bytes));
  } catch {
    throw brokenOfficeFile();
  }
  const builder = new TextBuilder();
  for (const { sheet, data } of sheets) {
    const table = sheetTable(data.map((row) => row.map(toText)));
    if (table === '') continue;
    builder.begin({ sheet });
    builder.add(`# ${escapeLine(sheet)}\n\n${table}\n\n`);
  }
  return builder.finish('markdown');
}

function toText(value: CellValue | null): string {
  if (value === null) return '';
  if (!(value instanceof Date)) return String(value);
  // A sheet's dates have no time zone; the library returns them as UTC.
  const [day = '', time = ''] = value.toISOString().split('T');
  return time.startsWith('00:00:00') ? day : `${day} ${time.slice(0, 8)}`;
}
