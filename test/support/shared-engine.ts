import { copyFileSync, type Dirent, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type EmbeddedDatabase,
  startEmbeddedDatabase,
} from '../../src/database/embedded/embedded-database.ts';

/** An engine with a copy of a cluster, until `release`. */
export interface LeasedEngine {
  database: EmbeddedDatabase;
  /** Copies the cluster, closed for this, to a folder that is not there yet. Every connection is closed. */
  saveTo(folder: string): Promise<void>;
  release(): Promise<void>;
}

/** The engine of this worker, which goes from one test file to the next. */
let idle: SharedEngine | undefined;

/**
 * An engine whose cluster is a copy of `template`, the folder of a closed one. Starting an engine takes seconds, so one
 * that was released gets the new cluster, as long as nothing ended its process. It ends with this process.
 */
export async function leaseEngine(template: string, scratch: string): Promise<LeasedEngine> {
  const engine = idle;
  idle = undefined;
  const leased =
    engine !== undefined && (await engine.exchange(template))
      ? engine
      : await SharedEngine.start(template, scratch);
  return {
    database: leased.database,
    saveTo: (folder) => leased.saveTo(folder),
    release: async () => {
      if (idle === undefined) idle = leased;
      else await leased.close();
    },
  };
}

class SharedEngine {
  private constructor(
    private readonly dataDir: string,
    private readonly files: CopiedFiles,
    readonly database: EmbeddedDatabase,
    private readonly pid: number | undefined,
  ) {}

  static async start(template: string, scratch: string): Promise<SharedEngine> {
    const dataDir = await mkdtemp(join(scratch, 'engine-'));
    const files = new CopiedFiles(join(dataDir, 'database/cluster'));
    files.become(template);
    const database = await startEmbeddedDatabase({ dataDir });
    return new SharedEngine(dataDir, files, database, database.pid);
  }

  /** False when the engine was ended meanwhile, as a statement timeout does; it is closed then. */
  async exchange(template: string): Promise<boolean> {
    if (this.pid !== undefined && this.database.pid === this.pid) {
      try {
        await this.database.exchange(async () => this.files.become(template));
        return true;
      } catch {}
    }
    await this.close();
    return false;
  }

  async saveTo(folder: string): Promise<void> {
    await this.database.exchange(() => cp(this.files.folder, folder, { recursive: true }));
  }

  async close(): Promise<void> {
    await this.database.close();
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

/** A folder that becomes a copy of another, again and again; what nobody has written to is not copied again. */
class CopiedFiles {
  /** By relative path: what each copy was made of, and its state right after that. */
  private copies = new Map<string, { source: string; state: string }>();

  constructor(readonly folder: string) {}

  become(template: string): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const wanted = new Map(entriesOf(template).map((entry) => [relativeOf(entry, template), entry]));
    for (const entry of entriesOf(this.folder)) {
      const path = relativeOf(entry, this.folder);
      if (wanted.get(path)?.isDirectory() !== entry.isDirectory()) {
        rmSync(join(this.folder, path), { recursive: true, force: true });
        this.copies.delete(path);
      }
    }
    for (const [path, entry] of wanted) {
      const [from, to] = [join(template, path), join(this.folder, path)];
      if (entry.isDirectory()) mkdirSync(to, { recursive: true, mode: 0o700 });
      else this.copy(path, from, to);
    }
  }

  private copy(path: string, from: string, to: string): void {
    const source = `${from} ${stateOf(from)}`;
    const copy = this.copies.get(path);
    if (copy !== undefined && copy.source === source && copy.state === stateOf(to)) return;
    copyFileSync(from, to);
    this.copies.set(path, { source, state: stateOf(to) ?? '' });
  }
}

const entriesOf = (folder: string): Dirent[] => readdirSync(folder, { recursive: true, withFileTypes: true });

const relativeOf = (entry: Dirent, folder: string): string =>
  join(entry.parentPath, entry.name).slice(folder.length + 1);

function stateOf(path: string): string | undefined {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.size} ${stat.mtimeNs}`;
}
