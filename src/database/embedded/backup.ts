import { createHash, type Hash, randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { ReservedSql } from 'postgres';
import { version } from '../../distribution.ts';
import { FunesError, quote } from '../../errors.ts';
import type { Pool } from '../pool.ts';
import { clusterPath } from './cluster.ts';
import { tarEnd, tarHeader, tarPadding } from './tar.ts';

/** The first entry of a backup, which says what it is. */
export const descriptionName = 'funes-backup.json';
/** The last entry, in the form of sha256sum: a line for each file before it. */
export const checksumsName = 'checksums.sha256';
/** The folder in which a backup has the cluster. */
export const clusterName = 'cluster';

/** How many bytes are read at a time. */
export const pieceBytes = 1024 * 1024;

/** What `writeBackup` has done. */
export interface WrittenBackup {
  bytes: number;
  files: number;
  /** How long no other statement could run. */
  pausedMs: number;
}

/**
 * Writes the cluster of the embedded database into one file, while it serves.
 *
 * The engine is one session: while this function has its one connection and sends nothing, the engine does nothing, and its files
 * stay as they are. A checkpoint before brings everything into them. Requests wait meanwhile.
 *
 * @param path the new file. It appears when it is complete.
 * @throws FunesError that says why there is no backup.
 */
export async function writeBackup(
  pool: Pool,
  folder: string,
  path: string,
  onProgress: (done: number, total: number) => void,
): Promise<WrittenBackup> {
  const exists = await stat(path).catch(() => undefined);
  if (exists)
    throw new FunesError('BAD_USER_INPUT', `${quote(path, 300)} is there already. Name a new file.`);
  if (path.startsWith(join(folder, sep)))
    throw new FunesError(
      'BAD_USER_INPUT',
      `Name a file outside of ${folder}, which is what the backup is of.`,
    );
  const part = join(dirname(path), `.funes-${randomBytes(6).toString('hex')}.part`);
  let file: FileHandle | undefined;
  try {
    file = await open(part, 'wx', 0o600);
    const written = await copyWhileNothingRuns(pool, clusterPath(folder), new TarFile(file), onProgress);
    await file.sync();
    await file.close();
    await rename(part, path);
    return written;
  } catch (error) {
    await file?.close().catch(() => {});
    await rm(part, { force: true }).catch(() => {});
    if (error instanceof FunesError || !(error instanceof Error && 'syscall' in error)) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new FunesError('UNAVAILABLE', `The backup ${quote(path, 300)} cannot be written (${code}).`, {
      cause: error,
    });
  }
}

async function copyWhileNothingRuns(
  pool: Pool,
  cluster: string,
  archive: TarFile,
  onProgress: (done: number, total: number) => void,
): Promise<WrittenBackup> {
  const connection = await pool.reserve({ statementTimeoutMs: 0 });
  const began = performance.now();
  try {
    await connection.unsafe('checkpoint');
    const entries = (await entriesOf(cluster)).filter(await isNeeded(connection));
    const postgres = (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim();
    const description = { backup: 1, funes: version, postgres, createdAt: new Date() };
    await archive.addText(descriptionName, `${JSON.stringify(description)}\n`);
    const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    let done = 0;
    for (const { name, isFolder, bytes } of entries) {
      if (isFolder) await archive.addFolder(`${clusterName}/${name}`);
      else await archive.addFile(`${clusterName}/${name}`, join(cluster, name));
      done += bytes;
      onProgress(done, total);
    }
    await connection.unsafe('select 1'); // fails if the engine has ended meanwhile: its next start changes the files
    return { bytes: await archive.end(), files: archive.files, pausedMs: performance.now() - began };
  } finally {
    connection.release();
  }
}

interface ClusterEntry {
  /** The path in the cluster, with slashes. */
  name: string;
  isFolder: boolean;
  bytes: number;
}

async function entriesOf(cluster: string, inside = ''): Promise<ClusterEntry[]> {
  const found: ClusterEntry[] = [];
  for (const entry of await readdir(join(cluster, inside), { withFileTypes: true })) {
    const name = inside === '' ? entry.name : `${inside}/${entry.name}`;
    if (entry.isDirectory())
      found.push({ name, isFolder: true, bytes: 0 }, ...(await entriesOf(cluster, name)));
    else if (entry.isFile() && name !== 'postmaster.pid')
      found.push({ name, isFolder: false, bytes: (await stat(join(cluster, name))).size });
  }
  return found;
}

/** A start reads the write-ahead log from the last checkpoint on. Older segments, and those that are kept for later, are left out. */
async function isNeeded(connection: ReservedSql): Promise<(entry: ClusterEntry) => boolean> {
  const [log] = await connection.unsafe(
    'select pg_walfile_name(redo_lsn) as first, pg_walfile_name(pg_current_wal_insert_lsn()) as last from pg_control_checkpoint()',
  );
  const [first, last] = [String(log?.first), String(log?.last)];
  return ({ name }) => {
    const segment = /^pg_wal\/([0-9A-F]{24})$/.exec(name)?.[1];
    return segment === undefined || (segment >= first && segment <= last);
  };
}

/** An archive that is being written, with the checksum of each of its files. */
class TarFile {
  files = 0;
  private readonly checksums: string[] = [];
  private readonly piece = Buffer.alloc(pieceBytes);
  private readonly modifiedAt = new Date();

  constructor(private readonly file: FileHandle) {}

  async addText(name: string, text: string): Promise<void> {
    const bytes = Buffer.from(text);
    await this.begin(name, bytes.length);
    await this.write(bytes);
    await this.finish(name, bytes.length, createHash('sha256').update(bytes));
  }

  async addFolder(name: string): Promise<void> {
    await this.write(tarHeader({ name: `${name}/`, isFolder: true, bytes: 0 }, this.modifiedAt));
  }

  async addFile(name: string, path: string): Promise<void> {
    const source = await open(path, 'r');
    try {
      const { size } = await source.stat();
      await this.begin(name, size);
      const hash = createHash('sha256');
      for (let at = 0; at < size; ) {
        const { bytesRead } = await source.read(this.piece, 0, Math.min(pieceBytes, size - at), at);
        if (bytesRead === 0)
          throw new FunesError('UNAVAILABLE', `${path} became shorter while it was copied.`);
        const bytes = this.piece.subarray(0, bytesRead);
        hash.update(bytes);
        await this.write(bytes);
        at += bytesRead;
      }
      await this.finish(name, size, hash);
    } finally {
      await source.close();
    }
  }

  /** Writes the checksums and the end. Returns the bytes of the archive. */
  async end(): Promise<number> {
    await this.addText(checksumsName, this.checksums.join(''));
    await this.write(tarEnd);
    return (await this.file.stat()).size;
  }

  private begin(name: string, bytes: number): Promise<void> {
    return this.write(tarHeader({ name, isFolder: false, bytes }, this.modifiedAt));
  }

  private async finish(name: string, bytes: number, hash: Hash): Promise<void> {
    await this.write(tarPadding(bytes));
    this.checksums.push(`${hash.digest('hex')}  ${name}\n`);
    this.files++;
  }

  private async write(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; )
      at += (await this.file.write(bytes, at, bytes.length - at)).bytesWritten;
  }
}
