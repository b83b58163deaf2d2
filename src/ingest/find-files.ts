import { lstat, readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { documentFormats } from './formats.ts';

/** A file that was named, or found in a folder. */
export interface FoundFile {
  path: string;
  /** In bytes. */
  size: number;
}

/** A file or folder that could not be ingested, and why. */
export interface FailedFile {
  path: string;
  reason: string;
}

/** What is at some paths. */
export interface FoundFiles {
  /** Each file once, in the order of the paths, those of a folder by their names. */
  files: FoundFile[];
  /** The folders among the paths. */
  folders: string[];
  failed: FailedFile[];
}

const endings = new Set(
  documentFormats.flatMap(({ name, aliases }) => [name, ...aliases.filter((alias) => !alias.includes('/'))]),
);

/**
 * Finds the files to ingest at absolute paths of files and folders. In a folder, those are all files with the ending of a format, in
 * its folders too; but nothing hidden, no `node_modules`, and nothing behind a symbolic link.
 */
export async function findFiles(paths: readonly string[]): Promise<FoundFiles> {
  const files = new Map<string, FoundFile>();
  const failed = new Map<string, FailedFile>();
  const folders: string[] = [];
  const fail = (path: string, error: unknown) => {
    const reason = reasonOf(error);
    if (reason === undefined) throw error;
    failed.set(path, { path, reason });
  };

  async function search(folder: string): Promise<void> {
    const entries = await readdir(folder, { withFileTypes: true });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory()) {
        if (entry.name !== 'node_modules') await search(path).catch((error: unknown) => fail(path, error));
      } else if (entry.isFile() && endings.has(extname(entry.name).slice(1).toLowerCase())) {
        await add(path);
      }
    }
  }

  async function add(path: string): Promise<void> {
    try {
      files.set(path, { path, size: (await lstat(path)).size });
    } catch (error) {
      fail(path, error);
    }
  }

  for (const path of paths) {
    try {
      const found = await stat(path);
      if (found.isDirectory()) {
        folders.push(path);
        await search(path);
      } else if (found.isFile()) files.set(path, { path, size: found.size });
      else failed.set(path, { path, reason: 'It is neither a file nor a folder.' });
    } catch (error) {
      fail(path, error);
    }
  }
  return { files: [...files.values()], folders, failed: [...failed.values()] };
}

/** Whether nothing is at the path. False if that cannot be found out. */
export async function isGone(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return false;
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '');
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'There is no such file or folder.',
  ENOTDIR: 'There is no such file or folder.',
  EACCES: 'It cannot be read, because the user of this process may not (EACCES).',
  EPERM: 'It cannot be read, because the user of this process may not (EPERM).',
  ELOOP: 'It is a symbolic link that leads to itself (ELOOP).',
};

/** Says for people why a file could not be read. Undefined for an error that is not of the file system. */
export function reasonOf(error: unknown): string | undefined {
  const code = codeOf(error);
  if (code === undefined) return undefined;
  return reasons[code] ?? `It cannot be read (${code}).`;
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : undefined;

/** The name of a document that is made of a file. */
export const filenameOf = (path: string): string => basename(path);
