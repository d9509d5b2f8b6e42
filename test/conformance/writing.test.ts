// What we write, read back by other software: tifffile, libvips, numcodecs after the Zarr specification, and the
// libraries of the Viv viewer.

import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createRaster, cropRaster, type Raster } from '../../src/core/raster.ts';
import { Rng } from '../../src/core/rng.ts';
import { createSlide, type SlideDescription } from '../../src/slide/create-slide.ts';
import { openSlide } from '../../src/slide/open-slide.ts';
import { omeXml } from '../../src/slide/write/ome-xml-text.ts';
import { layOutTiff } from '../../src/slide/write/tiff-layout.ts';
import { SmallDomParser } from './small-dom.ts';
import { missingTools, runPython, runTool } from './tools.ts';

/** Odd at two levels. */
const [width, height] = [1102, 541];
const names = ['probe', 'probe lower <0.90> & "µ"'];

/** Values beyond both ends of uint8, NaN where the type has it. */
function drawRaster(): Raster {
  const rng = new Rng(5);
  const raster = createRaster(2, height, width);
  for (let i = 0; i < raster.data.length; i++) {
    raster.data[i] = 150 * Math.sin((i % width) / 30) + 120 + rng.normal(0, 8);
  }
  raster.data.fill(Number.NaN, 5 * width + 100, 5 * width + 103);
  return raster;
}

/** One level smaller, pixel by pixel: the average of the numbers among 2 x 2, rounded as the type is. */
function halvedPlainly({ channels, width: w, height: h, data }: Raster, isInteger: boolean): Raster {
  const out = createRaster(channels, Math.ceil(h / 2), Math.ceil(w / 2));
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < out.height; y++) {
      for (let x = 0; x < out.width; x++) {
        const values: number[] = [];
        for (const [dy, dx] of [
          [0, 0],
          [0, 1],
          [1, 0],
          [1, 1],
        ]) {
          const [yy, xx] = [2 * y + dy, 2 * x + dx];
          if (yy < h && xx < w) values.push(data[(c * h + yy) * w + xx]);
        }
        const numbers = values.filter((value) => !Number.isNaN(value));
        const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
        out.data[(c * out.height + y) * out.width + x] = isInteger ? Math.round(mean) : mean;
      }
    }
  }
  return out;
}

const known = new Map<string, Raster[]>();

/** The levels that must be in the file. */
function expectedLevels(sampleType: SlideDescription['sampleType']): Raster[] {
  const held = known.get(sampleType) ?? makeLevels(sampleType);
  known.set(sampleType, held);
  return held;
}

function makeLevels(sampleType: SlideDescription['sampleType']): Raster[] {
  const isInteger = sampleType !== 'float32';
  const full = drawRaster();
  const max = sampleType === 'uint8' ? 255 : 65_535;
  if (isInteger) {
    full.data.forEach((value, i) => {
      full.data[i] = Number.isNaN(value) ? 0 : Math.min(max, Math.max(0, Math.round(value)));
    });
  }
  const half = halvedPlainly(full, isInteger);
  return [full, half, halvedPlainly(half, isInteger)];
}

async function write(
  path: string,
  sampleType: SlideDescription['sampleType'],
  compression?: SlideDescription['compression'],
): Promise<void> {
  const sink = await createSlide(path, {
    width,
    height,
    sampleType,
    compression,
    pixelSizeUm: 0.6897,
    channels: [{ name: names[0], color: 0xff8000, role: 'probe' }, { name: names[1] }],
    description: 'predicted',
    annotations: { model: 'sha256:1234', command: "hrpn predict 'a' <b>" },
  });
  const raster = drawRaster();
  const regions: { x: number; y: number; width: number; height: number }[] = [];
  for (let y = 0; y < height; y += 333) {
    for (let x = 0; x < width; x += 333) {
      regions.push({ x, y, width: Math.min(333, width - x), height: Math.min(333, height - y) });
    }
  }
  for (const i of new Rng(9).permutation(regions.length)) {
    await sink.write(regions[i].x, regions[i].y, cropRaster(raster, regions[i]));
  }
  await sink.finish();
}

function expectValues(found: ArrayLike<number>, expected: Raster, what: string): void {
  expect(found.length, what).toBe(expected.data.length);
  let worst = 0;
  for (let i = 0; i < found.length; i++) {
    const [a, b] = [found[i], expected.data[i]];
    if (!(Number.isNaN(a) && Number.isNaN(b)))
      worst = Math.max(worst, Number.isNaN(a - b) ? Infinity : Math.abs(a - b));
  }
  // Averages are sums of four float32 in another order.
  expect(worst, what).toBeLessThanOrEqual(1e-4);
}

const kinds = [
  ['float32.ome.tif', 'float32', undefined],
  ['uint16.ome.tif', 'uint16', 'deflate'],
  ['uint8.ome.tif', 'uint8', 'none'],
  ['float32.ome.zarr', 'float32', undefined],
  ['uint16.ome.zarr', 'uint16', 'deflate'],
  ['uint8.ome.zarr', 'uint8', 'none'],
] as const;

const folder = mkdtempSync(join(tmpdir(), 'hrpn-writing-'));
beforeAll(async () => {
  for (const [name, sampleType, compression] of kinds)
    await write(join(folder, name), sampleType, compression);
  await write(join(folder, 'zstd.ome.tif'), 'float32', 'zstd');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each(kinds)('%s is read back by our own reader', async (name, sampleType) => {
  const source = await openSlide(join(folder, name));
  expect(source.pixelSizeUm).toBe(0.6897);
  expect(source.channels).toEqual([
    { name: names[0], sampleType, color: 0xff8000, role: 'probe' },
    name.endsWith('tif') ? { name: names[1], sampleType } : { name: names[1], sampleType, color: 0xffffff },
  ]);
  for (const [level, expected] of expectedLevels(sampleType).entries()) {
    const { data } = await source.read({ x: 0, y: 0, ...source.levels[level] }, [0, 1], { level });
    expectValues(data, expected, `level ${level}`);
  }
  await source.close();
});

/** A slide of 5 GiB, of which only the last tile is on disk; the rest is a hole in the file. */
async function writeHuge(path: string): Promise<void> {
  const edge = 16_384;
  const tileBytes = 512 * 512 * 4;
  const slide: SlideDescription = {
    width: edge,
    height: edge,
    sampleType: 'float32',
    compression: 'none',
    pixelSizeUm: 1,
    channels: Array.from({ length: 5 }, (_, c) => ({ name: `c${c}` })),
  };
  const tiles = (edge / 512) ** 2;
  const image = { width: edge, height: edge, tileLengths: new Array<number>(tiles).fill(tileBytes) };
  const { head, tileOffsets } = layOutTiff(
    slide,
    slide.channels.map(() => [image]),
    1,
    omeXml(slide),
  );
  const file = await open(path, 'w');
  await file.write(head, 0, head.length, 0);
  const last = tileOffsets[4][0][tiles - 1];
  expect(last).toBeGreaterThan(2 ** 32);
  await file.write(new Uint8Array(new Float32Array(512 * 512).fill(42.5).buffer), 0, tileBytes, last);
  await file.close();
}

it('above 4 GiB the file is a BigTIFF', async () => {
  const path = join(folder, 'huge.ome.tif');
  await writeHuge(path);
  const source = await openSlide(path);
  const { data } = await source.read({ x: 15_871, y: 16_383, width: 2, height: 1 }, [3, 4]);
  await source.close();
  expect([...data]).toEqual([0, 0, 0, 42.5]);
  if (missingTools === undefined) {
    expect(Number(await runTool('vips', 'getpoint', `${path}[page=4]`, '16383', '16383'))).toBe(42.5);
    expect(await runTool('tiffinfo', path)).toMatch(/Image Width: 16384/);
  }
});

describe.skipIf(missingTools !== undefined)(`other software ${missingTools ?? ''}`, () => {
  it.each(kinds)(
    '%s is read back by tifffile, or by numcodecs after the Zarr specification',
    async (name, sampleType) => {
      const out = join(folder, `${name}-values`);
      mkdirSync(out);
      const said = JSON.parse(await runPython('read-back.py', join(folder, name), out));
      const levels = expectedLevels(sampleType);
      expect(said).toMatchObject({
        levels: levels.map((raster) => [2, raster.height, raster.width]),
        dtype: sampleType,
        names,
        pixelSizeUm: 0.6897,
        annotations: { 'role: probe': 'probe', model: 'sha256:1234', command: "hrpn predict 'a' <b>" },
      });
      for (const [level, expected] of levels.entries()) {
        const bytes = readFileSync(join(out, `${level}.values`));
        expectValues(
          new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8),
          expected,
          `level ${level}`,
        );
      }
    },
  );

  it.each(['float32.ome.tif', 'zstd.ome.tif', 'uint16.ome.tif', 'uint8.ome.tif'])(
    '%s is read back by libvips',
    async (name) => {
      const sampleType = name.startsWith('uint')
        ? name.startsWith('uint8')
          ? 'uint8'
          : 'uint16'
        : 'float32';
      const Samples = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array }[
        sampleType as 'uint8'
      ];
      for (const [level, expected] of expectedLevels(sampleType).entries()) {
        const found: number[] = [];
        for (const page of [0, 1]) {
          const raw = join(folder, 'vips.raw');
          const subifd = level === 0 ? '' : `,subifd=${level - 1}`;
          await runTool('vips', 'rawsave', `${join(folder, name)}[page=${page}${subifd}]`, raw);
          const bytes = readFileSync(raw);
          for (const value of new Samples(
            bytes.buffer,
            bytes.byteOffset,
            bytes.length / Samples.BYTES_PER_ELEMENT,
          ))
            found.push(value);
        }
        expectValues(found, expected, `level ${level}`);
      }
    },
  );
});

// The viewer's libraries belong to the studio's workspace.
const studio = createRequire(new URL('../../studio/package.json', import.meta.url));
const resolved = ((): string | undefined => {
  try {
    return studio.resolve('@vivjs/loaders');
  } catch {
    return undefined;
  }
})();

describe.skipIf(resolved === undefined)(
  `the Viv viewer ${resolved === undefined ? '(@vivjs/loaders is not installed)' : ''}`,
  () => {
    let server: Server;
    let base: string;
    beforeAll(async () => {
      server = serve(folder);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterAll(() => server.close());

    it.each(kinds)('%s is read back over HTTP, every level', async (name, sampleType) => {
      vi.stubGlobal('DOMParser', SmallDomParser);
      const viv = await import(pathToFileURL(resolved!).href);
      const isTiff = name.endsWith('.tif');
      const { data, metadata } = isTiff
        ? await viv.loadOmeTiff(`${base}/${name}`)
        : await viv.loadOmeZarr(`${base}/${name}`, { type: 'multiscales' });
      vi.unstubAllGlobals();
      const levels = expectedLevels(sampleType);
      expect(data.length).toBe(levels.length);
      for (const [level, expected] of levels.entries()) {
        const found: number[] = [];
        for (const c of [0, 1]) {
          const selection = isTiff ? { c, z: 0, t: 0 } : { c };
          for (const value of (await data[level].getRaster({ selection })).data) found.push(value);
        }
        expectValues(found, expected, `level ${level}`);
      }
      const channels: { Name?: string; label?: string }[] = isTiff
        ? metadata.Pixels.Channels
        : metadata.omero.channels;
      expect(channels.map(({ Name, label }) => Name ?? label)).toEqual(names);
      if (isTiff) {
        expect(metadata.Pixels).toMatchObject({ PhysicalSizeX: 0.6897, PhysicalSizeXUnit: 'µm' });
        expect(metadata.Pixels.Channels[0].Color).toEqual([255, 128, 0, 255]);
      }
    });

    it('and our own reader reads the OME-Zarr over HTTP as well', async () => {
      const source = await openSlide(`${base}/float32.ome.zarr`);
      const { data } = await source.read({ x: 0, y: 0, width, height }, [0, 1]);
      expectValues(data, expectedLevels('float32')[0], 'level 0');
      await source.close();
      await expect(openSlide(`${base}/float32.ome.tif`)).rejects.toThrow(/no OME-Zarr is at this address/);
      await expect(openSlide('http://127.0.0.1:1/x.zarr')).rejects.toThrow(
        /cannot be read.*Check the address/,
      );
    });
  },
);

/** A plain file server that knows byte ranges. */
function serve(root: string): Server {
  return createServer((request, response) => {
    const file = join(root, decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname));
    if (!existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    const { size } = statSync(file);
    const range = /bytes=(\d*)-(\d*)/.exec(request.headers.range ?? '');
    if (range === null) {
      response.writeHead(200, { 'Content-Length': size });
      createReadStream(file).pipe(response);
      return;
    }
    const start = range[1] === '' ? size - Number(range[2]) : Number(range[1]);
    const end = range[1] === '' || range[2] === '' ? size - 1 : Math.min(Number(range[2]), size - 1);
    response.writeHead(206, {
      'Content-Range': `bytes ${start}-${end}/${size}`,
      'Content-Length': end - start + 1,
    });
    createReadStream(file, { start, end }).pipe(response);
  });
}
