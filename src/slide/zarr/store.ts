// Where the keys of a Zarr hierarchy come from: a local folder, or a web server.
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FileAccessError, FormatError } from '../../core/errors.ts';
import { readFailure } from '../file-bytes.ts';

/** A part of a value: from an offset, or the last bytes. */
export type ByteRange = { readonly offset: number; readonly length: number } | { readonly last: number };

export interface ZarrStore {
  /** For messages. */
  readonly path: string;
  /**
   * The value under a key such as '0/zarr.json', or a part of it; undefined when there is none.
   * @param limit most bytes to accept
   * @throws FormatError for more, or when the part asked for is not there; FileAccessError when it cannot be read
   */
  get(key: string, limit: number, range?: ByteRange): Promise<Uint8Array | undefined>;
}

/** A web server that does not answer within this time is given up. */
const timeoutMs = 60_000;

/** @throws FormatError for a key that would leave the hierarchy */
export function joinKey(path: string, ...parts: readonly string[]): string {
  const steps = parts.flatMap((part) => part.split('/')).filter((step) => step !== '' && step !== '.');
  if (steps.some((step) => step === '..' || /[\\:\0]/.test(step))) {
    throw new FormatError(
      path,
      `its metadata point to '${parts.join('/')}', outside the slide; the file is damaged.`,
    );
  }
  return steps.join('/');
}

export class FolderStore implements ZarrStore {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  async get(key: string, limit: number, range?: ByteRange): Promise<Uint8Array | undefined> {
    const path = join(this.path, ...key.split('/'));
    const absent = (cause: NodeJS.ErrnoException): undefined => {
      if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined;
      throw readFailure(join(this.path, key), cause);
    };
    // Before it is opened: a pipe would wait for its writer.
    const found = await stat(path).catch(absent);
    if (!found?.isFile()) return undefined;
    const file = await open(path, 'r').catch(absent);
    if (file === undefined) return undefined;
    try {
      const { offset, length } = spanOf(range, found.size);
      if (length > limit) throw tooLarge(this.path, key, length, limit);
      if (offset < 0 || offset + length > found.size) throw cutOff(this.path, key);
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0) throw cutOff(this.path, key);
        done += bytesRead;
      }
      return bytes;
    } catch (cause) {
      throw readFailure(join(this.path, key), cause);
    } finally {
      await file.close();
    }
  }
}

/** A hierarchy behind HTTP. What follows '?' in the address (an access token) goes with every request. */
export class HttpStore implements ZarrStore {
  readonly path: string;
  readonly #base: URL;
  /** A key that the server has given. */
  #known: string | undefined;

  /** @throws FileAccessError when the address is none */
  constructor(address: string) {
    this.path = address;
    if (!URL.canParse(address)) throw new FileAccessError(address, `${address} is not a web address.`);
    this.#base = new URL(address);
  }

  async get(key: string, limit: number, range?: ByteRange): Promise<Uint8Array | undefined> {
    const url = this.#addressOf(key);
    const headers: Record<string, string> =
      range === undefined
        ? {}
        : {
            Range:
              'last' in range
                ? `bytes=-${range.last}`
                : `bytes=${range.offset}-${range.offset + range.length - 1}`,
          };
    try {
      const response = await fetch(url, { headers, signal: AbortSignal.timeout(timeoutMs) });
      if (response.status === 404 || response.status === 403 || response.status === 410) {
        await response.body?.cancel();
        if (response.status === 403) await this.#requireAccess(url);
        return undefined;
      }
      if (response.status === 416) throw cutOff(this.path, key);
      if (!response.ok) {
        throw new FileAccessError(
          this.path,
          `${url} cannot be read: the server answered ${response.status}.`,
        );
      }
      const bytes = await this.#collect(response, key, limit, range);
      this.#known ??= key;
      if (range === undefined) return bytes;
      const isPart = response.status === 206;
      const { offset, length } = isPart ? { offset: 0, length: bytes.length } : spanOf(range, bytes.length);
      const wanted = 'last' in range ? range.last : range.length;
      const start = /^bytes (\d+)-/.exec((isPart && response.headers.get('content-range')) || '')?.[1];
      const isElsewhere = start !== undefined && 'offset' in range && Number(start) !== range.offset;
      if (isElsewhere || length !== wanted || offset < 0 || offset + length > bytes.length)
        throw cutOff(this.path, key);
      return bytes.subarray(offset, offset + length);
    } catch (cause) {
      if (cause instanceof Error && 'fault' in cause) throw cause;
      const reason = ((cause as Error).cause as Error)?.message ?? (cause as Error).message;
      throw new FileAccessError(
        this.path,
        `${url} cannot be read: ${reason}. Check the address and the network.`,
        {
          cause,
        },
      );
    }
  }

  #addressOf(key: string): URL {
    const url = new URL(this.#base);
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/${key.split('/').map(encodeURIComponent).join('/')}`;
    return url;
  }

  /**
   * Object stores answer 403 for what is not there when listing is not allowed, and for all when an access token has
   * run out; taken for absent, chunks would then be read as zeros.
   */
  async #requireAccess(refused: URL): Promise<void> {
    if (this.#known === undefined) return;
    const again = await fetch(this.#addressOf(this.#known), { signal: AbortSignal.timeout(timeoutMs) });
    await again.body?.cancel();
    if (again.status !== 403) return;
    throw new FileAccessError(
      this.path,
      `${refused} cannot be read: the server no longer allows it. Renew the access token in the address.`,
    );
  }

  /** The body, given up as soon as it is longer than it may be. */
  async #collect(
    response: Response,
    key: string,
    limit: number,
    range: ByteRange | undefined,
  ): Promise<Uint8Array> {
    // A server without ranges sends all of a shard; that is taken where it is not absurd.
    const most = range !== undefined && response.status === 200 ? Math.max(limit, 2 ** 28) : limit;
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of response.body ?? []) {
      length += part.length;
      if (length > most) throw tooLarge(this.path, key, length, most);
      parts.push(part);
    }
    return Buffer.concat(parts);
  }
}

function spanOf(range: ByteRange | undefined, size: number): { offset: number; length: number } {
  if (range === undefined) return { offset: 0, length: size };
  return 'last' in range ? { offset: size - range.last, length: range.last } : range;
}

function tooLarge(path: string, key: string, length: number, limit: number): FormatError {
  return new FormatError(path, `${key} has ${length} bytes, expected at most ${limit}; the file is damaged.`);
}

function cutOff(path: string, key: string): FormatError {
  return new FormatError(path, `${key} is cut off. Copy it again from where it came.`);
}
