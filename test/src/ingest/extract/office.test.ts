import { describe, expect, test } from 'vitest';
import { extract, partsOf, problemOf, readTestFile } from './files.ts';

describe('a Word document', () => {
  test.each(['report-pandoc.docx', 'report-libreoffice.docx'])('becomes Markdown: %s', async (name) => {
    const extraction = await extract('docx', readTestFile(name));
    expect(extraction.structure).toBe('markdown');
    expect(partsOf(extraction)).toEqual([
      [{ headings: ['Harbour report'] }, '# Harbour report'],
      [
        { headings: ['Berths'] },
        '# Berths\n\nThe harbour has twelve berths, of which three take ships of over 200 metres.',
      ],
      [
        { headings: ['Berths', 'Winter rules'] },
        '## Winter rules\n\nFrom November to March, the northern berths are closed when the wind exceeds 60 km/h.[1]\n\n' +
          '- Call the pilot six hours before arrival.\n- Show the ice class certificate.\n\n' +
          '| Berth | Length | Keeper |\n| --- | --- | --- |\n| North | 240 | Ada Quist |\n| South | 180 | Bo Lindqvist |',
      ],
      [
        { headings: ['Tariffs'] },
        '# Tariffs\n\nThe tariff is 3.20 euros a metre and day; naïve façade Übergröße.\n\n1. Measured at the lighthouse.',
      ],
    ]);
  });
});

test('a presentation has a part for each slide, with its title, its table and the notes', async () => {
  expect(partsOf(await extract('pptx', readTestFile('talk.pptx')))).toEqual([
    [
      { slide: 1, headings: ['Gulls nest on cliffs'] },
      '# Gulls nest on cliffs\n\nThey lay three eggs\n\nThe chicks fledge after five weeks\n\n' +
        'Notes: Mention the colony on the western island.',
    ],
    [
      { slide: 2, headings: ['Counts'] },
      '# Counts\n\n| Year | Pairs |\n| --- | --- |\n| 2019 | 412 |\n| 2020 | 388 |',
    ],
  ]);
});

test('a workbook has a part for each sheet that is not empty, with dates, numbers and the results of formulas', async () => {
  expect(partsOf(await extract('xlsx', readTestFile('ledger.xlsx')))).toEqual([
    [
      { sheet: 'Ledger 2024' },
      '# Ledger 2024\n\n| Date | Item | Amount | Paid |\n| --- | --- | --- | --- |\n| 2024-03-01 | Hemp rope | 12.5 | true |\n' +
        '| 2024-03-02 | Paint \\| red | 240 | false |\n|  | Sum | 252.5 |  |',
    ],
    [{ sheet: 'Crew' }, '# Crew\n\n| Name | Rank |\n| --- | --- |\n| Ísa Björk | Boatswain |'],
  ]);
});

describe('an office file that cannot be read is refused', () => {
  const report = readTestFile('report-pandoc.docx');

  test.each([
    ['docx', readTestFile('report.doc'), /^has an old office format \(doc, xls or ppt\)\..* save it as docx/],
    ['xlsx', readTestFile('ledger.xls'), /^has an old office format/],
    [
      'docx',
      Buffer.concat([Buffer.of(0xd0, 0xcf, 0x11, 0xe0), Buffer.from('EncryptedPackage', 'utf16le')]),
      /^is encrypted\. Save it without a password/,
    ],
    ['docx', report.subarray(0, report.length / 2), /^is broken, or is no docx, pptx or xlsx file/],
    ['docx', readTestFile('ledger.xlsx'), /^is broken, or is no docx/],
    ['xlsx', report, /^is broken, or is no docx/],
    ['pptx', report, /^is broken, or is no docx/],
    ['xlsx', Buffer.from('a,b\n1,2\n'), /^is broken, or is no docx/],
  ] as const)('%#: %s', async (format, bytes, problem) => {
    expect(await problemOf(extract(format, bytes))).toEqual({
      code: 'BAD_USER_INPUT',
      problem: expect.stringMatching(problem),
    });
  });

  test.each(['docx', 'pptx', 'xlsx'] as const)(
    'before a %s is parsed that holds too much',
    async (format) => {
      expect(await problemOf(extract(format, readTestFile('bomb.docx')))).toEqual({
        code: 'LIMIT_EXCEEDED',
        problem: expect.stringMatching(/^is too much to unpack: more than 8388608 bytes are packed in it/),
      });
    },
  );
});

describe('a CSV file', () => {
  const textOf = async (csv: string) => (await extract('csv', Buffer.from(csv))).text;

  test.each([
    ['commas', 'Name,Rank\n"Björk, Ísa",Boatswain\n'],
    ['semicolons', 'Name;Rank\n"Björk, Ísa";Boatswain\n'],
    ['tabs', 'Name\tRank\r\nBjörk, Ísa\tBoatswain\r\n'],
    ['bars', '\uFEFFName|Rank\nBjörk, Ísa|Boatswain'],
  ])('with %s becomes a table', async (_, csv) => {
    expect(await textOf(csv)).toBe('| Name | Rank |\n| --- | --- |\n| Björk, Ísa | Boatswain |');
  });

  test('may have lines in a cell, rows of different lengths, and empty lines', async () => {
    expect(await textOf('a,b,c\n\n"line\nbreak, with ""quotes""",2\n')).toBe(
      '| a | b | c |\n| --- | --- | --- |\n| line break, with "quotes" | 2 |  |',
    );
  });

  test('that ends within quotes is refused with the line', async () => {
    const { problem } = await problemOf(extract('csv', Buffer.from('a,b\n"open,2\n')));
    expect(problem).toMatch(/^is not valid CSV: Quote Not Closed.*line 2/);
  });
});
