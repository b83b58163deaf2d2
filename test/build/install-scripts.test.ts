import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (file: string) => JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'));

// npm runs the install script of a package only if the lock file says that it has one. `ignore-scripts` cannot take its place,
// because `npm pack` must run `prepack`.
test('no package can run a script while npm ci installs it', () => {
  const { packages } = read('package-lock.json') as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  const scripted = Object.keys(packages).filter((path) => packages[path]?.hasInstallScript);
  expect(
    scripted,
    'Deny these in allowScripts of package.json, and run: sed -i \'/"hasInstallScript": true/d\' package-lock.json',
  ).toEqual([]);
});

// Newer versions of npm, 11.19 for one, read this whenever they install, also without the lock file.
test('newer versions of npm are told to run no install script', () => {
  const { packages } = read('package-lock.json') as { packages: Record<string, unknown> };
  const { allowScripts } = read('package.json') as { allowScripts: Record<string, boolean> };
  const scripted = Object.keys(packages).filter((path) => {
    if (path === '') return false;
    try {
      const { scripts = {} } = read(`${path}/package.json`);
      return 'preinstall' in scripts || 'install' in scripts || 'postinstall' in scripts;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false; // of another platform
      throw error;
    }
  });
  const names = new Set(
    scripted.map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)),
  );
  expect(allowScripts).toMatchObject(Object.fromEntries([...names].map((name) => [name, false])));
});
