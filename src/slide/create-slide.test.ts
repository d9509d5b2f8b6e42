// That a slide appears complete or not at all, and with the same bytes however it was written. What other programs
// read out of it is tested in test/conformance.
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { createRaster, cropRaster, type Region } from '../core/raster.ts';
import { Rng } from '../core/rng.ts';
import { createSlide, type SlideDescription, type SlideSink, valueScaleFor } from './create-slide.ts';
import { openSlide } from './open-slide.ts';

/** The path that cannot be renamed. */
const failing = vi.hoisted((): { rename?: string } => ({}));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const rename: typeof real.rename = async (from, to) => {
    if (from === failing.rename) throw new Error('killed');
    await real.rename(from, to);
  };
  return { ...real, rename };
});

const folder = mkdtempSync(join(tmpdir(), 'hrpn-create-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [width, height] = [1500, 1100];
const raster = createRaster(2, height, width);
const rng = new Rng(3);
for (let i = 0; i < raster.data.length; i++) raster.data[i] = (Math.floor(i / 700) % 251) + rng.integer(3);
const slide: SlideDescription = {
  width,
  height,
  channels: [{ name: 'a' }, { name: 'b' }],
  sampleType: 'uint8',
  pixelSizeUm: 1,
};

function regionsOf(edge: number): Region[] {
  const regions: Region[] = [];
  for (let y = 0; y < height; y += edge) {
    for (let x = 0; x < width; x += edge) {
      regions.push({ x, y, width: Math.min(edge, width - x), height: Math.min(edge, height - y) });
    }
  }
  return regions;
}

/** Writes what is not written yet. @returns how many regions were there already */
async function writeAll(sink: SlideSink, regions: readonly Region[]): Promise<number> {
  let skipped = 0;
  for (const region of regions) {
    if (sink.isWritten(region)) skipped++;
    else await sink.write(region.x, region.y, cropRaster(raster, region));
  }
  return skipped;
}

/** Of all files of a slide with their names. */
function fingerprint(path: string): string {
  const hash = createHash('sha256');
  const files = statSync(path).isFile()
    ? ['']
    : readdirSync(path, { recursive: true })
        .map(String)
        .filter((name) => statSync(join(path, name)).isFile())
        .sort();
  for (const name of files) hash.update(name).update(readFileSync(join(path, name)));
  return hash.digest('hex');
}

describe.each(['ome.tif', 'ome.zarr'])('%s', (ending) => {
  const reference = join(folder, `reference.${ending}`);
  const written = (async () => {
    const sink = await createSlide(reference, slide);
    await writeAll(sink, regionsOf(400));
    await sink.finish();
    return fingerprint(reference);
  })();

  it('has the same bytes in any order and any size of regions', async () => {
    const path = join(folder, `shuffled.${ending}`);
    const sink = await createSlide(path, slide);
    const regions = regionsOf(270);
    await writeAll(
      sink,
      [...new Rng(1).permutation(regions.length)].map((i) => regions[i]),
    );
    await sink.finish();
    expect(fingerprint(path)).toBe(await written);
    expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([]);
  });

  it('has the same bytes when it was interrupted at any time and continued with other regions', async () => {
    const path = join(folder, `resumed.${ending}`);
    const regions = regionsOf(256);
    let skipped = 0;
    for (const stop of [3, 8, 14, 21]) {
      const sink = await createSlide(path, slide, { resume: true });
      skipped += await writeAll(sink, regions.slice(0, stop));
      await sink.suspend();
      expect(existsSync(path)).toBe(false);
    }
    const last = await createSlide(path, slide, { resume: true });
    skipped += await writeAll(last, regionsOf(300));
    await last.finish();
    expect(skipped).toBeGreaterThan(10);
    expect(fingerprint(path)).toBe(await written);
  });

  it('has the same bytes after a crash that cut its unfinished files anywhere', async () => {
    const path = join(folder, `crashed.${ending}`);
    const sink = await createSlide(path, slide);
    await writeAll(sink, regionsOf(256).slice(0, 22));
    await sink.suspend();
    const draw = new Rng(8);
    for (let round = 0; round < 4; round++) {
      const copy = join(folder, `crashed-${round}.${ending}`);
      cpSync(`${path}.partial`, `${copy}.partial`, { recursive: true });
      const files = readdirSync(`${copy}.partial`, { recursive: true })
        .map((name) => join(`${copy}.partial`, String(name)))
        .filter((name) => statSync(name).isFile() && !name.endsWith('.json'));
      for (const file of files.slice(round)) truncateSync(file, draw.integer(statSync(file).size + 1));
      const resumed = await createSlide(copy, slide, { resume: true });
      await writeAll(resumed, regionsOf(256));
      await resumed.finish();
      expect(fingerprint(copy)).toBe(await written);
    }
    await (await createSlide(path, slide, { resume: true })).abort();
  });

  it('leaves nothing after abort, and nothing of an earlier attempt without resume', async () => {
    const path = join(folder, `aborted.${ending}`);
    const first = await createSlide(path, slide);
    await writeAll(first, regionsOf(600));
    await first.suspend();
    const second = await createSlide(path, slide);
    expect(second.isWritten({ x: 0, y: 0, width: 10, height: 10 })).toBe(false);
    await second.abort();
    expect(existsSync(path) || existsSync(`${path}.partial`)).toBe(false);
  });

  it('does not continue the beginnings of another slide', async () => {
    const path = join(folder, `other.${ending}`);
    await (await createSlide(path, slide)).suspend();
    const changed = { ...slide, annotations: { model: 'another' } };
    await expect(createSlide(path, changed, { resume: true })).rejects.toThrow(
      /other settings.*without --resume/,
    );
    await (await createSlide(path, slide, { resume: true })).abort();
  });

  it('is not finished while regions are missing, and replaces what was there only then', async () => {
    const path = join(folder, `short.${ending}`);
    cpSync(reference, path, { recursive: true });
    const sink = await createSlide(path, slide);
    await writeAll(sink, regionsOf(400).slice(1));
    await expect(sink.finish()).rejects.toThrow(/was never written/);
    await sink.abort();
    expect(fingerprint(path)).toBe(await written);
  });
});

it.each(['ome.tif', 'ome.zarr'])(
  'integers with a recorded scale read back as the values, within half a step, NaN included (%s)',
  async (ending) => {
    const path = join(folder, `scaled.${ending}`);
    const valueScale = valueScaleFor(-3, 40, 'uint16');
    const values = createRaster(1, 300, 700);
    values.data.forEach((_, i) => {
      values.data[i] = i % 97 === 0 ? Number.NaN : -3 + (43 * (i % 1013)) / 1012;
    });
    const sink = await createSlide(path, {
      width: 700,
      height: 300,
      channels: [{ name: 'probe' }],
      sampleType: 'uint16',
      pixelSizeUm: 1,
      valueScale,
    });
    await sink.write(0, 0, values);
    await sink.finish();
    const source = await openSlide(path);
    expect(source.channels[0].sampleType).toBe('float32');
    expect(source.format).toMatch(/uint16 with a recorded scale/);
    const full = await source.read({ x: 0, y: 0, width: 700, height: 300 }, [0]);
    const half = await source.read({ x: 0, y: 0, width: 350, height: 150 }, [0], { level: 1 });
    await source.close();
    // Half a step, and the rounding of float32 at 40.
    const tolerance = valueScale.scale / 2 + 4e-6;
    values.data.forEach((value, i) => {
      if (Number.isNaN(value) ? !Number.isNaN(full.data[i]) : Math.abs(full.data[i] - value) > tolerance) {
        expect.fail(`pixel ${i}: ${full.data[i]}, expected ${value}`);
      }
    });
    // A missing pixel does not pull the average of its neighbours down: the first is of pixels 1, 700 and 701.
    const mean = (values.data[1] + values.data[700] + values.data[701]) / 3;
    expect(Math.abs(half.data[0] - mean)).toBeLessThan(2 * tolerance);
  },
);

it('a Zarr that cannot take the place of an earlier one keeps both, and is finished later', async () => {
  const path = join(folder, 'killed.ome.zarr');
  cpSync(join(folder, 'reference.ome.zarr'), path, { recursive: true });
  const before = fingerprint(path);
  const sink = await createSlide(path, { ...slide, description: 'new' });
  await writeAll(sink, regionsOf(400));
  // As if the process ended between the two renames.
  failing.rename = `${path}.partial`;
  await expect(sink.finish()).rejects.toThrow();
  failing.rename = undefined;
  await sink.suspend();
  expect(fingerprint(`${path}.replaced`)).toBe(before);
  const resumed = await createSlide(path, { ...slide, description: 'new' }, { resume: true });
  expect(await writeAll(resumed, regionsOf(400))).toBe(regionsOf(400).length);
  await resumed.finish();
  expect(fingerprint(path)).not.toBe(before);
  expect(readdirSync(folder).filter((name) => name.startsWith('killed'))).toEqual(['killed.ome.zarr']);
  expect(readdirSync(path)).not.toContain('unfinished.json');
});

it('refuses a name that says no format, and a folder that holds other things', async () => {
  await expect(createSlide(join(folder, 'x.png'), slide)).rejects.toThrow(/expected a name that ends in/);
  const busy = join(folder, 'busy.zarr');
  cpSync(join(folder, 'reference.ome.zarr', '0'), busy, { recursive: true });
  rmSync(join(busy, 'zarr.json'));
  await expect(createSlide(busy, slide)).rejects.toThrow(/other things in it/);
  renameSync(busy, join(folder, 'busy.tif'));
  await expect(createSlide(join(folder, 'busy.tif'), slide)).rejects.toThrow(
    /is a folder and is not replaced/,
  );
  writeFileSync(busy, 'text');
  await expect(createSlide(busy, slide)).rejects.toThrow(/is no OME-Zarr/);
  expect(readFileSync(busy, 'utf8')).toBe('text');
  const file = join(folder, 'file');
  writeFileSync(file, '');
  await expect(createSlide(join(file, 'x.ome.tif'), slide)).rejects.toThrow(/cannot be written/);
});
