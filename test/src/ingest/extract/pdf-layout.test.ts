import { expect, test } from 'vitest';
import { layOutPages, type PdfPage } from '../../../../src/ingest/extract/pdf-layout.ts';

/** A page of lines, 12 points apart; an empty string is a blank line. */
const page = (...lines: string[]): PdfPage => ({
  height: 800,
  runs: lines.flatMap((text, index) =>
    text === '' ? [] : [{ text, x: 50, y: 700 - 12 * index, width: text.length * 5, size: 10, angle: 0 }],
  ),
});

const filler = ['The words information and co-operate and re-enter', 'are in lines of their own.'];
const joined = (...lines: string[]) => layOutPages([page(...filler, '', ...lines)])[0]?.split('\n\n')[1];

test('paragraphs have a blank line between them', () => {
  expect(layOutPages([page('one', 'two', '', 'three')])).toEqual(['one\ntwo\n\nthree']);
});

test('a word that was hyphenated at the end of a line is whole again', () => {
  expect(joined('the infor-', 'mation is here')).toBe('the information\nis here');
  expect(joined('a para-', 'dox and more')).toBe('a paradox\nand more');
  expect(joined('a soft\u00AD', 'ware')).toBe('a software');
});

test('a hyphen that belongs to the word stays', () => {
  expect(joined('they co-', 'operate here')).toBe('they co-operate\nhere');
  expect(joined('the words-', 'lines number')).toBe('the words-lines\nnumber');
  expect(joined('the Franco-', 'Prussian war')).toBe('the Franco-Prussian\nwar');
});

test('a word goes on over several lines and pages', () => {
  expect(joined('in-', 'for-', 'mation')).toBe('information');
  expect(layOutPages([page('an infor-'), page('mation here', 'and there')])).toEqual([
    'an information\n',
    'here\nand there',
  ]);
});

test('the digits of a note do not stick to a word', () => {
  const runs = [
    { text: 'word', x: 50, y: 700, width: 20, size: 10, angle: 0 },
    { text: '5', x: 70, y: 704, width: 3, size: 7, angle: 0 },
  ];
  expect(layOutPages([{ height: 800, runs }])).toEqual(['word 5']);
});

test('ligatures are letters, and other characters stay', () => {
  expect(layOutPages([page('e\uFB03cient \uFB02ow x² ½')])).toEqual(['efficient flow x² ½']);
});

/** Adds a running head and a foot. */
const framed = (number: number, head: string, { height, runs }: PdfPage): PdfPage => ({
  height,
  runs: [
    { text: head, x: 50, y: 770, width: 100, size: 10, angle: 0 },
    ...runs,
    { text: String(number), x: 300, y: 30, width: 5, size: 10, angle: 0 },
  ],
});

test('running heads and page numbers are left out', () => {
  const pages = ['first', 'second', 'third', 'fourth'].map((text, index) =>
    framed(index + 1, index < 2 ? 'Chapter 1' : 'Chapter 2', page(`${text} text`)),
  );
  expect(layOutPages(pages).map((text) => text.trim())).toEqual([
    'first text',
    'second text',
    'third text',
    'fourth text',
  ]);
});

test('first lines that differ from page to page stay, and so do titles of slides', () => {
  const texts = ['Apples', 'Pears', 'Plums'];
  expect(
    layOutPages(texts.map((text) => framed(1, text, page('text')))).map((text) => text.split('\n')[0]),
  ).toEqual(texts);
  const slides = texts.map((text) => {
    const slide = framed(1, 'Agenda', page(text, 'and more text'));
    return { ...slide, runs: slide.runs.map((run) => (run.text === 'Agenda' ? { ...run, size: 24 } : run)) };
  });
  for (const text of layOutPages(slides)) expect(text).toContain('Agenda');
});

test('the dots and page numbers of a table of contents are left out', () => {
  expect(layOutPages([page('1 Install . . . . . . . 12', '2 Use ........ iv', 'Wait... 3')])).toEqual([
    '1 Install\n2 Use\nWait... 3',
  ]);
});

test('columns stay in the order in which the file draws them', () => {
  const column = (x: number, name: string) =>
    [1, 2, 3].map((line) => ({
      text: `${name}${line}`,
      x,
      y: 700 - 12 * line,
      width: 20,
      size: 10,
      angle: 0,
    }));
  expect(layOutPages([{ height: 800, runs: [...column(50, 'left'), ...column(300, 'right')] }])).toEqual([
    'left1\nleft2\nleft3\n\nright1\nright2\nright3',
  ]);
});

test('lines that a file draws in no order are sorted from top to bottom', () => {
  const lines = Array.from({ length: 12 }, (_, index) => `line${index}`);
  const { runs } = page(...lines);
  const shuffled = runs.map((_, index) => runs[(index * 7) % 12]).filter((run) => run !== undefined);
  expect(layOutPages([{ height: 800, runs: shuffled }])).toEqual([lines.join('\n')]);
});
