import { expect, test } from 'vitest';
import { extract, partsOf } from './files.ts';

test('a Markdown file stays as it is, and has a part for each section', async () => {
  const text =
    'before\r\n# The `A` *of* [links](x)\r\n\r\na\r\n\r\nB\r\n---\r\n\r\n```\r\n# code\r\n```\r\n# C #\r\n';
  const extraction = await extract('md', Buffer.from(text));
  expect(extraction.text).toBe(text);
  expect(partsOf(extraction)).toEqual([
    [{ headings: ['The A of links'] }, '# The `A` *of* [links](x)\r\n\r\na'],
    [{ headings: ['The A of links', 'B'] }, 'B\r\n---\r\n\r\n```\r\n# code\r\n```'],
    [{ headings: ['C'] }, '# C #'],
  ]);
});

test.each(['\n', '\r\n', '\r'])(
  'front matter is no heading, and stays in the text: %j',
  async (lineBreak) => {
    const text = '---\ntitle: A page\ntags: [x]\n---\n\nbefore\n\n### A\n\na\n\nB\n---\n'.replaceAll(
      '\n',
      lineBreak,
    );
    const extraction = await extract('md', Buffer.from(text));
    expect(extraction.text).toBe(text);
    expect(partsOf(extraction).map(([metadata]) => metadata)).toEqual([
      { headings: ['A'] },
      { headings: ['B'] },
    ]);
  },
);

test('a rule at the beginning is no front matter', async () => {
  const extraction = await extract('md', Buffer.from('---\nA heading\n---\n\n### B\n\nb\n'));
  expect(partsOf(extraction).map(([metadata]) => metadata)).toEqual([
    { headings: ['A heading'] },
    { headings: ['A heading', 'B'] },
  ]);
});
