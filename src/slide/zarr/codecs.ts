// Decoders of chunk bytes. None yields more than it may, whatever its input claims.
import type { FormatError } from '../../core/errors.ts';
import { type DecodeFailure, unzipBlock, zstdBlock } from '../tiff/decompress.ts';
import { crc32c } from './crc32c.ts';

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
  async blosc(bytes, limit, fail) {
    // Header: version, codec, flags, type size, then three 32-bit lengths: decoded, block, encoded.
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 16 || view.getUint32(4, true) > limit || view.getUint32(12, true) !== bytes.length) {
      throw fail('its Blosc header is damaged');
    }
    const { default: Blosc } = await import('numcodecs/blosc');
    return decodeWith(Blosc.fromConfig({ id: 'blosc' }), bytes, fail);
  },
  async lz4(bytes, limit, fail) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 4 || view.getUint32(0, true) > limit) throw fail('its LZ4 header is damaged');
    const { default: Lz4 } = await import('numcodecs/lz4');
    return decodeWith(Lz4.fromConfig({ id: 'lz4' }), bytes, fail);
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

async function decodeWith(
  codec: { decode(bytes: Uint8Array): Uint8Array | Promise<Uint8Array> },
  bytes: Uint8Array,
  fail: DecodeFailure,
): Promise<Uint8Array> {
  try {
    return await codec.decode(bytes);
  } catch (cause) {
    throw fail(`its content is damaged (${(cause as Error)?.message ?? cause})`, cause);
  }
}
