import { sep } from 'node:path';
import type { StoredFile } from '../store/stored-files.ts';

/** A file whose bytes were read. */
export interface HashedFile {
  path: string;
  size: number;
  /** The SHA-256 of its bytes, by which a document is known again. */
  hash: string;
}

/** What to do with a file, or with a document whose file is gone. */
export type FileAction =
  | { kind: 'create'; file: HashedFile }
  | { kind: 'change'; file: HashedFile; document: StoredFile }
  | { kind: 'keep'; file: HashedFile; document: StoredFile }
  /** The file has another path now, with the bytes that it had. */
  | { kind: 'move'; file: HashedFile; document: StoredFile }
  /** Another file has the same bytes: the document is that one's. It has no id before it is stored. */
  | { kind: 'same'; file: HashedFile; path: string | null; id?: string }
  /** The file is gone, or has the bytes of another document now. */
  | { kind: 'delete'; path: string; document: StoredFile }
  | { kind: 'fail'; path: string; reason: string };

/** What is known about files and documents before anything is written. */
export interface FileState {
  files: readonly HashedFile[];
  /** The documents with the path or the bytes of one of the files, and those below the folders that were searched. */
  documents: readonly StoredFile[];
  /** The paths of documents below the folders that were searched, at which there is nothing any more. */
  gone: ReadonlySet<string>;
  /** Whether to delete the documents whose files are gone. */
  deleteGone: boolean;
}

/**
 * Decides what becomes of each file and document. A user has a document of the same bytes only once, so bytes that a document has
 * stay with it: if a file was renamed, or two files changed their names with each other, the documents get other paths, and nothing is
 * embedded.
 */
export function planFiles({ files, documents, gone, deleteGone }: FileState): FileAction[] {
  const byHash = new Map(documents.map((document) => [document.contentHash, document]));
  const byPath = new Map<string, StoredFile[]>();
  for (const document of documents) {
    if (document.filePath === null) continue;
    byPath.set(document.filePath, [...(byPath.get(document.filePath) ?? []), document]);
  }
  const hashes = new Map(files.map(({ path, hash }) => [path, hash]));
  /** Documents that keep or get the path of a file, with that path. */
  const taken = new Map<StoredFile, string>();
  const actions = new Map<string, FileAction>();
  const decide = (file: HashedFile, action: FileAction) => actions.set(file.path, action);

  for (const file of files) {
    const document = byHash.get(file.hash);
    if (document?.filePath !== file.path) continue;
    taken.set(document, file.path);
    decide(file, { kind: 'keep', file, document });
  }
  /** Whether the file of the document has other bytes now, or is gone. */
  const lost = ({ filePath, contentHash }: StoredFile) => {
    if (filePath === null) return false;
    const hash = hashes.get(filePath);
    return hash === undefined ? gone.has(filePath) : hash !== contentHash;
  };
  for (const file of files) {
    const document = byHash.get(file.hash);
    if (actions.has(file.path) || document === undefined) continue;
    if (lost(document) && !taken.has(document)) {
      taken.set(document, file.path);
      decide(file, { kind: 'move', file, document });
    } else {
      decide(file, { kind: 'same', file, path: taken.get(document) ?? document.filePath, id: document.id });
    }
  }
  const firstOfHash = new Map<string, string>();
  for (const file of files) {
    if (actions.has(file.path)) continue;
    const first = firstOfHash.get(file.hash);
    if (first !== undefined) {
      decide(file, { kind: 'same', file, path: first });
      continue;
    }
    const free = (byPath.get(file.path) ?? []).filter((document) => !taken.has(document));
    const [document] = free;
    if (free.length > 1) {
      const ids = free.map(({ id }) => id).join(', ');
      decide(file, {
        kind: 'fail',
        path: file.path,
        reason: `Several documents have this path: ${ids}. Delete those that you do not need.`,
      });
      continue;
    }
    firstOfHash.set(file.hash, file.path);
    if (document === undefined) decide(file, { kind: 'create', file });
    else {
      taken.set(document, file.path);
      decide(file, { kind: 'change', file, document });
    }
  }
  const deletions: FileAction[] = [];
  for (const [path, [document, ...others]] of byPath) {
    if (document === undefined) continue;
    if (hashes.has(path)) {
      // The text that the document has is not in its file any more.
      const action = actions.get(path)?.kind;
      const replaced = action === 'same' || action === 'move';
      if (replaced && others.length === 0 && !taken.has(document))
        deletions.push({ kind: 'delete', path, document });
    } else if (deleteGone && gone.has(path)) {
      for (const one of [document, ...others])
        if (!taken.has(one)) deletions.push({ kind: 'delete', path, document: one });
    }
  }
  return [...files.flatMap(({ path }) => actions.get(path) ?? []), ...deletions];
}

/** Whether a path is in a folder, or in a folder of that folder. */
export function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
