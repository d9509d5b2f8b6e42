// One Zarr array: its chunks, decoded and checked.
import { FormatError } from '../../core/errors.ts';
import type { Samples } from '../blocked-source.ts';
import { bytesOf, createSamples, hostLittleEndian, swapBytes, viewSamples } from '../sample-type.ts';
import type { DecodeFailure } from '../unzip.ts';
import { parseArray, type Sharding, type ZarrArrayInfo } from './array-metadata.ts';
import { crc32c } from './crc32c.ts';
import { joinKey, type ZarrStore } from './store.ts';

/** Longest metadata document. */
const maxJsonBytes = 8 * 2 ** 20;
/** Shards whose index is kept. */
const keptIndices = 64;
/** An index entry of a chunk that holds nothing but the fill value. */
const absent = 0xffff_ffff_ffff_ffffn;

/** @returns undefined when there is no such document. @throws FormatError when it is no JSON */
export async function readJson(store: ZarrStore, key: string): Promise<unknown> {
  const bytes = await store.get(key, maxJsonBytes);
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new FormatError(store.path, `${key} is not valid JSON; the file is damaged.`, { cause });
  }
}

export class ZarrArray {
  readonly info: ZarrArrayInfo;
  readonly #store: ZarrStore;
  readonly #name: string;
  readonly #indices = new Map<string, Promise<BigUint64Array | undefined>>();

  private constructor(store: ZarrStore, name: string, info: ZarrArrayInfo) {
    this.#store = store;
    this.#name = name;
    this.info = info;
  }

  /** @throws FormatError when there is no such array or its metadata are wrong */
  static async open(store: ZarrStore, name: string): Promise<ZarrArray> {
    const v3 = await readJson(store, joinKey(store.path, name, 'zarr.json'));
    const json = v3 ?? (await readJson(store, joinKey(store.path, name, '.zarray')));
    if (json === undefined) {
      throw new FormatError(
        store.path,
        `its metadata name the array '${name}', which is not there; the slide is incomplete.`,
      );
    }
    return new ZarrArray(store, name, parseArray(store.path, name, json));
  }

  /** @returns all samples of a chunk; undefined for one of zeros */
  async chunk(coordinates: readonly number[]): Promise<Samples | undefined> {
    const { info } = this;
    const name = `chunk ${coordinates.join(', ')} of array '${this.#name}'`;
    const fail: DecodeFailure = (reason, cause) =>
      new FormatError(
        this.#store.path,
        `${name} cannot be read: ${reason}. Copy it again from where it came.`,
        { cause },
      );
    // What is compressed may come out a little longer than it was, not much.
    const limit = info.chunkBytes + Math.ceil(info.chunkBytes / 64) + 65_536;
    let bytes =
      info.sharding === undefined
        ? await this.#stored(coordinates, limit)
        : await this.#fromShard(coordinates, info.sharding, limit, fail);
    if (bytes === undefined) {
      if (info.fill === 0) return undefined;
      return createSamples(info.sampleType, info.chunkBytes / bytesOf(info.sampleType)).fill(info.fill);
    }
    for (const codec of [...info.codecs].reverse()) bytes = await codec(bytes, limit, fail);
    if (bytes.length !== info.chunkBytes)
      throw fail(`expected ${info.chunkBytes} bytes, found ${bytes.length}`);
    const own = bytes.byteOffset % bytesOf(info.sampleType) === 0 ? bytes : bytes.slice();
    if (info.littleEndian !== hostLittleEndian) swapBytes(own, bytesOf(info.sampleType));
    return viewSamples(own, info.sampleType);
  }

  /** The bytes of a chunk under the first of its keys that is there. */
  async #stored(coordinates: readonly number[], limit: number): Promise<Uint8Array | undefined> {
    for (const key of this.info.keysOf(coordinates)) {
      const bytes = await this.#store.get(joinKey(this.#store.path, this.#name, key), limit);
      if (bytes !== undefined) return bytes;
    }
    return undefined;
  }

  async #fromShard(
    coordinates: readonly number[],
    sharding: Sharding,
    limit: number,
    fail: DecodeFailure,
  ): Promise<Uint8Array | undefined> {
    const { chunksPerShard } = sharding;
    const [own] = this.info.keysOf(coordinates.map((at, axis) => Math.floor(at / chunksPerShard[axis])));
    const key = joinKey(this.#store.path, this.#name, own);
    let index = this.#indices.get(key);
    if (index === undefined) {
      index = this.#readIndex(key, sharding, fail);
      this.#indices.set(key, index);
      index.catch(() => this.#indices.delete(key));
      if (this.#indices.size > keptIndices) this.#indices.delete(this.#indices.keys().next().value!);
    }
    const entries = await index;
    if (entries === undefined) return undefined;
    let at = 0;
    coordinates.forEach((coordinate, axis) => {
      at = at * chunksPerShard[axis] + (coordinate % chunksPerShard[axis]);
    });
    const [offset, length] = [entries[at * 2], entries[at * 2 + 1]];
    if (offset === absent && length === absent) return undefined;
    if (offset + length > BigInt(Number.MAX_SAFE_INTEGER)) throw fail('the index of its shard is damaged');
    return this.#store.get(key, limit, { offset: Number(offset), length: Number(length) });
  }

  async #readIndex(
    key: string,
    sharding: Sharding,
    fail: DecodeFailure,
  ): Promise<BigUint64Array | undefined> {
    const entries = sharding.chunksPerShard.reduce((product, count) => product * count, 1) * 2;
    const length = entries * 8 + (sharding.indexHasChecksum ? 4 : 0);
    const bytes = await this.#store.get(
      key,
      length,
      sharding.indexAtEnd ? { last: length } : { offset: 0, length },
    );
    if (bytes === undefined) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (sharding.indexHasChecksum) {
      const sum = view.getUint32(entries * 8, true);
      if (crc32c(bytes.subarray(0, entries * 8)) !== sum) throw fail('the index of its shard is damaged');
    }
    return BigUint64Array.from({ length: entries }, (_, i) =>
      view.getBigUint64(i * 8, sharding.indexLittleEndian),
    );
  }
}
