// Small drawn slides, written as plain uncompressed OME-TIFF without any code of the product.
import { writeFile } from 'node:fs/promises';
import { Rng } from '../../src/core/rng.ts';

export interface DrawnSlide {
  readonly width?: number;
  readonly height?: number;
  readonly channels?: readonly string[];
  /** null leaves it out of the file. */
  readonly pixelSizeUm?: number | null;
  readonly seed?: number;
  /** Planes of a stack, of which all but the last are empty; 1 unless given. */
  readonly focalPlanes?: number;
  /** Pixels of one channel; drawn blobs unless given. */
  readonly draw?: (channel: number, width: number, height: number, rng: Rng) => Uint8Array;
}

/** Discs of several sizes with a camera's noise, over a faint background. */
export function drawBlobs(channel: number, width: number, height: number, rng: Rng): Uint8Array {
  const pixels = Uint8Array.from({ length: width * height }, () => 10 + rng.integer(5));
  for (let n = 0; n < (width * height) / 250; n++) {
    const level = 90 + 10 * (n % 9);
    const [cx, cy, radius] = [rng.integer(width), rng.integer(height), 2 + rng.integer(3) + channel];
    for (let y = Math.max(0, cy - radius); y < Math.min(height, cy + radius); y++) {
      for (let x = Math.max(0, cx - radius); x < Math.min(width, cx + radius); x++) {
        if ((x - cx) ** 2 + (y - cy) ** 2 < radius * radius)
          pixels[y * width + x] = level + rng.integer(30) + rng.integer(30);
      }
    }
  }
  return pixels;
}

/** Writes the slide and returns its path. */
export async function writeDrawnSlide(path: string, slide: DrawnSlide = {}): Promise<string> {
  const { width = 192, height = 160, channels = ['CD31', 'DAPI', 'dextran'], pixelSizeUm = 0.65 } = slide;
  const { focalPlanes = 1 } = slide;
  const rng = new Rng(slide.seed ?? 1);
  const planes = channels.map((_, c) => (slide.draw ?? drawBlobs)(c, width, height, rng.fork(c)));
  const empty = Array.from(
    { length: (focalPlanes - 1) * channels.length },
    () => new Uint8Array(width * height),
  );
  const xml = omeXml(channels, focalPlanes, width, height, pixelSizeUm);
  await writeFile(path, encodeTiff([...empty, ...planes], width, height, xml));
  return path;
}

function omeXml(
  channels: readonly string[],
  focalPlanes: number,
  width: number,
  height: number,
  pixelSizeUm: number | null,
): string {
  const size = pixelSizeUm === null ? '' : ` PhysicalSizeX="${pixelSizeUm}" PhysicalSizeY="${pixelSizeUm}"`;
  const list = channels.map((name, c) => `<Channel ID="Channel:0:${c}" Name="${name}" SamplesPerPixel="1"/>`);
  return (
    '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">' +
    `<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint8" SizeX="${width}" SizeY="${height}" ` +
    `SizeC="${channels.length}" SizeZ="${focalPlanes}" SizeT="1"${size}>${list.join('')}<TiffData/></Pixels></Image></OME>`
  );
}

/** One strip a plane; pixels first, so that cutting the file off loses the directories' end and not the pixels. */
function encodeTiff(planes: readonly Uint8Array[], width: number, height: number, xml: string): Uint8Array {
  const text = new TextEncoder().encode(`${xml}\0`);
  const entries = 9;
  const directoryBytes = 2 + entries * 12 + 4;
  const firstDirectory = 8 + text.length + (text.length % 2);
  const firstPlane = firstDirectory + planes.length * directoryBytes;
  const bytes = new Uint8Array(firstPlane + planes.length * width * height);
  const view = new DataView(bytes.buffer);
  bytes.set([0x49, 0x49, 42, 0]);
  view.setUint32(4, firstDirectory, true);
  bytes.set(text, 8);
  planes.forEach((plane, p) => {
    const at = firstDirectory + p * directoryBytes;
    const offset = firstPlane + p * width * height;
    const tags: [tag: number, type: 2 | 3 | 4, count: number, value: number][] = [
      [256, 4, 1, width],
      [257, 4, 1, height],
      [258, 3, 1, 8],
      [259, 3, 1, 1],
      [262, 3, 1, 1],
      [270, 2, p === 0 ? text.length : 1, p === 0 ? 8 : 0],
      [273, 4, 1, offset],
      [278, 4, 1, height],
      [279, 4, 1, width * height],
    ];
    view.setUint16(at, entries, true);
    tags.forEach(([tag, type, count, value], i) => {
      const entry = at + 2 + i * 12;
      view.setUint16(entry, tag, true);
      view.setUint16(entry + 2, type, true);
      view.setUint32(entry + 4, count, true);
      view.setUint32(entry + 8, value, true);
    });
    view.setUint32(at + 2 + entries * 12, p + 1 < planes.length ? at + directoryBytes : 0, true);
    bytes.set(plane, offset);
  });
  return bytes;
}
