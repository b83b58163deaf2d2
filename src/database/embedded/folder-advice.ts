import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Says what to do about a data folder that cannot be used.
 * @param code of the error of the system.
 * @param uid the user that this process runs as; undefined on Windows.
 */
export async function folderAdvice(
  folder: string,
  code: string | undefined,
  uid = process.getuid?.(),
): Promise<string> {
  const owner = code === 'EACCES' || code === 'EPERM' ? await ownerOf(folder) : undefined;
  if (owner !== undefined && uid !== undefined && owner !== uid) {
    return (
      `It belongs to another user of this system (uid ${owner}), and funes runs as uid ${uid}. Run funes as that user, or set ` +
      'FUNES_DATA_DIR to another folder.'
    );
  }
  return 'Make room for 100 MB and make it writable, or set FUNES_DATA_DIR to another folder.';
}

/** The owner of the folder, or of the nearest one above it that can be looked at. */
async function ownerOf(folder: string): Promise<number | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const found = await stat(at).catch(() => undefined);
    if (found) return found.uid;
    if (dirname(at) === at) return undefined;
  }
}
