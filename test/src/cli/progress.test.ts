import { PassThrough } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { progressDisplay } from '../../../src/cli/progress.ts';

function stream(isTTY: boolean) {
  const written: string[] = [];
  const output = Object.assign(new PassThrough(), { isTTY, columns: 80, written });
  output.on('data', (part) => written.push(String(part)));
  return output;
}

test('prints plain lines where there is no terminal', () => {
  const output = stream(false);
  const display = progressDisplay(output, 0);
  display.show({ task: 'import', done: 1200, total: 5000, unit: 'rows' });
  display.show({ task: 'import', done: 1300, unit: 'rows' });
  display.note('line 7: wrong');
  display.hide();
  expect(output.written.join('')).toBe(
    'import: 1200 of 5000 rows (24 %)\nimport: 1300 rows\nline 7: wrong\n',
  );
});

test('prints no line of progress for what takes shorter than the time between two lines', () => {
  const output = stream(false);
  const display = progressDisplay(output);
  for (let done = 0; done < 1000; done++) display.show({ task: 'import', done, total: 1000, unit: 'rows' });
  expect(output.written).toEqual([]);
});

test('draws a bar on a terminal, which makes room for a line and for what is printed', async () => {
  const output = stream(true);
  const display = progressDisplay(output);
  await vi.waitFor(() => {
    display.show({ task: 'import', done: 30, total: 40, unit: 'rows' });
    expect(output.written.join('')).toContain('█░');
  });
  const text = output.written.join('');
  expect(text).toContain('import: 30 of 40 rows (75 %)');
  display.note('line 7: wrong');
  expect(output.written.join('')).toContain('line 7: wrong\n');
  display.hide();
  const before = output.written.length;
  display.hide();
  expect(output.written).toHaveLength(before);
});
