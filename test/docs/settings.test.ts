import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadConfig, settingNames } from '../../src/config.ts';

const file = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const settings = file('docs/settings.md');
const example = file('.env.example');

test('docs/settings.md lists every setting, as does .env.example', () => {
  const listed = [...settings.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name);
  expect(listed.sort()).toEqual([...settingNames].sort());
  for (const name of settingNames) expect(example).toMatch(new RegExp(`^# ${name}=`, 'm'));
});

test('docs/settings.md shows each default as .env.example has it', () => {
  const defaults = [...settings.matchAll(/^\| `([A-Z_]+)` \| (?:`([^`]*)`)? ?\|/gm)];
  expect(defaults).toHaveLength(settingNames.length);
  for (const [, name = '', value = ''] of defaults) {
    if (name !== 'DATABASE_URL') expect(example).toMatch(new RegExp(`^# ${name}=${value}$`, 'm'));
  }
});

test.each([
  ['DATABASE_URL', { databaseUrl: 'postgres://user:password@127.0.0.1:5432/funes' }],
  ['FUNES_ALLOWED_HOSTS', { allowedHosts: ['memory.example.com', 'funes'] }],
  ['FUNES_CORS_ORIGINS', { corsOrigins: ['https://app.example.com', 'http://localhost:5173'] }],
])('the value of %s that docs/settings.md shows is understood', (name, expected) => {
  const row = settings.split('\n').find((line) => line.startsWith(`| \`${name}\``));
  const value = /such as `([^`]+)`/.exec(row ?? '')?.[1] ?? '';
  expect(loadConfig({ env: { [name]: value }, envFile: '/nowhere/.env' })).toMatchObject(expected);
});
