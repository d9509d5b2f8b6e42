// Files that are damaged or made to hurt: each is answered by one clear error or read correctly; none crashes, hangs
// or takes more than its share of memory.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { HrpnError } from '../../src/core/errors.ts';
import { createRaster } from '../../src/core/raster.ts';
import { Rng } from '../../src/core/rng.ts';
import { createSlide } from '../../src/slide/create-slide.ts';
import { openSlide } from '../../src/slide/open-slide.ts';
import { sharedData } from '../shared-data.ts';
import type { Outcome } from './read-files.ts';
import { readInProcess } from './read-in-process.ts';
import { tinyOme, tinyTiff } from './tiny-tiff.ts';

/** The most memory a reading process may ever have taken, and the most processor time for one file. */
const limits = { bytes: 500e6, seconds: 5 };

// Seconds on a quiet machine; processes are started and files made, which takes long on one that is overloaded.
vi.setConfig({ testTimeout: 240_000 });

const folder = mkdtempSync(join(tmpdir(), 'hrpn-hostile-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A file of the given content; folders above it are made. */
function put(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** One sentence that names the file, says what is wrong and is no stack trace. */
function expectClear(outcome: Outcome): void {
  expect(outcome, outcome.path).toMatchObject({ isClear: true });
  if (outcome.result === 'read') return;
  expect(outcome.message).not.toMatch(/undefined|\bNaN\b|\[object|\n {4}at /);
  expect(outcome.message.length).toBeLessThan(700);
}

async function expectAllClear(paths: readonly string[]): Promise<Outcome[]> {
  const outcomes = await readInProcess(paths);
  for (const outcome of outcomes) expectClear(outcome);
  expect(Math.max(...outcomes.map(({ peakBytes }) => peakBytes))).toBeLessThan(limits.bytes);
  expect(Math.max(...outcomes.map(({ seconds }) => seconds))).toBeLessThan(limits.seconds);
  return outcomes;
}

/** A slide of structure and noise, as our own writer makes it: deflate (with a check sum), pyramid, two channels. */
async function writeGood(path: string, compression?: 'deflate' | 'zstd' | 'none'): Promise<void> {
  const [width, height] = [540, 130];
  const rng = new Rng(1);
  const raster = createRaster(2, height, width);
  raster.data.forEach((_, i) => {
    raster.data[i] = 300 * Math.sin((i % width) / 20) + rng.normal(800, 20);
  });
  const channels = [{ name: 'DAPI' }, { name: 'CD31', role: 'vessel' }];
  const sink = await createSlide(path, {
    width,
    height,
    channels,
    sampleType: 'uint16',
    pixelSizeUm: 0.5,
    compression,
  });
  await sink.write(0, 0, raster);
  await sink.finish();
}

const hostile = sharedData('hostile');

it.skipIf(hostile === undefined)(
  `32 files that broke other readers ${hostile ?? '(the folder hostile is absent)'}`,
  async () => {
    const paths = readdirSync(hostile!).flatMap((kind) =>
      readdirSync(join(hostile!, kind)).map((name) => join(hostile!, kind, name)),
    );
    expect(paths).toHaveLength(32);
    await expectAllClear(paths);
  },
);

describe('damage', () => {
  const tiff = join(folder, 'good.ome.tif');
  const zarr = join(folder, 'good.ome.zarr');
  let good: Outcome;
  let goodZarr: Outcome;
  beforeAll(async () => {
    await writeGood(tiff);
    await writeGood(zarr);
    [good, goodZarr] = await readInProcess([tiff, zarr]);
    expect([good.result, goodZarr.result]).toEqual(['read', 'read']);
    expect(good.hash).toBe(goodZarr.hash);
  });

  it('cut off at every 1% of its length, a TIFF is refused', async () => {
    const bytes = readFileSync(tiff);
    const paths = Array.from({ length: 99 }, (_, i) =>
      put(`cut/${i + 1}.tif`, bytes.subarray(0, Math.floor((bytes.length * (i + 1)) / 100))),
    );
    const outcomes = await expectAllClear(paths);
    for (const { result, path } of outcomes) expect(result, path).toBe('FormatError');
  });

  it('with flipped bits, a compressed TIFF is refused or read as it was', async () => {
    const bytes = readFileSync(tiff);
    const rng = new Rng(2);
    // The offset of the pixels: before lie directories, where a flip may change what a name or a size says.
    const pixelsBegin = 4096;
    const paths = Array.from({ length: 60 }, (_, i) => {
      const damaged = Buffer.from(bytes);
      const at = pixelsBegin + rng.integer(bytes.length - pixelsBegin);
      damaged[at] ^= 1 << rng.integer(8);
      return put(`flip/${i}.tif`, damaged);
    });
    const outcomes = await expectAllClear(paths);
    for (const { result, hash, path } of outcomes) if (result === 'read') expect(hash, path).toBe(good.hash);
    expect(outcomes.filter(({ result }) => result === 'FormatError').length).toBeGreaterThan(50);
  });

  it('with flipped bits in its directories, a TIFF is refused or read without harm', async () => {
    const bytes = readFileSync(tiff);
    const rng = new Rng(3);
    const paths = Array.from({ length: 60 }, (_, i) => {
      const damaged = Buffer.from(bytes);
      damaged[rng.integer(4096)] ^= 1 << rng.integer(8);
      return put(`directory/${i}.tif`, damaged);
    });
    await expectAllClear(paths);
  });

  it('a Zarr with one file cut off or flipped is refused or read as it was', async () => {
    const rng = new Rng(4);
    const files = readdirSync(zarr, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(zarr.length + 1));
    const paths = Array.from({ length: 40 }, (_, i) => {
      const copy = join(folder, `zarr-${i}.ome.zarr`);
      cpSync(zarr, copy, { recursive: true });
      const file = join(copy, files[i % files.length]);
      const bytes = readFileSync(file);
      if (i % 2 === 0) writeFileSync(file, bytes.subarray(0, rng.integer(bytes.length)));
      else {
        bytes[rng.integer(bytes.length)] ^= 1 << rng.integer(8);
        writeFileSync(file, bytes);
      }
      return copy;
    });
    const outcomes = await expectAllClear(paths);
    for (const [i, { result, hash, path }] of outcomes.entries()) {
      // Metadata may stay valid and mean something else; chunks carry a check sum.
      const isChunk = !files[i % files.length].endsWith('.json');
      if (result === 'read' && isChunk) expect(hash, path).toBe(goodZarr.hash);
    }
  });
});

describe('lies', () => {
  const long = (tag: number, value: number) => ({ tag, type: 4, values: [value] });
  const short = (tag: number, value: number) => ({ tag, type: 3, values: [value] });
  const ome = (pixels: string, inside = '') =>
    `<?xml version="1.0"?><OME><Image ID="i"><Pixels DimensionOrder="XYCZT" Type="uint8" ${pixels}>${inside}</Pixels></Image></OME>`;
  const size = 'SizeX="16" SizeY="16" SizeC="1" SizeZ="1" SizeT="1"';
  const bomb = deflateSync(Buffer.alloc(64 * 2 ** 20));

  /** Content, and what must come of it: an error that matches, or 'read'. */
  const tiffs: Record<string, [Uint8Array, RegExp | 'read']> = {
    good: [tinyTiff(), 'read'],
    'empty file': [Buffer.alloc(0), /empty file/],
    'header only': [Buffer.from('II*\0\0\0\0\0'), /no image/],
    'no TIFF at all': [Buffer.from('hello, this is text'), /not an image that is read/],
    'directories in a loop': [tinyTiff({ next: 'self' }), /loop/],
    'a pyramid level that is the image itself': [
      tinyTiff({ entries: [{ tag: 330, type: 13, values: [264] }] }),
      /no smaller copy/,
    ],
    'a directory beyond the end': [tinyTiff({ next: 0x7fffffff }), /cut off or damaged/],
    'width 0': [tinyTiff({ entries: [long(256, 0)] }), /0 x 16 pixels cannot be/],
    'width 4 billion': [tinyTiff({ entries: [long(256, 0xffffffff)] }), /cannot be/],
    'more pixels than bytes': [
      tinyTiff({ entries: [long(256, 60_000), long(257, 60_000), long(278, 60_000)] }),
      /cannot be read|damaged/,
    ],
    'more pixels than strips': [tinyTiff({ entries: [long(257, 60_000)] }), /needs 3750 strips, found 1/],
    'rows per strip 0': [tinyTiff({ entries: [long(278, 0)] }), /tiles of 16 x 0/],
    'tile of 0': [
      tinyTiff({ entries: [long(322, 0), long(323, 16), long(324, 8), long(325, 256)] }),
      /tiles of 0 x 16/,
    ],
    'a tile of 4 gigabytes': [
      tinyTiff({
        entries: [short(259, 8), long(322, 65_536), long(323, 65_536), long(324, 8), long(325, 256)],
      }),
      /more than the/,
    ],
    'a billion tiles in one entry': [
      tinyTiff({ entries: [{ tag: 273, type: 4, values: [8], count: 2 ** 30 }] }),
      /damaged/,
    ],
    'a description of 4 gigabytes': [
      tinyTiff({ entries: [{ tag: 270, type: 2, values: 'a\0', count: 0xffffffff }] }),
      /damaged/,
    ],
    'bits per sample 0': [tinyTiff({ entries: [short(258, 0)] }), /0 bits/],
    '65535 samples a pixel': [tinyTiff({ entries: [short(277, 65_535)] }), /samples a pixel/],
    'unknown compression': [tinyTiff({ entries: [short(259, 34_712)] }), /JPEG 2000/],
    'palette colours': [tinyTiff({ entries: [short(262, 3)] }), /palette/],
    'a negative': [tinyTiff({ entries: [short(262, 0)] }), /negative \(white is zero\)/],
    'an unknown predictor': [tinyTiff({ entries: [short(317, 9)] }), /predictor 9/],
    'a deflate bomb': [tinyTiff({ data: bomb, entries: [short(259, 8)] }), /cannot be read/],
    'a zstd bomb': [
      tinyTiff({ data: zstdCompressSync(Buffer.alloc(64 * 2 ** 20)), entries: [short(259, 50_000)] }),
      /cannot be read/,
    ],
    'LZW that never ends': [
      tinyTiff({ data: new Uint8Array(4000).fill(0x80), entries: [short(259, 5)] }),
      /cannot be read/,
    ],
    'LZW with codes that are not there': [
      tinyTiff({ data: new Uint8Array(300).fill(0xff), entries: [short(259, 5)] }),
      /LZW/,
    ],
    'PackBits that ends early': [
      tinyTiff({ data: Uint8Array.of(0x81, 5, 0x10), entries: [short(259, 32_773)] }),
      /expected 256 bytes/,
    ],
    'JPEG that is none': [tinyTiff({ entries: [short(259, 7)] }), /JPEG/],
    'a strip cut short': [tinyTiff({ entries: [long(279, 100)] }), /expected 256 bytes, found 100/],
    'no strips at all': [tinyTiff({ without: [273, 279] }), /found 0/],
    'pages without number': [manyPages(60_000), /more than 64 pages/],
    'OME-XML with entities': [
      tinyOme(`<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "${'b'.repeat(999)}">]><OME >&a;</OME>`),
      /document type/,
    ],
    'OME-XML cut off': [tinyOme('<OME ><Image><Pixels SizeX="16"'), /damaged/],
    'OME-XML without end': [tinyOme(`<OME >${'<a>'.repeat(100_000)}`), /nested too deeply/],
    'OME-XML of a million planes': [
      tinyOme(ome(size, '<TiffData IFD="0"/>'.repeat(600_000))),
      /more than 500000/,
    ],
    'OME-XML of a million attributes': [tinyOme(`<OME ${'a="b" '.repeat(500_000)}/>`), /names no image/],
    'OME-XML with other sizes': [
      tinyOme(ome(size.replace('SizeX="16"', 'SizeX="99"'))),
      /says 99 x 16 pixels, found 16 x 16/,
    ],
    'OME-XML with too many channels': [
      tinyOme(ome(size.replace('SizeC="1"', 'SizeC="3"'))),
      /holds 1; the file is cut off/,
    ],
    'OME-XML with a billion channels': [
      tinyOme(ome(size.replace('SizeC="1"', 'SizeC="60000000"'))),
      /channels/,
    ],
    'OME-XML with negative sizes': [tinyOme(ome(size.replace('SizeZ="1"', 'SizeZ="-4"'))), /SizeZ is '-4'/],
    'OME-XML that counts its channels wrongly': [
      tinyOme(ome(size, '<Channel/><Channel/>')),
      /SizeC=1 but describes 2/,
    ],
    'OME-XML that points elsewhere': [
      tinyOme(ome(size, '<TiffData IFD="7"/>')),
      /places channel 0 in image 7/,
    ],
    'OME-XML in another file': [
      tinyOme(
        ome(size, '<TiffData IFD="0"><UUID FileName="../../etc/passwd">urn:uuid:1</UUID></TiffData>').replace(
          '<OME>',
          '<OME UUID="urn:uuid:2">',
        ),
      ),
      /lies in another file/,
    ],
    'ImageJ with more planes than there are': [
      tinyTiff({ entries: [{ tag: 270, type: 2, values: 'ImageJ=1\nimages=9\nchannels=9\n\0' }] }),
      /cut off|damaged/,
    ],
    'ImageJ that cannot count': [
      tinyTiff({ entries: [{ tag: 270, type: 2, values: 'ImageJ=1\nimages=6\nchannels=4\n\0' }] }),
      /6 images but 4 channels/,
    ],
    'a picture of 30,000 x 30,000 pixels': [pngHeader(30_000, 30_000), /cannot be decoded|too many/],
    'a cut-off picture': [pngHeader(8, 8), /cannot be decoded/],
    'a Zeiss file': [Buffer.from('ZISRAWFILE'), /bioformats2raw/],
  };

  /** 60,000 one-pixel images in a chain. */
  function manyPages(count: number): Buffer {
    const one = tinyTiff({ width: 1, height: 1, data: Uint8Array.of(0) }).subarray(9);
    const pages = Buffer.concat(Array.from({ length: count }, () => one));
    for (let i = 0; i < count - 1; i++)
      pages.writeUInt32LE(9 + (i + 1) * one.length, (i + 1) * one.length - 4);
    return Buffer.concat([tinyTiff({ width: 1, height: 1, data: Uint8Array.of(0) }).subarray(0, 9), pages]);
  }

  /** A PNG of which there is nothing but the first chunk. */
  function pngHeader(width: number, height: number): Buffer {
    const png = Buffer.from('89504e470d0a1a0a0000000d4948445200000000000000000802000000', 'hex');
    png.writeUInt32BE(width, 16);
    png.writeUInt32BE(height, 20);
    return png;
  }

  it('of TIFFs, pictures and other files are seen through', async () => {
    const names = Object.keys(tiffs);
    const paths = names.map((name, i) =>
      put(`lie-${i}${name === 'a Zeiss file' ? '.czi' : '.tif'}`, tiffs[name][0]),
    );
    const outcomes = await expectAllClear(paths);
    for (const [i, { result, message }] of outcomes.entries()) {
      const [, wanted] = tiffs[names[i]];
      if (wanted === 'read') expect(result, names[i]).toBe('read');
      else expect(`${result}: ${message}`, names[i]).toMatch(wanted);
    }
  });

  interface ZarrLie {
    readonly array?: object;
    readonly multiscale?: object;
    readonly chunk?: Uint8Array;
    readonly raw?: Readonly<Record<string, string>>;
  }

  /** A 16 x 16 uint8 OME-Zarr with one chunk, but for what is said to be otherwise. */
  function tinyZarr(name: string, lie: ZarrLie): string {
    const array = {
      zarr_format: 3,
      node_type: 'array',
      shape: [16, 16],
      data_type: 'uint8',
      fill_value: 0,
      chunk_grid: { name: 'regular', configuration: { chunk_shape: [16, 16] } },
      chunk_key_encoding: { name: 'default' },
      codecs: [{ name: 'bytes' }],
      ...lie.array,
    };
    const multiscale = {
      axes: [
        { name: 'y', type: 'space' },
        { name: 'x', type: 'space' },
      ],
      datasets: [{ path: '0' }],
      ...lie.multiscale,
    };
    put(
      `${name}/zarr.json`,
      JSON.stringify({
        zarr_format: 3,
        node_type: 'group',
        attributes: { ome: { version: '0.5', multiscales: [multiscale] } },
      }),
    );
    put(`${name}/0/zarr.json`, JSON.stringify(array));
    put(`${name}/0/c/0/0`, lie.chunk ?? new Uint8Array(256).fill(7));
    for (const [file, content] of Object.entries(lie.raw ?? {})) put(`${name}/${file}`, content);
    return join(folder, name);
  }

  const grid = (chunk: number[]) => ({
    chunk_grid: { name: 'regular', configuration: { chunk_shape: chunk } },
  });
  const blosc = Buffer.alloc(64);
  blosc.writeUInt32LE(0x7fffffff, 4);
  blosc.writeUInt32LE(64, 12);
  const sharded = (configuration: object) => ({
    codecs: [
      {
        name: 'sharding_indexed',
        configuration: {
          chunk_shape: [8, 8],
          codecs: [{ name: 'bytes' }],
          index_codecs: [{ name: 'bytes' }, { name: 'crc32c' }],
          ...configuration,
        },
      },
    ],
  });
  const zarrs: Record<string, [ZarrLie, RegExp | 'read']> = {
    good: [{}, 'read'],
    'chunks larger than they are': [{ array: grid([32, 32]) }, /expected 1024 bytes, found 256/],
    'chunks smaller than they are': [{ array: grid([8, 8]) }, /expected 64 bytes, found 256|at most/],
    'chunks of a terabyte': [{ array: grid([2 ** 20, 2 ** 20]) }, /more than the/],
    'chunks of nothing': [{ array: grid([0, 16]) }, /chunk_shape/],
    'chunks of other dimensions': [{ array: grid([16, 16, 16]) }, /3 dimensions/],
    'a negative size': [{ array: { shape: [-1, 16] } }, /shape/],
    'an image of 2^40 pixels': [{ array: { shape: [2 ** 40, 16] } }, /cannot be/],
    'a size that is no number': [{ array: { shape: ['16', 16] } }, /shape/],
    'wider samples than stored': [{ array: { data_type: 'float64' } }, /expected 2048 bytes, found 256/],
    'an unknown sample type': [{ array: { data_type: 'complex128' } }, /complex128/],
    'an unknown codec': [{ array: { codecs: [{ name: 'bytes' }, { name: 'snappy' }] } }, /snappy/],
    'a codec named like a method': [
      { array: { codecs: [{ name: 'bytes' }, { name: 'constructor' }] } },
      /constructor/,
    ],
    'a gzip bomb': [
      {
        array: { codecs: [{ name: 'bytes' }, { name: 'gzip' }] },
        chunk: gzipSync(Buffer.alloc(64 * 2 ** 20)),
      },
      /damaged/,
    ],
    'a zstd bomb': [
      {
        array: { codecs: [{ name: 'bytes' }, { name: 'zstd' }] },
        chunk: zstdCompressSync(Buffer.alloc(64 * 2 ** 20)),
      },
      /damaged/,
    ],
    'a Blosc chunk of 2 gigabytes': [
      { array: { codecs: [{ name: 'bytes' }, { name: 'blosc' }] }, chunk: blosc },
      /Blosc header/,
    ],
    'a Blosc chunk of noise': [
      { array: { codecs: [{ name: 'bytes' }, { name: 'blosc' }] }, chunk: bloscNoise() },
      /damaged|expected/,
    ],
    'a path out of the folder': [
      { multiscale: { datasets: [{ path: '../../../../etc' }] } },
      /outside the slide/,
    ],
    'an array that is not there': [{ multiscale: { datasets: [{ path: '0' }, { path: '1' }] } }, /not there/],
    'a level larger than the image': [
      { multiscale: { datasets: [{ path: '0' }, { path: 'big' }] }, raw: { 'big/zarr.json': '' } },
      /JSON|smaller/,
    ],
    'too few axes': [{ multiscale: { axes: [{ name: 'x' }] } }, /1 axes but the array has 2/],
    'axes without x': [{ multiscale: { axes: [{ name: 'q' }, { name: 'y' }] } }, /expected x and y/],
    'no levels': [{ multiscale: { datasets: [] } }, /datasets/],
    'metadata that are no JSON': [{ raw: { '0/zarr.json': '{"shape": [16' } }, /JSON/],
    'metadata nested without end': [{ raw: { '0/zarr.json': '['.repeat(2_000_000) } }, /JSON|damaged|wrong/],
    'metadata of null': [{ raw: { '0/zarr.json': 'null' } }, /not there/],
    'shards that chunks do not fill': [{ array: sharded({ chunk_shape: [7, 8] }) }, /do not fill shards/],
    'a shard without its index': [{ array: sharded({}), chunk: new Uint8Array(10) }, /cut off/],
    'a shard with a wrong index': [
      { array: sharded({}), chunk: new Uint8Array(256 + 68) },
      /index of its shard/,
    ],
  };

  function bloscNoise(): Buffer {
    const chunk = Buffer.from(Uint8Array.from({ length: 200 }, (_, i) => (i * 97) & 255));
    chunk.set([2, 1, 0x21, 1]);
    chunk.writeUInt32LE(256, 4);
    chunk.writeUInt32LE(256, 8);
    chunk.writeUInt32LE(200, 12);
    return chunk;
  }

  it('of Zarr metadata and chunks are seen through', async () => {
    const names = Object.keys(zarrs);
    const paths = names.map((name, i) => tinyZarr(`lie-${i}.ome.zarr`, zarrs[name][0]));
    const outcomes = await expectAllClear(paths);
    for (const [i, { result, message }] of outcomes.entries()) {
      const [, wanted] = zarrs[names[i]];
      if (wanted === 'read') expect(result, names[i]).toBe('read');
      else expect(`${result}: ${message}`, names[i]).toMatch(wanted);
    }
  });

  it('folders without images, and files that are not there, get one sentence', async () => {
    mkdirSync(join(folder, 'nothing'));
    const [nothing, absent] = await expectAllClear([join(folder, 'nothing'), join(folder, 'absent.tif')]);
    expect(nothing.message).toMatch(/holds no images/);
    expect(absent.message).toMatch(/does not exist/);
  });
});

describe('fuzz', () => {
  /** Small files of every structure the readers know, to be mutated. */
  const seeds: Buffer[] = [
    tinyTiff(),
    tinyTiff({
      data: deflateSync(new Uint8Array(256).fill(9)),
      entries: [
        { tag: 259, type: 3, values: [8] },
        { tag: 317, type: 3, values: [2] },
      ],
    }),
    tinyTiff({
      data: Uint8Array.of(0x80, 0x0b, 0x60, 0x50, 0x22, 0x0c, 0x0c, 0x85, 0x01),
      entries: [{ tag: 259, type: 3, values: [5] }],
    }),
    tinyTiff({ data: Uint8Array.of(0x81, 5, 0x81, 6), entries: [{ tag: 259, type: 3, values: [32_773] }] }),
    tinyOme(
      '<OME><Image ID="i"><Pixels SizeX="16" SizeY="16" SizeC="1" SizeZ="1" SizeT="1" PhysicalSizeX="0.5"><Channel Name="DAPI"/><TiffData IFD="0"/></Pixels></Image></OME>',
    ),
    tinyTiff({
      entries: [
        { tag: 270, type: 2, values: 'ImageJ=1\nimages=1\nunit=um\n\0' },
        { tag: 330, type: 13, values: [264] },
      ],
    }),
  ];
  const runs = 1000;

  it(`${runs} mutated files are read or refused by an error of ours`, async () => {
    const mutation = fc.record({
      at: fc.nat(),
      kind: fc.constantFrom('set', 'flip', 'insert', 'remove', 'word'),
      value: fc.nat(0xffffffff),
    });
    const path = join(folder, 'fuzz.tif');
    const property = fc.asyncProperty(
      fc.nat(seeds.length - 1),
      fc.array(mutation, { minLength: 1, maxLength: 6 }),
      async (seed, mutations) => {
        let bytes = Buffer.from(seeds[seed]);
        for (const { at, kind, value } of mutations) {
          const place = at % Math.max(1, bytes.length);
          if (kind === 'set') bytes[place] = value & 255;
          else if (kind === 'flip') bytes[place] ^= 1 << (value % 8);
          else if (kind === 'word' && place + 4 <= bytes.length) bytes.writeUInt32LE(value, place);
          else if (kind === 'insert')
            bytes = Buffer.concat([bytes.subarray(0, place), Buffer.of(value & 255), bytes.subarray(place)]);
          else if (kind === 'remove')
            bytes = Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + 1)]);
        }
        writeFileSync(path, bytes);
        try {
          const source = await openSlide(path);
          try {
            const region = {
              x: 0,
              y: 0,
              width: Math.min(300, source.width),
              height: Math.min(300, source.height),
            };
            const raster = await source.read(region, [source.channels.length - 1]);
            expect(raster.data).toHaveLength(region.width * region.height);
          } finally {
            await source.close();
          }
        } catch (error) {
          expect(error).toBeInstanceOf(HrpnError);
          expect((error as HrpnError).fault).toBe('input');
          expect((error as Error).message).not.toMatch(/\bundefined\b|\[object/);
        }
      },
    );
    await fc.assert(property, { numRuns: runs, seed: 7 });
  });
});

describe('what is no file', () => {
  it('a pipe in a slide folder, and metadata that are null, are answered at once', async () => {
    mkdirSync(join(folder, 'piped'));
    execFileSync('mkfifo', [join(folder, 'piped', 'DAPI.tif')]);
    put('piped.zarr/.zattrs', '');
    rmSync(join(folder, 'piped.zarr', '.zattrs'));
    execFileSync('mkfifo', [join(folder, 'piped.zarr', '.zattrs')]);
    put('null.zarr/.zattrs', 'null');
    await expect(openSlide(join(folder, 'piped'))).rejects.toThrow(/is no file with pixels/);
    for (const name of ['piped.zarr', 'null.zarr'])
      await expect(openSlide(join(folder, name))).rejects.toBeInstanceOf(HrpnError);
  });

  it('a tag that claims a whole file of values where one is wanted costs no more than one', async () => {
    // An image, and smaller copies whose size is an array of nearly all bytes of the file.
    const pages = 4000;
    const length = 2 + 8 * 12 + 4;
    const total = 8 + pages * length;
    const file = Buffer.alloc(total);
    file.write('II*\0\b', 'latin1');
    for (let i = 0; i < pages; i++) {
      let at = 8 + i * length;
      at = file.writeUInt16LE(8, at);
      const entry = (tag: number, type: number, count: number, value: number): void => {
        at = file.writeUInt32LE(
          value,
          file.writeUInt32LE(count, file.writeUInt16LE(type, file.writeUInt16LE(tag, at))),
        );
      };
      entry(254, 4, 1, Number(i > 0));
      for (const tag of [256, 257]) entry(tag, i > 0 ? 1 : 4, i > 0 ? total - 8 : 1, i > 0 ? 8 : 16);
      entry(258, 3, 1, 8);
      entry(259, 3, 1, 1);
      entry(273, 4, 1, 8);
      entry(278, 4, 1, 16);
      entry(279, 4, 1, 256);
      file.writeUInt32LE(i === pages - 1 ? 0 : 8 + (i + 1) * length, at);
    }
    await expectAllClear([put('claims.tif', file)]);
  });
});
