// Every reader against files that other programs wrote.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PixelSource } from '../../src/core/pixel-source.ts';
import { createRaster } from '../../src/core/raster.ts';
import { createSlide } from '../../src/slide/create-slide.ts';
import { openSlide } from '../../src/slide/open-slide.ts';
import { sharedData } from '../shared-data.ts';
import { tinyOme, tinyTiff } from './tiny-tiff.ts';
import { missingTools, runPython } from './tools.ts';

interface Expected {
  readonly name: string;
  readonly format: string;
  readonly values: string;
  readonly sampleType: string;
  readonly channels: number;
  readonly width: number;
  readonly height: number;
  readonly names: string[];
  readonly pixelSizeUm: number | null;
  readonly plane: { z?: number; t?: number } | null;
  readonly levels: [number, number][];
  readonly tolerance: number;
}

/** All pixels, read in pieces that fit no tile. */
async function readAll(source: PixelSource, piece: number): Promise<Float32Array> {
  const { width, height, channels } = source;
  const all = new Float32Array(channels.length * width * height);
  for (let y = 0; y < height; y += piece) {
    for (let x = 0; x < width; x += piece) {
      const region = { x, y, width: Math.min(piece, width - x), height: Math.min(piece, height - y) };
      const raster = await source.read(
        region,
        channels.map((_, c) => c),
      );
      for (let c = 0; c < channels.length; c++) {
        for (let row = 0; row < region.height; row++) {
          const from = (c * region.height + row) * region.width;
          all.set(raster.data.subarray(from, from + region.width), (c * height + y + row) * width + x);
        }
      }
    }
  }
  return all;
}

/** How many values lie further apart than the tolerance; NaN equals NaN only. */
function countDifferent(found: Float32Array, expected: ArrayLike<number>, tolerance: number): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY;
  let different = 0;
  for (let i = 0; i < found.length; i++) {
    const wanted = Math.fround(expected[i]);
    if (Object.is(found[i], wanted) || Math.abs(found[i] - wanted) <= tolerance) continue;
    different++;
  }
  return different;
}

describe.skipIf(missingTools !== undefined)(
  `files by tifffile, libtiff, libvips, zarr-python ${missingTools ?? ''}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'hrpn-conformance-'));
    let files: Expected[] = [];
    beforeAll(async () => {
      await runPython('make-files.py', folder);
      files = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it('are read as they were written: pixels, names, pixel size, levels', async () => {
      expect(files.length).toBeGreaterThan(110);
      for (const file of files) {
        const source = await openSlide(join(folder, file.name), { plane: file.plane ?? undefined });
        try {
          const found = {
            name: file.name,
            format: source.format,
            types: source.channels.map(({ sampleType }) => sampleType),
            names: source.channels.map(({ name }) => name),
            levels: source.levels.map(({ width, height }) => [width, height]),
            pixelSizeUm: source.pixelSizeUm ?? null,
          };
          expect(found).toEqual({
            name: file.name,
            format: file.format,
            types: file.names.map(() => file.sampleType),
            names: file.names,
            levels: file.levels,
            pixelSizeUm: file.pixelSizeUm,
          });
          const values = readFileSync(join(folder, file.values));
          const expected = new Float64Array(values.buffer, values.byteOffset, values.length / 8);
          const different = countDifferent(await readAll(source, 97), expected, file.tolerance);
          expect(different, `values of ${file.name}`).toBe(0);
        } finally {
          await source.close();
        }
      }
    });

    it('refuse a stack of which no plane is chosen, and a plane that is not there', async () => {
      const stack = join(folder, 'hyperstack.tif');
      await expect(openSlide(stack)).rejects.toThrow(/3 focal planes.*--z 0 to --z 2/);
      await expect(openSlide(stack, { plane: { z: 0 } })).rejects.toThrow(/2 time points.*--t/);
      await expect(openSlide(stack, { plane: { z: 3, t: 0 } })).rejects.toThrow(/--z 3/);
    });
  },
);

const imageJ = { tag: 270, type: 2, values: 'ImageJ=1.54\nimages=1\n\0' };
const grey = { width: 16, height: 16, channels: 3, background: 'grey' } as const;

async function writeZarr(path: string, edge = 16): Promise<void> {
  const channels = [{ name: 'DAPI' }];
  const sink = await createSlide(path, {
    width: edge,
    height: edge,
    channels,
    sampleType: 'uint8',
    pixelSizeUm: 1,
  });
  await sink.write(0, 0, createRaster(1, edge, edge));
  await sink.finish();
}

describe('a plane that is not there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hrpn-planes-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const pixelsXml =
    '<Pixels DimensionOrder="XYCZT" Type="uint8" SizeX="16" SizeY="16" SizeC="1" SizeZ="1" SizeT="1"><TiffData/></Pixels>';

  it.each<[string, (path: string) => unknown]>([
    ['plain.tif', (path) => writeFileSync(path, tinyTiff())],
    ['ome.tif', (path) => writeFileSync(path, tinyOme(`<OME><Image>${pixelsXml}</Image></OME>`))],
    ['imagej.tif', (path) => writeFileSync(path, tinyTiff({ entries: [imageJ] }))],
    ['picture.png', (path) => sharp({ create: grey }).png().toFile(path)],
    ['picture.jpg', (path) => sharp({ create: grey }).jpeg().toFile(path)],
    ['without-z-and-t.ome.zarr', (path) => writeZarr(path)],
    [
      'folder',
      (path) => {
        mkdirSync(path);
        writeFileSync(join(path, 'DAPI.tif'), tinyTiff());
      },
    ],
  ])('is refused: %s', async (name, write) => {
    const path = join(folder, name);
    await write(path);
    await expect(openSlide(path, { plane: { z: 4 } })).rejects.toThrow(
      /^--z 4: \S+ holds 1 focal plane \(Z\), counted from 0\.$/,
    );
    await expect(openSlide(path, { plane: { z: 0, t: 3 } })).rejects.toThrow(
      /^--t 3: \S+ holds 1 time point \(T\), counted from 0\.$/,
    );
    await (await openSlide(path, { plane: { z: 0, t: 0 } })).close();
  });
});

describe('what a file says', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hrpn-said-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const ome = (pixels: string, inside = '<TiffData/>', channels = 1): Buffer =>
    tinyOme(
      `<OME><Image><Pixels Type="uint8" SizeX="16" SizeY="16" SizeC="${channels}" SizeZ="1" SizeT="1" ${pixels}>${inside}</Pixels></Image></OME>`,
    );
  const write = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };

  it('of its pixel size counts where it is that of a microscope: 72 dpi is none', async () => {
    for (const [um, expected] of [
      [0.5, 0.5],
      [352.78, undefined],
    ]) {
      const path = write('size.ome.tif', ome(`PhysicalSizeX="${um}" PhysicalSizeY="${um}"`));
      const source = await openSlide(path);
      expect(source.pixelSizeUm).toBe(expected);
      await source.close();
    }
  });

  it('of other files is heeded: what lies there is not taken from here', async () => {
    const there = (c: number): string =>
      `<TiffData FirstC="${c}" IFD="0" PlaneCount="1"><UUID FileName="c${c}.ome.tif">urn:uuid:${c}</UUID></TiffData>`;
    const spread = write('spread.ome.tif', ome('', there(0) + there(1), 2));
    await expect(openSlide(spread)).rejects.toThrow(/channel 1 lies in another file \(c1\.ome\.tif\)/);
    const companion = write('b.ome.tif', tinyOme('<OME><BinaryOnly MetadataFile="a.companion.ome"/></OME>'));
    await expect(openSlide(companion)).rejects.toThrow(
      /lies in another file \(a\.companion\.ome\).*bfconvert/,
    );
  });

  it('of a last strip may be its full height', async () => {
    const [width, rows] = [4096, 256];
    const strip = deflateSync(randomBytes(width * rows));
    const path = write(
      'padded.tif',
      tinyTiff({
        ...{ width, height: rows + 1, data: Buffer.concat([strip, strip]) },
        entries: [
          { tag: 259, type: 3, values: [8] },
          { tag: 278, type: 4, values: [rows] },
          { tag: 273, type: 4, values: [8, 8 + strip.length] },
          { tag: 279, type: 4, values: [strip.length, strip.length] },
        ],
      }),
    );
    const source = await openSlide(path);
    const at = (y: number) => source.read({ x: 0, y, width, height: 1 }, [0]);
    expect((await at(rows)).data).toEqual((await at(0)).data);
    await source.close();
  });

  it('of the first OME-Zarr files are nested without a word of it', async () => {
    const path = join(folder, 'nested.ome.zarr');
    mkdirSync(join(path, '0', '0'), { recursive: true });
    writeFileSync(join(path, '.zgroup'), '{"zarr_format": 2}');
    const multiscales = [{ version: '0.2', axes: ['y', 'x'], datasets: [{ path: '0' }] }];
    writeFileSync(join(path, '.zattrs'), JSON.stringify({ multiscales }));
    const array = { zarr_format: 2, shape: [2, 2], chunks: [2, 2], dtype: '|u1', compressor: null };
    writeFileSync(join(path, '0', '.zarray'), JSON.stringify({ ...array, fill_value: 0, order: 'C' }));
    writeFileSync(join(path, '0', '0', '0'), Buffer.of(1, 2, 3, 4));
    const source = await openSlide(path);
    expect([...(await source.read({ x: 0, y: 0, width: 2, height: 2 }, [0])).data]).toEqual([1, 2, 3, 4]);
    await source.close();
  });

  it('of the images of bioformats2raw may be missing: the largest is the slide all the same', async () => {
    const path = join(folder, 'raw.zarr');
    mkdirSync(path);
    writeFileSync(join(path, '.zattrs'), '{"bioformats2raw.layout": 3}');
    writeFileSync(join(path, '.zgroup'), '{"zarr_format": 2}');
    const add = async (name: string, edge: number): Promise<void> => {
      await writeZarr(join(path, `${name}.zarr`), edge);
      renameSync(join(path, `${name}.zarr`), join(path, name));
    };
    await add('0', 16);
    await add('1', 64);
    const source = await openSlide(path);
    expect(source.width).toBe(64);
    await source.close();
    await add('2', 63);
    await expect(openSlide(path)).rejects.toThrow(/3 images of similar size: 0, 1, 2/);
  });
});

const formats = sharedData('formats');

describe.skipIf(formats === undefined)(
  `shared formats ${formats === undefined ? '(the folder formats is absent)' : ''}`,
  () => {
    const stored = [
      'bigtiff-be-packbits.tif',
      'float32.ome.tif',
      'imagej-hyperstack.tif',
      'multipage-plain.tif',
      'ome-pyramid-bigtiff-bigendian.ome.tif',
      'ome-pyramid-tiled-deflate.ome.tif',
      'strip-lzw-predictor2.tif',
      'tiled-zstd.tif',
    ];
    it.each(stored)('%s has the pixels of field 05', async (name) => {
      const bytes = readFileSync(join(formats!, 'field-05-u16.npy'));
      const start = 10 + bytes.readUInt16LE(8);
      const field = new Uint16Array(
        bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length),
      );
      const source = await openSlide(join(formats!, name));
      const divisor = source.channels[0].sampleType === 'float32' ? 255 : 1;
      const found = await readAll(source, 333);
      await source.close();
      expect(
        countDifferent(
          found,
          Float32Array.from(field, (value) => value / divisor),
          0,
        ),
      ).toBe(0);
    });

    it('other files of Bio-Formats, bioformats2raw and ngff-zarr open as what they are', async () => {
      const found: unknown[] = [];
      for (const [name, plane] of [
        ['bioformats-int8-bigendian.ome.tif', {}],
        ['bioformats2raw-camera.ome.zarr', {}],
        ['ngff-v04-a.ome.zarr', {}],
        ['ngff-v05-a.ome.zarr', { z: 1 }],
      ] as const) {
        const source = await openSlide(join(formats!, name), { plane });
        const values = await readAll(source, 100);
        found.push([
          source.format,
          source.channels.length,
          source.channels[0].sampleType,
          source.width,
          source.height,
          source.levels.length,
          Math.round(values.reduce((sum, value) => sum + value, 0)),
        ]);
        await source.close();
      }
      // Sums of all values: by tifffile and zarr-python; for the last one by decoding its one chunk with numcodecs.
      expect(found).toEqual([
        ['OME-TIFF', 3, 'int8', 439, 167, 1, 10445323],
        ['OME-Zarr 0.4', 1, 'uint8', 640, 480, 3, 60042793],
        ['OME-Zarr 0.4', 1, 'float64', 200, 200, 1, 20090446],
        ['OME-Zarr 0.5', 1, 'uint8', 100, 100, 5, 4828],
      ]);
    });
  },
);
