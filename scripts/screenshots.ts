// Pictures of the studio for README and docs, taken from the running app on simulated slides.
// Usage: node scripts/screenshots.ts [FOLDER]; a folder that is given is kept and gone on with.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { buildStudio } from '../src/cli/studio-app.ts';
import type { RunView } from '../src/contract/studio.ts';
import { startStudio } from '../src/server/start-studio.ts';
import { launchBrowser } from '../test/studio/browser.ts';

const images = resolve('docs/images');
const longMs = 600_000;

const given = process.argv[2];
const folder =
  given === undefined ? join(await mkdtemp(join(tmpdir(), 'hrpn-screenshots-')), 'tumours') : resolve(given);
await mkdir(folder, { recursive: true });
await mkdir(images, { recursive: true });
const app = await mkdtemp(join(tmpdir(), 'hrpn-screenshots-app-'));
await buildStudio(app);
const studio = await startStudio({ dir: folder, port: 0 }, app);
const browser = await launchBrowser();
try {
  const made = await makeRuns();
  await take('studio-files', '', browser, 'light');
  await take('studio-viewer', `view?slide=${made.slide}`, browser, 'dark', drawRegion);
  await take(
    'studio-compare',
    `view?slide=${made.slide}&prediction=${made.prediction}`,
    browser,
    'light',
    drawRegion,
  );
  await take(
    'studio-swipe',
    `view?slide=${made.slide}&prediction=${made.prediction}`,
    browser,
    'dark',
    async (page) => {
      await page.getByRole('button', { name: 'Swipe' }).click();
    },
  );
  await take('studio-training', `runs/${made.training}`, browser, 'light', async (page) => {
    await page.getByTestId('loss-charts').waitFor();
  });
  await take('studio-form', `new/prepare?slides=${made.slide}`, browser, 'dark');
  await take('studio-report', `report?path=${made.report}`, browser, 'light');
} finally {
  await browser.close();
  await studio.close();
  await rm(app, { recursive: true, force: true });
  if (given === undefined) await rm(folder, { recursive: true, force: true });
}

interface Made {
  readonly slide: string;
  readonly prediction: string;
  readonly training: number;
  readonly report: string;
}

/** The whole way once; what a kept folder has already is not made again. */
async function makeRuns(): Promise<Made> {
  const simulated = await run('simulate', { out: 'simulated', preset: 'tiny', slides: 4, size: 640 });
  const slides = (simulated.result as { slides: { path: string }[] }).slides.map(({ path }) => path);
  const prepared = await run('prepare', { out: 'datasets/tumours', slides, patch: 128, test: [slides[3]] });
  const trained = await run('train', { out: 'runs/hrpn', dataset: 'datasets/tumours', epochs: 12 });
  const { model } = trained.result as { model: string };
  const predicted = await run('predict', { out: 'predictions/slide-04.ome.tif', model, slide: slides[3] });
  const report = (prepared.result as { files: string[] }).files.find((file) => file.endsWith('.html')) ?? '';
  return {
    slide: slides[3],
    prediction: (predicted.result as { prediction: string }).prediction,
    training: trained.id,
    report,
  };
}

async function run(command: string, options: Record<string, unknown>): Promise<RunView> {
  const all = (await (await fetch(new URL('/api/runs', studio.url))).json()) as RunView[];
  const held = all.find((each) => each.options.out === options.out && each.state === 'done');
  if (held !== undefined) return held;
  console.error(command);
  const answer = await fetch(new URL('/api/runs', studio.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ command, options }),
  });
  let view = (await answer.json()) as RunView;
  while (view.state === 'queued' || view.state === 'running') {
    await new Promise((done) => setTimeout(done, 500));
    view = (await (await fetch(new URL(`/api/runs/${view.id}`, studio.url))).json()) as RunView;
  }
  if (view.state !== 'done') throw new Error(`${command} ${view.state}: ${view.error}`);
  return view;
}

async function drawRegion(page: Page): Promise<void> {
  const box = await page.getByTestId('slide-canvas').boundingBox();
  if (box === null) throw new Error('the slide is not shown');
  await page.getByRole('button', { name: 'Draw a rectangle (R)' }).click();
  const at = (x: number, y: number): [number, number] => [box.x + box.width * x, box.y + box.height * y];
  await page.mouse.move(...at(0.16, 0.36));
  await page.mouse.down();
  await page.mouse.move(...at(0.25, 0.5));
  await page.mouse.move(...at(0.36, 0.6));
  await page.mouse.up();
  await page.getByTestId('region-result').getByText('Area').waitFor();
  await page.mouse.move(...at(0.3, 0.45));
  await page
    .locator('.viewer-panel')
    .evaluate((panel) => panel.querySelector('.region-result')?.scrollIntoView());
}

/** 1280 x 800, the smallest window that the studio is made for. */
async function take(
  name: string,
  address: string,
  from: Browser,
  colorScheme: 'light' | 'dark',
  act: (page: Page) => Promise<void> = async () => {},
): Promise<void> {
  const context = await from.newContext({ viewport: { width: 1280, height: 800 }, colorScheme });
  const page = await context.newPage();
  page.setDefaultTimeout(longMs);
  await page.goto(`${studio.url}#/${address}`);
  if (address.startsWith('view')) await page.locator('[data-testid=stage][data-loaded=true]').waitFor();
  await act(page);
  await page.waitForTimeout(1500);
  const png = await page.screenshot();
  await sharp(png)
    .webp({ quality: 84 })
    .toFile(join(images, `${name}.webp`));
  console.error(`${name}.webp`);
  await context.close();
}
