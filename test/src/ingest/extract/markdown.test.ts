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
