import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('every test that docs/security.md names is there', () => {
  const page = readFileSync('docs/security.md', 'utf8');
  const named = [...new Set([...page.matchAll(/`(test\/[^`]+)`/g)].map(([, path]) => path as string))];
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((path) => !existsSync(path))).toEqual([]);
});
