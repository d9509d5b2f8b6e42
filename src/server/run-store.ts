// The run list, kept in an embedded database so that it outlives the server.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { RunProgress, RunState } from '../contract/studio.ts';
import { FileAccessError, type HrpnError, UsageError } from '../core/errors.ts';

/** A run as stored; paths are absolute here. */
export interface StoredRun {
  readonly id: number;
  readonly command: string;
  readonly title: string;
  /** As checked by the contract, JSON. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly state: RunState;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly pid: number | null;
  readonly progress: RunProgress | null;
  readonly error: string | null;
  readonly result: unknown;
  /** Last lines of what the command said. */
  readonly log: string;
}

const schema = `
  CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    command TEXT NOT NULL,
    title TEXT NOT NULL,
    options TEXT NOT NULL,
    state TEXT NOT NULL,
    createdAt INTEGER NOT NULL,
    startedAt INTEGER,
    endedAt INTEGER,
    pid INTEGER,
    progress TEXT,
    error TEXT,
    result TEXT,
    log TEXT NOT NULL DEFAULT ''
  ) STRICT`;

const jsonColumns = ['options', 'progress', 'result'];

export class RunStore {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /**
   * @param folder the studio's own folder; made where absent
   * @throws UsageError when another studio has it open, or Node is too old; FileAccessError when the list cannot be made,
   * or what is there is none
   */
  static async open(folder: string): Promise<RunStore> {
    const sqlite = await import('node:sqlite').catch((cause) => {
      throw new UsageError(
        `the studio needs Node 22.13 or later for its run list; this is ${process.version}. Install it from https://nodejs.org.`,
        { cause },
      );
    });
    const file = join(folder, 'runs.sqlite');
    let database: DatabaseSync | undefined;
    try {
      mkdirSync(folder, { recursive: true });
      database = new sqlite.DatabaseSync(file);
      // Held until the process ends, however it ends: two studios on one folder would both start its runs.
      database.exec(
        'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; PRAGMA synchronous = NORMAL;',
      );
      database.exec(`BEGIN EXCLUSIVE; ${schema}; COMMIT;`);
    } catch (cause) {
      database?.close();
      throw openFailure(file, cause);
    }
    return new RunStore(database);
  }

  add(run: Pick<StoredRun, 'command' | 'title' | 'options'>): StoredRun {
    const { lastInsertRowid } = this.#database
      .prepare("INSERT INTO runs (command, title, options, state, createdAt) VALUES (?, ?, ?, 'queued', ?)")
      .run(run.command, run.title, JSON.stringify(run.options), Date.now());
    return this.get(Number(lastInsertRowid)) as StoredRun;
  }

  get(id: number): StoredRun | undefined {
    const row = this.#database.prepare('SELECT * FROM runs WHERE id = ?').get(id);
    return row === undefined ? undefined : fromRow(row);
  }

  /** Newest first. */
  all(): StoredRun[] {
    return this.#database.prepare('SELECT * FROM runs ORDER BY id DESC').all().map(fromRow);
  }

  /** Oldest first. */
  inState(state: RunState): StoredRun[] {
    return this.#database.prepare('SELECT * FROM runs WHERE state = ? ORDER BY id').all(state).map(fromRow);
  }

  update(id: number, change: Partial<Omit<StoredRun, 'id' | 'command'>>): StoredRun {
    const keys = Object.keys(change);
    const values = Object.entries(change).map(([key, value]) =>
      jsonColumns.includes(key) && value !== null ? JSON.stringify(value) : (value as string | number | null),
    );
    this.#database
      .prepare(`UPDATE runs SET ${keys.map((key) => `${key} = ?`).join(', ')} WHERE id = ?`)
      .run(...values, id);
    return this.get(id) as StoredRun;
  }

  remove(id: number): void {
    this.#database.prepare('DELETE FROM runs WHERE id = ?').run(id);
  }

  close(): void {
    this.#database.close();
  }
}

/** SQLite's result codes; a longer code holds one of them in its lowest byte. */
const sqliteCodes = { busy: 5, locked: 6, corrupt: 11, notADatabase: 26 };

function openFailure(file: string, cause: unknown): HrpnError {
  const { errcode, message } = cause as Error & { readonly errcode?: number };
  const code = errcode === undefined ? undefined : errcode & 0xff;
  if (code === sqliteCodes.busy || code === sqliteCodes.locked) {
    return new UsageError(
      `another studio has this folder open (${file} is locked). Use that one, or stop it first.`,
      { cause },
    );
  }
  const todo =
    code === sqliteCodes.corrupt || code === sqliteCodes.notADatabase
      ? 'Move it elsewhere; the studio then begins a new one.'
      : 'Open a folder that you may write to, on a disk with free space.';
  return new FileAccessError(file, `the run list ${file} cannot be opened (${message}). ${todo}`, { cause });
}

function fromRow(row: Record<string, SQLOutputValue>): StoredRun {
  const parsed = Object.fromEntries(
    jsonColumns.map((key) => [key, row[key] === null ? null : JSON.parse(String(row[key]))]),
  );
  return { ...row, ...parsed } as unknown as StoredRun;
}
