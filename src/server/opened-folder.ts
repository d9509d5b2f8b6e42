// The one folder that a studio shows. Every path that comes from a browser goes through here.
import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { FileAccessError, UsageError } from '../core/errors.ts';
import { visitLinks } from './visit-links.ts';

/** The studio's own files within the opened folder. */
export const studioFolderName = '.hrpn-studio';

/** That a folder held no link to outside, or that this is being looked up. */
interface Verdict {
  /** Which folder it was, and when it was last changed. */
  readonly stamp: string;
  readonly fromMs: number;
  readonly search: Promise<void>;
}

/** A verdict is believed this long, in milliseconds. */
const verdictMs = 60_000;
const mostVerdicts = 100;

export class OpenedFolder {
  /** Absolute, with every symbolic link resolved. */
  readonly root: string;
  readonly #verdicts = new Map<string, Verdict>();

  private constructor(root: string) {
    this.root = root;
  }

  /** @throws FileAccessError when it is no folder */
  static async open(path: string): Promise<OpenedFolder> {
    try {
      const root = await realpath(resolve(path));
      await readdir(root);
      return new OpenedFolder(root);
    } catch (cause) {
      throw new FileAccessError(path, `${path} cannot be opened as a folder. Give an existing folder.`, {
        cause,
      });
    }
  }

  /**
   * The absolute, link-free path of something that exists.
   * @param path as the browser gives it, relative to the folder; '' is the folder itself
   * @throws UsageError when it lies outside, FileAccessError when it is not there
   */
  async existing(path: string): Promise<string> {
    const wanted = this.#within(path);
    let real: string;
    try {
      real = await realpath(wanted);
    } catch (cause) {
      throw new FileAccessError(path, `${path} is not in the opened folder. Was it moved or deleted?`, {
        cause,
      });
    }
    this.#check(real, path);
    return real;
  }

  /**
   * As `existing`, and refuses a folder (a slide or dataset) from which links lead outside. Looks at all that is in it,
   * every time.
   */
  async existingTree(path: string): Promise<string> {
    const real = await this.existing(path);
    const stamp = await stampOf(real);
    if (stamp !== undefined) await this.#search(real, stamp);
    return real;
  }

  /**
   * As `existingTree`, for the many pieces that are asked of one slide: believes what was found within the last minute,
   * unless the folder itself is another one now or something was added to it. A link that is put deeper into it meanwhile
   * is found a minute later at the latest.
   */
  async knownTree(path: string): Promise<string> {
    const real = await this.existing(path);
    const stamp = await stampOf(real);
    if (stamp === undefined) return real;
    const held = this.#verdicts.get(real);
    const isKnown = held?.stamp === stamp && Date.now() - held.fromMs < verdictMs;
    await (isKnown ? held.search : this.#search(real, stamp));
    return real;
  }

  /**
   * Refuses what a file in the folder names and lies outside.
   * @param path absolute, or an address
   * @throws UsageError when it lies outside, also through a link; FileAccessError when it is not there
   */
  async requireInside(path: string): Promise<void> {
    if (!isAbsolute(path)) throw outside(path);
    const real = await realpath(path).catch((cause) => {
      throw new FileAccessError(path, `${path} is there no more. Was it moved or deleted?`, { cause });
    });
    this.#check(real, path);
    const stamp = await stampOf(real);
    if (stamp !== undefined) await this.#search(real, stamp);
  }

  /**
   * The absolute path of something to be written, which need not exist.
   * @throws UsageError when it lies outside, or would through a link
   */
  async writable(path: string): Promise<string> {
    const wanted = this.#within(path);
    if (wanted === this.root) throw new UsageError('a name is needed, not the opened folder itself.');
    // The nearest parent that exists decides: below it there can be no link yet.
    for (let parent = wanted; ; parent = dirname(parent)) {
      const real = await realpath(parent).catch(() => undefined);
      if (real === undefined) continue;
      this.#check(real, path);
      return wanted;
    }
  }

  /** Relative to the folder, with '/', for the browser. */
  relative(absolute: string): string {
    return relative(this.root, absolute).split(sep).join('/');
  }

  /** Replaces absolute paths below the folder in anything that will be JSON. */
  relativeIn(value: unknown): unknown {
    if (typeof value === 'string') {
      if (value === this.root) return '.';
      return value.startsWith(this.root + sep) ? this.relative(value) : value;
    }
    if (Array.isArray(value)) return value.map((item) => this.relativeIn(item));
    if (value !== null && typeof value === 'object') {
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [String(this.relativeIn(key)), this.relativeIn(item)]),
      );
    }
    return value;
  }

  #search(real: string, stamp: string): Promise<void> {
    const search = visitLinks(real, (target, link) => this.#check(target, this.relative(link)));
    const verdict = { stamp, fromMs: Date.now(), search };
    this.#verdicts.delete(real);
    this.#verdicts.set(real, verdict);
    if (this.#verdicts.size > mostVerdicts)
      this.#verdicts.delete(this.#verdicts.keys().next().value as string);
    // What was refused is looked at anew, so that it can be put right.
    search.catch(() => {
      if (this.#verdicts.get(real) === verdict) this.#verdicts.delete(real);
    });
    return search;
  }

  #within(path: string): string {
    // A colon and a backslash may be a part of a name; an address, and a way up as Windows writes it, are none.
    const isForeign =
      /^[a-z][a-z0-9+.-]*:\/\//i.test(path) || (path.includes('\\') && path.split(/[\\/]/).includes('..'));
    if (path.includes('\0') || isAbsolute(path) || isForeign) throw outside(path);
    const wanted = resolve(this.root, path);
    this.#check(wanted, path);
    const first = relative(this.root, wanted).split(sep)[0];
    // The run index is the studio's alone.
    if (first.toLowerCase() === studioFolderName) throw outside(path);
    return wanted;
  }

  #check(absolute: string, given: string): void {
    const way = relative(this.root, absolute);
    if (way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)) throw outside(given);
    if (way.split(sep)[0].toLowerCase() === studioFolderName) throw outside(given);
  }
}

/** Undefined for what is no folder. */
async function stampOf(real: string): Promise<string | undefined> {
  const stats = await stat(real, { bigint: true }).catch((cause) => {
    throw new FileAccessError(real, `${real} is there no more. Was it moved or deleted?`, { cause });
  });
  return stats.isDirectory() ? `${stats.dev} ${stats.ino} ${stats.ctimeNs}` : undefined;
}

function outside(path: string): UsageError {
  return new UsageError(
    `${JSON.stringify(path)} is outside the opened folder. The studio reads and writes only there; ` +
      'start it in another folder, or move the file.',
  );
}
