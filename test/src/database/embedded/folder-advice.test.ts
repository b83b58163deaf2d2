import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { folderAdvice } from '../../../../src/database/embedded/folder-advice.ts';

test.runIf(process.getuid)('a folder of another user of the system is called so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'funes-advice-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const own = process.getuid?.() ?? 0;
  for (const path of [folder, join(folder, 'not', 'there')]) {
    for (const code of ['EACCES', 'EPERM'])
      expect(await folderAdvice(path, code, own + 1)).toBe(
        `It belongs to another user of this system (uid ${own}), and funes runs as uid ${own + 1}. Run funes as that user, or ` +
          'set FUNES_DATA_DIR to another folder.',
      );
    expect(await folderAdvice(path, 'EACCES', own)).toMatch(/^Make room for 100 MB and make it writable/);
    expect(await folderAdvice(path, 'ENOSPC', own + 1)).toMatch(/^Make room for 100 MB/);
  }
});
