// Decoders that the page's own rules allow (no code made from text) and that run fast in a browser.
import { addDecoder, BaseDecoder } from 'geotiff';
import { registry } from 'zarrita';
import { ZSTDDecoder } from 'zstddec/stream';

const zstd = new ZSTDDecoder();
const zstdReady = zstd.init();

async function unzstd(bytes: Uint8Array): Promise<Uint8Array> {
  await zstdReady;
  return zstd.decode(bytes);
}

/** The browser's own inflate runs beside the page and is several times as fast as one in JavaScript. */
class NativeDeflate extends BaseDecoder {
  async decodeBlock(buffer: ArrayBuffer): Promise<ArrayBuffer> {
    const stream = new Blob([buffer]).stream().pipeThrough(new DecompressionStream('deflate'));
    return new Response(stream).arrayBuffer();
  }
}

class Zstandard extends BaseDecoder {
  async decodeBlock(buffer: ArrayBuffer): Promise<ArrayBuffer> {
    const bytes = await unzstd(new Uint8Array(buffer));
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  }
}

/** Once, before the first slide. */
export function registerDecoders(): void {
  addDecoder([8, 32946], () => Promise.resolve(NativeDeflate));
  addDecoder(50000, () => Promise.resolve(Zstandard));
  const codec = { kind: 'bytes_to_bytes', encode: refuse, decode: unzstd };
  registry.set('zstd', (async () => ({ fromConfig: () => codec })) as never);
}

function refuse(): never {
  throw new Error('slides are not written in the browser');
}
