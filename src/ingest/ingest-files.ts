import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { sep } from 'node:path';
import { Semaphore } from 'async-mutex';
import { databaseError } from '../database/errors.ts';
import { FunesError, quote } from '../errors.ts';
import { checkText } from '../input/checks.ts';
import { limits } from '../input/limits.ts';
import type { Services } from '../services.ts';
import { embedWaitingChunks } from '../store/chunk-embeddings.ts';
import { updateDocument } from '../store/documents.ts';
import { deleteStoredFile, readStoredFiles, type StoredFile } from '../store/stored-files.ts';
import type { Viewer } from '../viewer.ts';
import { checkChunkSizes } from './chunker.ts';
import { type FileAction, type HashedFile, isBelow, planFiles } from './file-plan.ts';
import { type FailedFile, type FoundFile, filenameOf, findFiles, isGone, reasonOf } from './find-files.ts';
import { formatOf } from './formats.ts';
import { hashOfBytes, type Ingested, storeDocument } from './ingest.ts';

/** What to ingest. */
export interface FilesToIngest {
  /** The user who gets the documents. */
  userId: string;
  /** Absolute paths of files and folders. */
  paths: readonly string[];
  /** Whether to delete the documents whose files are gone from the folders. */
  deleteGone: boolean;
  /** Whether to write nothing, and say what would be done. */
  dryRun: boolean;
}

/** What became of the files. Paths are absolute. */
export interface FilesReport {
  dryRun: boolean;
  files: number;
  created: string[];
  changed: string[];
  unchanged: number;
  /** Documents whose files have another path. */
  moved: { id: string; from: string | null; to: string }[];
  /** Files of the same bytes as another one, or as a document: the user has the document only once. */
  same: { path: string; as: string | null; id: string | null }[];
  deleted: { id: string; path: string }[];
  failed: FailedFile[];
  /** Documents of which a chunk is still without an embedding. */
  pending: number;
}

/** What the work needs. The last one loads the model, so it is called only if there is something to embed. */
export interface FilesServices {
  database: Services['database'];
  start(): Promise<Services>;
}

/** Files at a time, so that some are read, cut and stored while others are embedded. */
const filesAtOnce = 6;
const hashesAtOnce = 4;
/** Megabytes of all files that are being read and cut. A larger file is alone. Not bytes: the semaphore counts through its units. */
const megabytesAtOnce = 32;

/**
 * Brings the documents of a user up to date with files. A file is known again by its path and its bytes: if both are as they were, it
 * costs a hash. A file that cannot be ingested stops no other file, and its document stays as it was.
 * @param onProgress called with the number of files that are done, and of all.
 * @throws FunesError BAD_USER_INPUT if documents shall be deleted and a path is no folder; UNAVAILABLE if the database or the model
 *   cannot be reached. What was done by then stands.
 */
export async function ingestFiles(
  services: FilesServices,
  viewer: Viewer,
  wanted: FilesToIngest,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<FilesReport> {
  const { actions, report } = await plan(services, viewer, wanted);
  if (wanted.dryRun) {
    for (const action of actions) note(report, action);
    return report;
  }
  const started = actions.some(needsModel) ? await services.start() : undefined;
  const work = new FileWork(services.database, started, viewer, wanted.userId, report);
  let done = 0;
  const run = async (action: FileAction) => {
    await work.run(action);
    onProgress(++done, actions.length);
  };
  // Renamed files first: then each document has the path by which its file is looked for. Deletions last: what replaces a document
  // is stored by then.
  const [moves, others] = divide(actions, ({ kind }) => kind === 'move');
  const [deletions, rest] = divide(others, ({ kind }) => kind === 'delete');
  await forEach(moves, 1, run);
  await forEach(rest, filesAtOnce, run);
  await forEach(deletions, 1, run);
  report.failed.sort((a, b) => (a.path < b.path ? -1 : 1));
  return report;
}

async function plan(
  { database }: FilesServices,
  viewer: Viewer,
  { userId, paths, deleteGone, dryRun }: FilesToIngest,
): Promise<{ actions: FileAction[]; report: FilesReport }> {
  const found = await findFiles(paths);
  const { folders } = found;
  const single = deleteGone ? found.files.find(({ path }) => paths.includes(path)) : undefined;
  if (single !== undefined) {
    throw new FunesError(
      'BAD_USER_INPUT',
      `--delete is for folders, and ${quote(single.path, longestPath)} is a file. Name its folder, or leave --delete out.`,
    );
  }
  const failed = [...found.failed];
  const files: HashedFile[] = [];
  await forEach(found.files, hashesAtOnce, async (file) => {
    try {
      files.push(await hashFile(file));
    } catch (error) {
      failed.push({ path: file.path, reason: failureOf(error) });
    }
  });
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const documents = await readStoredFiles(database, viewer, userId, {
    paths: files.map(({ path }) => path),
    hashes: [...new Set(files.map(({ hash }) => hash))],
    prefixes: folders.map((folder) => (folder.endsWith(sep) ? folder : folder + sep)),
  });
  const gone = new Set<string>();
  const present = new Set(found.files.map(({ path }) => path));
  await forEach(documents, hashesAtOnce, async ({ filePath }) => {
    if (filePath === null || present.has(filePath) || !folders.some((folder) => isBelow(filePath, folder)))
      return;
    if (await isGone(filePath)) gone.add(filePath);
  });
  const actions = planFiles({ files, documents, gone, deleteGone });
  for (const folder of folders) {
    const isInside = ({ path }: { path: string }) => isBelow(path, folder);
    const deletes = actions.some((action) => action.kind === 'delete' && isInside(action));
    if (!found.files.some(isInside) && !failed.some(isInside) && !deletes)
      failed.push({ path: folder, reason: 'The folder has no file that can be ingested.' });
  }
  const report: FilesReport = {
    dryRun,
    files: found.files.length,
    created: [],
    changed: [],
    unchanged: 0,
    moved: [],
    same: [],
    deleted: [],
    failed,
    pending: 0,
  };
  return { actions, report };
}

/** Characters of a path in a message. */
const longestPath = 500;

async function hashFile({ path, size }: FoundFile): Promise<HashedFile> {
  formatOf(checkText(filenameOf(path), 'The name of the file', 255));
  checkText(path, 'The path of the file', 4096);
  if (size > limits.fileLength) {
    throw new FunesError(
      'LIMIT_EXCEEDED',
      `The file has ${size} bytes; at most ${limits.fileLength} are allowed. Divide it.`,
    );
  }
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part);
  return { path, size, hash: hash.digest('hex') };
}

function needsModel(action: FileAction): boolean {
  switch (action.kind) {
    case 'create':
    case 'change':
      return true;
    case 'keep':
      return action.document.isWaiting;
    case 'move':
      return action.document.isWaiting || hasNewFormat(action);
    default:
      return false;
  }
}

/** Whether the new name of a file says another format, by which the same bytes have another text. */
function hasNewFormat({ file, document }: Extract<FileAction, { kind: 'move' }>): boolean {
  return formatOf(filenameOf(file.path)).name !== document.fileType;
}

/** Carries out what was planned, and notes what came of it. */
class FileWork {
  private readonly megabytes = new Semaphore(megabytesAtOnce);

  constructor(
    private readonly database: Services['database'],
    private readonly started: Services | undefined,
    private readonly viewer: Viewer,
    private readonly userId: string,
    private readonly report: FilesReport,
  ) {}

  async run(action: FileAction): Promise<void> {
    try {
      switch (action.kind) {
        case 'create':
        case 'change':
          return await this.store(action.file);
        case 'move':
          return await this.move(action);
        case 'delete':
          if (await deleteStoredFile(this.database, this.viewer, action.document)) note(this.report, action);
          return;
        case 'keep':
          if (action.document.isWaiting) await this.embed(action.document);
      }
      note(this.report, action);
    } catch (error) {
      const path = 'file' in action ? action.file.path : action.path;
      this.report.failed.push({ path, reason: failureOf(error) });
    }
  }

  private async store(file: HashedFile): Promise<void> {
    const { document, outcome } = await this.write(file);
    const { path } = file;
    if (outcome === 'CREATED') this.report.created.push(path);
    else if (outcome === 'REPLACED') this.report.changed.push(path);
    else if (document.filePath === path) this.report.unchanged += 1;
    else this.report.same.push({ path, as: document.filePath, id: document.id });
    await this.embed(document);
  }

  private async move(action: Extract<FileAction, { kind: 'move' }>): Promise<void> {
    const { file, document } = action;
    const values = { filePath: file.path, filename: filenameOf(file.path) };
    await updateDocument({ database: this.database, quota: undefined }, this.viewer, document.id, { values });
    const current = hasNewFormat(action) ? (await this.write(file)).document : document;
    note(this.report, action);
    if (needsModel(action)) await this.embed(current);
  }

  /** Reads, cuts and stores a file. The bytes count that are read now: the file may have changed since it was hashed. */
  private async write({ path, size }: HashedFile): Promise<Ingested> {
    const [, release] = await this.megabytes.acquire(
      Math.min(Math.max(1, Math.ceil(size / 1_000_000)), megabytesAtOnce),
    );
    try {
      const bytes = await readFile(path);
      const filename = filenameOf(path);
      const parsed = {
        userId: this.userId,
        file: { filename, format: formatOf(filename), bytes },
        sizes: checkChunkSizes({}),
        contentHash: hashOfBytes(bytes),
        sent: { filename, filePath: path },
      };
      return await storeDocument(this.services(), this.viewer, parsed, {
        wait: false,
        replace: 'BY_FILE_PATH',
      });
    } finally {
      release();
    }
  }

  private async embed(document: Pick<StoredFile, 'id' | 'userId' | 'totalChunks'>): Promise<void> {
    if ((await embedWaitingChunks(this.services(), this.viewer, document)) > 0) this.report.pending += 1;
  }

  private services(): Services {
    if (this.started === undefined) throw new Error('The model was not started, because nothing needed it.');
    return this.started;
  }
}

/** Notes an action that is done or, in a dry run, would be done. */
function note(report: FilesReport, action: FileAction): void {
  switch (action.kind) {
    case 'create':
      report.created.push(action.file.path);
      break;
    case 'change':
      report.changed.push(action.file.path);
      break;
    case 'keep':
      report.unchanged += 1;
      break;
    case 'move':
      report.moved.push({ id: action.document.id, from: action.document.filePath, to: action.file.path });
      break;
    case 'same':
      report.same.push({ path: action.file.path, as: action.path, id: action.id ?? null });
      break;
    case 'delete':
      report.deleted.push({ id: action.document.id, path: action.path });
      break;
    case 'fail':
      report.failed.push({ path: action.path, reason: action.reason });
  }
}

/** Says why one file failed. @throws the error if every other file would fail by it, too. */
function failureOf(error: unknown): string {
  const known = databaseError(error);
  if (known?.code === 'UNAVAILABLE') throw error;
  if (known) return known.message;
  const reason = reasonOf(error);
  if (reason !== undefined) return reason;
  // A mistake in what reads one format must not stop the other files. The first cause: messages around it consist of SQL.
  let root = error;
  while (root instanceof Error && root.cause !== undefined) root = root.cause;
  const what = root instanceof Error ? `${root.name}: ${root.message}` : String(root);
  return `It failed for a reason that funes does not expect (${what.replace(/\s+/g, ' ').slice(0, longestReason)}).`;
}

/** Characters of an unexpected error that are reported. */
const longestReason = 300;

/** Runs `work` for the items, some at a time. After a failure, begins no other item. @throws the failure, when nothing runs. */
async function forEach<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>) {
  const rest = items.values();
  const failures: unknown[] = [];
  const run = async () => {
    for (const item of rest) {
      if (failures.length > 0) return;
      await work(item).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, run));
  if (failures.length > 0) throw failures[0];
}

function divide<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}
