// Decoders of chunk bytes. None yields more than it may, whatever its input claims.
import type { FormatError } from '../../core/errors.ts';
import { type DecodeFailure, unzipBlock, zstdBlock } from '../unzip.ts';
import { decodeBlosc } from './blosc.ts';
import { crc32c } from './crc32c.ts';
import { decodeLz4 } from './lz4.ts';

/** Decodes one stage. `limit` is the most bytes the result may have. */
export type ByteCodec = (bytes: Uint8Array, limit: number, fail: DecodeFailure) => Promise<Uint8Array>;

/** @throws FormatError for a codec that is not read */
export function byteCodecs(
  given: readonly { readonly name: string }[],
  refuse: (what: string) => FormatError,
): ByteCodec[] {
  return given.map(({ name }) => {
    if (Object.hasOwn(decoders, name)) return decoders[name];
    throw refuse(
      `the compression '${name}' is not read (those that are: ${Object.keys(decoders).join(', ')})`,
    );
  });
}

const decoders: Readonly<Record<string, ByteCodec>> = {
  gzip: unzipBlock,
  zlib: unzipBlock,
  zstd: zstdBlock,
  blosc: decodeBlosc,
  /** As numcodecs has it: the decoded length, then one block. */
  async lz4(bytes, limit, fail) {
    if (bytes.length < 4) throw fail('its LZ4 header is damaged');
    const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
    if (length > limit) throw fail('its LZ4 header is damaged');
    const output = new Uint8Array(length);
    decodeLz4(bytes.subarray(4), output, fail);
    return output;
  },
  async crc32c(bytes, _limit, fail) {
    const end = bytes.length - 4;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (end < 0 || crc32c(bytes.subarray(0, end)) !== view.getUint32(end, true)) {
      throw fail('its check sum does not fit its content');
    }
    return bytes.subarray(0, end);
  },
};
