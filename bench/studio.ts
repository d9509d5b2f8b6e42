// How soon the studio shows a slide of 8192 x 8192 px, when every tile in view is there, and whether tiles stay blank
// while it is moved. Measured in a real Chromium from the frames that it presents.
// Usage: node bench/studio.ts [SLIDE [ROUNDS]]
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { buildStudio } from '../src/cli/studio-app.ts';
import { createRaster } from '../src/core/raster.ts';
import { startStudio } from '../src/server/start-studio.ts';
import { createSlide } from '../src/slide/create-slide.ts';
import { launchBrowser } from '../test/studio/browser.ts';

const sizePx = 8192;
const rounds = Number(process.argv[3] ?? 5);

interface Frame {
  /** Seconds since 1970. */
  readonly at: number;
  readonly jpeg: Buffer;
}

const base = await mkdtemp(join(tmpdir(), 'hrpn-bench-studio-'));
try {
  const given = process.argv[2];
  const slide = given === undefined ? await drawSlide(join(base, 'slide.ome.tif')) : resolve(given);
  const app = join(base, 'app');
  await buildStudio(app);
  const studio = await startStudio({ dir: dirname(slide), port: 0 }, app);
  const browser = await launchBrowser();
  try {
    const first: number[] = [];
    const whole: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
      const page = await context.newPage();
      page.setDefaultTimeout(120_000);
      // An empty page of the same process, so that the start of the browser itself is not counted.
      await page.goto('about:blank');
      let loadedAt = 0;
      const opened = await record(page, async () => {
        await page.goto(`${studio.url}#/view?slide=${basename(slide)}`);
        await page.locator('[data-testid=stage][data-loaded=true]').waitFor();
        loadedAt = Date.now() / 1000;
      });
      first.push(await secondsToPixels(opened));
      whole.push(loadedAt - opened.startedAt);
      if (round === rounds - 1) {
        // Said before the panning, which takes minutes where there is no graphics card.
        const firstPixelsSeconds = medianAndWorst(first);
        const everyTileSeconds = medianAndWorst(whole);
        console.log(JSON.stringify({ slidePx: sizePx, rounds, firstPixelsSeconds, everyTileSeconds }));
        await page.getByTestId('slide-canvas').focus();
        const panned = await record(page, () => pan(page));
        const longest = await longestBlankMs(panned.frames);
        console.log(JSON.stringify({ longestBlankMs: longest, framesLookedAt: panned.frames.length }));
      }
      await context.close();
    }
  } finally {
    await browser.close();
    await studio.close();
  }
} finally {
  await rm(base, { recursive: true, force: true });
}

function medianAndWorst(seconds: readonly number[]): { median: number; worst: number } {
  const sorted = [...seconds].sort((a, b) => a - b);
  const rounded = (i: number): number => Number(sorted[i].toFixed(2));
  return { median: rounded(sorted.length >> 1), worst: rounded(sorted.length - 1) };
}

/** Zooms to full resolution and moves across the slide, as by holding keys and dragging. */
async function pan(page: Page): Promise<void> {
  for (const key of ['+', '+', '+', '+']) await page.keyboard.press(key);
  const box = await page.getByTestId('slide-canvas').boundingBox();
  if (box === null) throw new Error('the slide is not shown');
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  for (const [dx, dy] of [
    [-500, 0],
    [0, -350],
    [500, 0],
    [0, 350],
  ]) {
    await page.mouse.move(x - dx / 2, y - dy / 2);
    await page.mouse.down();
    await page.mouse.move(x + dx / 2, y + dy / 2, { steps: 24 });
    await page.mouse.up();
  }
  await page.waitForTimeout(500);
}

/** Every frame that the browser presents while something is done. */
async function record(
  page: Page,
  work: () => Promise<void>,
): Promise<{ startedAt: number; frames: Frame[] }> {
  const session = await page.context().newCDPSession(page);
  const frames: Frame[] = [];
  session.on('Page.screencastFrame', ({ data, metadata, sessionId }) => {
    frames.push({ at: metadata.timestamp ?? Number.NaN, jpeg: Buffer.from(data, 'base64') });
    void session.send('Page.screencastFrameAck', { sessionId }).catch(() => {});
  });
  await session.send('Page.startScreencast', { format: 'jpeg', quality: 60, everyNthFrame: 1 });
  const startedAt = Date.now() / 1000;
  await work();
  await session.send('Page.stopScreencast');
  await session.detach();
  return { startedAt, frames };
}

async function secondsToPixels({
  startedAt,
  frames,
}: {
  startedAt: number;
  frames: Frame[];
}): Promise<number> {
  for (const { at, jpeg } of frames)
    if ((await blankShare(jpeg)) < 0.5) return Number((at - startedAt).toFixed(3));
  return Number.NaN;
}

/** The longest time for which some part of the slide in view was blank. */
async function longestBlankMs(frames: readonly Frame[]): Promise<number> {
  let longest = 0;
  let since: number | undefined;
  for (const { at, jpeg } of frames) {
    if ((await blankShare(jpeg)) > 0) since ??= at;
    else since = undefined;
    if (since !== undefined) longest = Math.max(longest, (at - since) * 1000);
  }
  return Math.round(longest);
}

/** Share of black blocks in the middle of the picture, where there is slide; the drawn slide has no black in it. */
async function blankShare(jpeg: Buffer): Promise<number> {
  const { width = 0, height = 0 } = await sharp(jpeg).metadata();
  const region = {
    left: Math.round(width * 0.28),
    top: Math.round(height * 0.2),
    width: Math.round(width * 0.36),
    height: Math.round(height * 0.55),
  };
  const columns = 12;
  const rows = 12;
  const { data } = await sharp(jpeg)
    .extract(region)
    .resize(columns, rows, { fit: 'fill', kernel: 'cubic' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const isLight = data.reduce((sum, value) => sum + value, 0) / data.length > 200;
  // The page before the viewer is there is light and shows no slide either.
  if (isLight) return 1;
  let blank = 0;
  for (let i = 0; i < columns * rows; i++) if (data[3 * i] + data[3 * i + 1] + data[3 * i + 2] < 30) blank++;
  return blank / (columns * rows);
}

/** Three channels of 16 bits with noise, as hard to compress as a camera's. */
async function drawSlide(path: string): Promise<string> {
  if (existsSync(path)) return path;
  console.error(`drawing ${path}`);
  const channels = ['CD31', 'DAPI', 'QD'].map((name) => ({ name }));
  const sink = await createSlide(path, {
    width: sizePx,
    height: sizePx,
    channels,
    sampleType: 'uint16',
    pixelSizeUm: 0.5,
  });
  const tile = 512;
  for (let y = 0; y < sizePx; y += tile) {
    for (let x = 0; x < sizePx; x += tile) {
      const raster = createRaster(3, tile, tile);
      for (let j = 0; j < tile; j++) {
        for (let i = 0; i < tile; i++) {
          const at = j * tile + i;
          const noise = (Math.imul(at ^ (x << 7) ^ (y << 3), 2654435761) >>> 22) / 8;
          const [px, py] = [x + i, y + j];
          const vessel = Math.max(0, Math.sin(px / 40 + 3 * Math.sin(py / 300)) * Math.cos(py / 90)) ** 8;
          raster.data[at] = 300 + 3000 * vessel + noise;
          raster.data[tile * tile + at] = 500 + 1500 * (Math.sin(px / 6) * Math.sin(py / 7)) ** 2 + noise;
          raster.data[2 * tile * tile + at] = 300 + 900 * vessel + noise;
        }
      }
      await sink.write(x, y, raster);
    }
  }
  await sink.finish();
  return path;
}
