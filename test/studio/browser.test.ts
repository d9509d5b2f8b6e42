// The whole way by clicking, in a real Chromium, with the real commands: nothing of the program is replaced.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildStudio } from '../../src/cli/studio-app.ts';
import type { RunView } from '../../src/contract/studio.ts';
import { createRaster } from '../../src/core/raster.ts';
import { type Studio, startStudio } from '../../src/server/start-studio.ts';
import { createSlide, valueScaleFor } from '../../src/slide/create-slide.ts';
import { tinyTiff } from '../conformance/tiny-tiff.ts';
import { writeDrawnSlide } from '../e2e/drawn-slide.ts';
import { launchBrowser, openPage, type WatchedPage } from './browser.ts';

let base: string;
let folder: string;
/** Its own build: that of the checkout may be replaced by another test meanwhile. */
let app: string;
let studio: Studio;
let browser: Browser;
let watched: WatchedPage;
let page: Page;

// Commands compute for a while on a busy machine; nothing here is timed, but nothing may hang for ever.
const longMs = 280_000;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'hrpn-browser-'));
  folder = join(base, 'opened');
  await mkdir(folder);
  app = join(base, 'app');
  await buildStudio(app);
  studio = await startStudio({ dir: folder, port: 0 }, app);
  browser = await launchBrowser();
  watched = await openPage(browser, studio.url);
  page = watched.page;
  page.setDefaultTimeout(longMs);
}, longMs);

afterAll(async () => {
  await browser?.close();
  await studio?.close();
  // The last run may still be writing its checkpoint.
  await rm(base, { recursive: true, force: true, maxRetries: 20, retryDelay: 500 });
});

async function runs(): Promise<RunView[]> {
  return (await fetch(new URL('/api/runs', studio.url))).json() as Promise<RunView[]>;
}

/** The chip of the run that is shown. */
async function waitForState(state: string): Promise<void> {
  await page
    .locator('.page-head .state-chip', { hasText: state })
    .or(page.locator('.error-box'))
    .first()
    .waitFor();
  const error = await page.locator('.error-box').allTextContents();
  expect(error).toEqual([]);
}

/** What the canvas shows, reduced to its spread of colours; a blank one has none. */
async function pictureSpread(): Promise<number> {
  const { channels } = await sharp(await page.getByTestId('stage').screenshot()).stats();
  return Math.max(...channels.map(({ stdev }) => stdev));
}

async function drawRectangle(): Promise<void> {
  await page.getByRole('button', { name: 'Draw a rectangle (R)' }).click();
  const box = (await page.getByTestId('slide-canvas').boundingBox())!;
  const at = (x: number, y: number): [number, number] => [box.x + box.width * x, box.y + box.height * y];
  await page.mouse.move(...at(0.15, 0.35));
  await page.mouse.down();
  await page.mouse.move(...at(0.25, 0.45));
  await page.mouse.move(...at(0.35, 0.65));
  await page.mouse.up();
}

test('from an empty folder to a picture in one click', { timeout: longMs }, async () => {
  await page.getByRole('button', { name: 'Open the simulated example' }).click();
  await page.locator('[data-testid=stage][data-loaded=true]').waitFor();
  expect(await pictureSpread()).toBeGreaterThan(10);
  await page.getByTestId('scale-bar').getByText('µm').waitFor();
  const box = (await page.getByTestId('slide-canvas').boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await expect.poll(() => page.getByTestId('read-out').textContent()).toMatch(/µm.*px\).*\d/);
  expect(watched.complaints).toEqual([]);
});

test('prepare, train with a moving curve, predict, region, report', { timeout: longMs }, async () => {
  // Small slides, so that training takes seconds on a busy machine too.
  await page.getByRole('link', { name: 'Simulate', exact: true }).click();
  await page.getByLabel('Slides', { exact: true }).fill('3');
  await page.getByLabel('Size', { exact: true }).fill('256');
  await page.locator('form .button.primary').click();
  await waitForState('done');
  await page.getByRole('link', { name: 'Prepare a dataset' }).click();
  await page.getByLabel('Patch', { exact: true }).fill('64');
  await page.locator('form .button.primary').click();
  await waitForState('done');

  await page.getByRole('link', { name: 'Train a model' }).click();
  await page.getByLabel('Epochs').fill('4');
  await page.locator('form .button.primary').click();
  const chart = page.getByTestId('loss-charts');
  const epochs = async (): Promise<number> => Number(await chart.getAttribute('data-epochs'));
  await expect.poll(epochs, { timeout: longMs }).toBeGreaterThan(1);
  // Still running: the curve moved before the end.
  expect((await runs())[0].state).toBe('running');
  const early = await epochs();
  await expect.poll(epochs, { timeout: longMs }).toBeGreaterThan(early);
  await waitForState('done');
  expect(await epochs()).toBe(4);

  await page.getByRole('link', { name: 'Predict a slide' }).click();
  await page.getByRole('button', { name: 'Browse' }).last().click();
  await page.getByRole('button', { name: 'simulated-2', exact: true }).click();
  await page.getByRole('button', { name: /slide-03\.ome\.tif/ }).click();
  await page.locator('form .button.primary').click();
  await waitForState('done');
  await page.getByRole('link', { name: 'View', exact: true }).click();
  await page.locator('.caption', { hasText: 'Prediction' }).waitFor();
  await page.locator('[data-testid=stage][data-loaded=true]').waitFor();

  await drawRectangle();
  const result = page.getByTestId('region-result');
  await result.getByText('Pearson r').waitFor();
  await result.getByText('Mean probe by distance').waitFor();
  expect(Number(await result.locator('.chart').first().getAttribute('data-points'))).toBeGreaterThan(8);
  const [saved] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'GeoJSON' }).click(),
  ]);
  const geoJson = JSON.parse(await readFile(await saved.path(), 'utf8'));
  expect(geoJson.features[0].geometry.coordinates[0]).toHaveLength(5);
  const [picture] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'PNG' }).click(),
  ]);
  const { channels } = await sharp(await picture.path()).stats();
  expect(channels[0].stdev).toBeGreaterThan(5);

  for (const mode of ['Swipe', 'One view', 'Side by side']) {
    await page.getByRole('button', { name: mode }).click();
    expect(await pictureSpread()).toBeGreaterThan(5);
  }
  await page.getByRole('button', { name: /^Error.*left: show/ }).click();
  expect(await pictureSpread()).toBeGreaterThan(5);

  await page.getByRole('link', { name: 'Runs' }).first().click();
  await page.getByRole('link', { name: /^prepare/ }).click();
  await page.getByRole('link', { name: 'Report' }).first().click();
  const report = page.frameLocator('iframe');
  await report.locator('h1').first().waitFor();
  expect(watched.complaints).toEqual([]);
});

test('two trainings at once; one is cancelled and resumed; both are compared', {
  timeout: longMs,
}, async () => {
  const [dataset] = (await runs()).flatMap(({ command, result }) =>
    command === 'prepare' ? [(result as { dataset: string }).dataset] : [],
  );
  for (const out of ['runs/first', 'runs/second']) {
    await page.goto(`${studio.url}#/new/train?dataset=${dataset}&epochs=4000`);
    await page.getByLabel('Write to').fill(out);
    await page.locator('form .button.primary').click();
    await page.getByTestId('loss-charts').waitFor();
  }
  const epochs = async (): Promise<number> =>
    Number(await page.getByTestId('loss-charts').getAttribute('data-epochs'));
  await expect.poll(epochs, { timeout: longMs }).toBeGreaterThan(0);
  expect((await runs()).filter(({ state }) => state === 'running')).toHaveLength(2);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.locator('.page-head .state-chip', { hasText: 'cancelled' }).waitFor();
  const held = await epochs();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.locator('.page-head .state-chip', { hasText: 'running' }).waitFor();
  await expect.poll(epochs, { timeout: longMs }).toBeGreaterThan(held);

  await page.getByRole('link', { name: 'Runs' }).first().click();
  for (const name of ['first', 'second']) await page.getByLabel(`Compare train → runs/${name}`).check();
  await page.getByRole('link', { name: 'Compare 2' }).click();
  await page.locator('.compare .differs', { hasText: 'out' }).waitFor();
  for (const { id, state } of await runs()) {
    if (state === 'running') {
      const headers = { 'content-type': 'application/json' };
      await fetch(new URL(`/api/runs/${id}/cancel`, studio.url), { method: 'POST', body: '{}', headers });
    }
  }
  expect(watched.complaints).toEqual([]);
});

test('wrong input says what to do, and the keyboard reaches everything', { timeout: longMs }, async () => {
  await page.goto(`${studio.url}#/new/predict`);
  await page.getByLabel('Model').fill('nowhere.onnx');
  await page.getByLabel('Slide').first().fill('example/slide-01.ome.tif');
  await page.locator('form .button.primary').click();
  const alert = page.getByRole('alert');
  await alert.waitFor();
  expect(await alert.textContent()).toContain('not in the opened folder');

  await page.goto(`${studio.url}#/view?slide=example/slide-01.ome.tif`);
  await page.locator('[data-testid=stage][data-loaded=true]').waitFor();
  const canvas = page.getByTestId('slide-canvas');
  const zoom = async (): Promise<number> => Number(await canvas.getAttribute('data-zoom'));
  await canvas.focus();
  const before = await zoom();
  await page.keyboard.press('+');
  expect(await zoom()).toBeGreaterThan(before);
  await page.keyboard.press('r');
  await page.getByTestId('scene-overlay').focus();
  await page.keyboard.press('Enter');
  await page.getByTestId('region-result').getByText('Measured mean').waitFor();
  // The refused form is the one complaint: the browser logs the answer 404.
  expect(watched.complaints.splice(0).filter((text) => !text.includes('404'))).toEqual([]);
});

test('forms take what is typed, key by key', { timeout: longMs }, async () => {
  const typed = async (label: string, text: string): Promise<string> => {
    const field = page.getByLabel(label, { exact: true });
    await field.fill('');
    await field.pressSequentially(text);
    await field.blur();
    return field.inputValue();
  };
  await page.goto(`${studio.url}#/new/train`);
  await page.getByText('More options').click();
  expect(await typed('Learning rate', '0.001')).toBe('0.001');
  expect(await typed('Write to*', 'runs/mine')).toBe('runs/mine');
  await page.goto(`${studio.url}#/new/prepare`);
  await page.getByText('More options').click();
  expect(await typed('Inputs', 'vessel, nuclei')).toBe('vessel, nuclei');
  expect(watched.complaints).toEqual([]);
});

test('regions come back with their slide, and a small window keeps every button in reach', {
  timeout: longMs,
}, async () => {
  await page.goto(`${studio.url}#/view?slide=example/slide-01.ome.tif`);
  await page.locator('[data-testid=stage][data-loaded=true]').waitFor();
  const rows = page.locator('.region-row');
  const before = await rows.count();
  await drawRectangle();
  expect(await rows.count()).toBe(before + 1);
  await page.getByRole('link', { name: 'Runs' }).first().click();
  await page.goBack();
  await rows.nth(before).waitFor();
  await page.reload();
  await rows.nth(before).waitFor();
  await page.setViewportSize({ width: 640, height: 720 });
  for (const name of ['Draw a polygon (P)', 'Side by side', 'Whole slide (0)', 'PNG', 'GeoJSON']) {
    await page.getByRole('button', { name, exact: true }).click({ trial: true, timeout: 5000 });
  }
  await page.getByRole('link', { name: 'Files' }).first().click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.setViewportSize({ width: 1440, height: 900 });
  expect(watched.complaints).toEqual([]);
});

test('what the file does not tell is chosen in the viewer: roles, pixel size, which of many channels', {
  timeout: longMs,
}, async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const [width, height] = [400, 300];
  // Only the last channel has anything in it: stripes of 8 px, 20 px apart, as bright as they are.
  const draw = (channel: number): Uint8Array =>
    Uint8Array.from({ length: width * height }, (_, i) =>
      channel === 7 && (i % width) % 20 < 8 ? 200 : channel === 6 ? 100 : 5,
    );
  await writeDrawnSlide(join(folder, 'eight.ome.tif'), {
    width,
    height,
    channels: names,
    pixelSizeUm: null,
    draw,
  });
  await page.goto(`${studio.url}#/view?slide=eight.ome.tif`);
  await page.locator('[data-testid=stage][data-loaded=true]').waitFor();
  const channel = (name: string) => page.getByRole('checkbox', { name, exact: true });
  expect(await channel('h').isDisabled()).toBe(true);
  for (const name of names.slice(0, 6)) await channel(name).uncheck();
  await channel('h').check();
  await expect.poll(pictureSpread, { timeout: longMs }).toBeGreaterThan(30);

  await page.getByRole('button', { name: 'Draw a polygon (P)' }).click();
  const box = (await page.getByTestId('slide-canvas').boundingBox())!;
  for (const [x, y] of [
    [0.4, 0.4],
    [0.6, 0.4],
    [0.6, 0.6],
    [0.4, 0.6],
  ])
    await page.mouse.click(box.x + box.width * x, box.y + box.height * y);
  await page.keyboard.press('Enter');
  const result = page.getByTestId('region-result');
  await result.getByText('Give the pixel size under Roles').waitFor();
  await page.getByLabel('pixel size, µm').fill('0.5');
  await page.keyboard.press('Enter');
  await page.getByTestId('scale-bar').getByText('µm').waitFor();
  await result.getByText('No vessel channel').waitFor();
  const roles = page.getByRole('region', { name: 'Roles' });
  await roles.getByLabel('vessel').selectOption('h');
  await roles.getByLabel('probe').selectOption('g');
  await result.getByText('Mean probe by distance').waitFor();
  expect(await result.getByRole('definition').allTextContents()).toContain('100 ± 0');
  // The region without a scale is the one complaint: the browser logs the answer 400.
  expect(watched.complaints.splice(0).filter((text) => !text.includes('400'))).toEqual([]);
});

test('a form gives each channel one role and each role one channel, as it is typed and as it is changed', {
  timeout: longMs,
}, async () => {
  await writeDrawnSlide(join(folder, 'three.ome.tif'), { channels: ['CH1', 'CH2', 'CH3'] });
  await page.goto(`${studio.url}#/new/prepare?slides=three.ome.tif`);
  const role = (channel: string) => page.getByLabel(`Role of ${channel}`);
  await role('CH1').fill('probe');
  await role('CH2').fill('vessel');
  await role('CH2').fill('nuclei');
  // On its way to another role it is not taken for that of CH1.
  await role('CH3').pressSequentially('probe-2');
  await role('CH3').press('Enter');
  expect(await role('CH1').inputValue()).toBe('probe');
  await role('CH3').fill('vessel');
  await page.getByText('More options').click();
  await page.getByRole('button', { name: 'Validation: none' }).click();
  const asked = page.waitForRequest((request) => request.method() === 'POST');
  await page.locator('form .button.primary').click();
  const { options } = (await asked).postDataJSON();
  expect(options.roles).toEqual({ probe: 'CH1', nuclei: 'CH2', vessel: 'CH3' });
  expect(options.validation).toEqual(['none']);
  await page.locator('.page-head .state-chip', { hasText: /done|failed/ }).waitFor();
  expect(watched.complaints).toEqual([]);
});

test('a colour image is seen in all its channels, and a folder says what it does not list', {
  timeout: longMs,
}, async () => {
  const [width, height] = [400, 300];
  const colours = [200, 120, 40];
  const xml =
    '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" ' +
    `DimensionOrder="XYCZT" Type="uint8" SizeX="${width}" SizeY="${height}" SizeC="3" SizeZ="1" SizeT="1">` +
    '<Channel ID="Channel:0:0" SamplesPerPixel="3"/><TiffData/></Pixels></Image></OME>';
  const image = tinyTiff({
    width,
    height,
    data: Uint8Array.from({ length: width * height * 3 }, (_, i) => colours[i % 3]),
    entries: [
      { tag: 258, type: 3, values: [8, 8, 8] },
      { tag: 262, type: 3, values: [2] },
      { tag: 270, type: 2, values: `${xml}\0` },
      { tag: 277, type: 3, values: [3] },
    ],
  });
  await writeFile(join(folder, 'colour.ome.tif'), image);
  await page.goto(`${studio.url}#/view?slide=colour.ome.tif`);
  await page.locator('[data-testid=stage][data-loaded=true]').waitFor();
  const box = (await page.getByTestId('slide-canvas').boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await expect
    .poll(() => page.getByTestId('read-out').textContent(), { timeout: longMs })
    .toMatch(/red 200.*green 120.*blue 40/);
  await page.locator('[title="Pixels by tiles from the server"]').waitFor();
  expect(await page.getByLabel('red: colour').inputValue()).toBe('#ff0000');

  await page.route('**/api/browse*', (route) => route.fulfill({ json: { entries: [], leftOut: 12 } }));
  await page.goto(`${studio.url}#/?path=example`);
  await page.getByText('12 more are not listed').waitFor();
  await page.unroute('**/api/browse*');
  expect(watched.complaints).toEqual([]);
});

test('a dropped prediction with bounds shows the width of its interval, in real units; hot spots lie over it', {
  timeout: longMs,
}, async () => {
  const slide = { width: 400, height: 300, pixelSizeUm: 0.5 };
  await writeDrawnSlide(join(folder, 'bounded.ome.tif'), slide);
  const channels = ['probe', 'probe lower 0.90', 'probe upper 0.90'].map((name) => ({ name }));
  const valueScale = valueScaleFor(0, 100, 'uint16');
  const written = join(base, 'prediction.ome.tif');
  const sink = await createSlide(written, { ...slide, channels, sampleType: 'uint16', valueScale });
  const raster = createRaster(3, slide.height, slide.width);
  raster.data.forEach((_, i) => {
    raster.data[i] = [40, 30, 55][Math.floor(i / (slide.width * slide.height))] + (i % slide.width) / 100;
  });
  await sink.write(0, 0, raster);
  await sink.finish();
  const ring = [
    [100, 100],
    [300, 100],
    [300, 200],
    [100, 100],
  ];
  const hotSpots = { type: 'Feature', geometry: { type: 'Polygon', coordinates: [ring] } };
  await writeFile(join(folder, 'hot-spots.geojson'), JSON.stringify(hotSpots));

  await page.goto(`${studio.url}#/`);
  const bytes = (await readFile(written)).toString('base64');
  const transfer = await page.evaluateHandle(`(() => {
    const data = new DataTransfer();
    const bytes = Uint8Array.from(atob('${bytes}'), (letter) => letter.charCodeAt(0));
    data.items.add(new File([bytes], 'dropped.ome.tif'));
    return data;
  })()`);
  await page.locator('main .page').dispatchEvent('drop', { dataTransfer: transfer });
  // In the list, not only on its way.
  await page.getByRole('link', { name: 'dropped.ome.tif' }).waitFor();
  expect(await readFile(join(folder, 'dropped.ome.tif'))).toEqual(await readFile(written));

  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(`${studio.url}#/view?slide=bounded.ome.tif&prediction=dropped.ome.tif`);
  await page.getByRole('button', { name: 'Interval width, right: show' }).click();
  const box = (await page.getByTestId('slide-canvas').boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.75, box.y + box.height / 2);
  const width = async (): Promise<number> =>
    Number(/upper − lower ([\d.]+)/.exec((await page.getByTestId('read-out').textContent()) ?? '')?.[1]);
  await expect.poll(width, { timeout: longMs }).toBeCloseTo(25, 1);

  await page.getByLabel('Add outlines (.geojson)').fill('hot-spots.geojson');
  await page.keyboard.press('Enter');
  const toggle = page.getByRole('button', { name: 'hot-spots.geojson: show' });
  await toggle.waitFor();
  const shown = await page.getByTestId('stage').screenshot();
  await toggle.click();
  const hidden = await page.getByTestId('stage').screenshot();
  expect(shown.equals(hidden)).toBe(false);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(1280);
  expect(watched.complaints).toEqual([]);
});

test('light and dark follow the system while the page is open, and a person who chooses', {
  timeout: longMs,
}, async () => {
  const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
  await page.emulateMedia({ colorScheme: 'light' });
  const light = await background();
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(background).not.toBe(light);
  await page.getByRole('button', { name: 'Light colours' }).click();
  expect(await background()).toBe(light);
  // What the system has was chosen again: it is followed again.
  await page.getByRole('button', { name: 'Dark colours' }).click();
  await page.emulateMedia({ colorScheme: 'light' });
  await expect.poll(background).toBe(light);
  // The light text of a report that follows the system lies on its dark ground.
  await writeFile(join(folder, 'report.html'), '<meta name="color-scheme" content="light dark">text');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto(`${studio.url}#/report?path=report.html`);
  await page.frameLocator('iframe').getByText('text').waitFor();
  const { channels } = await sharp(await page.locator('iframe').screenshot()).stats();
  expect(channels[0].mean).toBeLessThan(60);
});

test('a studio that is killed comes back to its runs, and the page goes on', {
  timeout: longMs,
}, async () => {
  await studio.close();
  const serve = fileURLToPath(new URL('./serve.ts', import.meta.url));
  const start = async () => {
    const child = spawn(process.execPath, [serve, folder, app, String(studio.port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    return child;
  };
  const killed = await start();
  try {
    await page.goto(`${studio.url}#/runs`);
    const row = page.locator('tr', { hasText: 'runs/second' });
    await row.getByRole('button', { name: 'Resume' }).click();
    await row.getByText('running').first().waitFor();
  } finally {
    killed.kill('SIGKILL');
    await once(killed, 'exit');
  }
  const back = await start();
  try {
    await page.locator('tr', { hasText: 'runs/second' }).getByText('interrupted').waitFor();
    expect((await runs()).filter(({ state }) => state === 'running')).toEqual([]);
  } finally {
    back.kill('SIGTERM');
    expect((await once(back, 'exit'))[0]).toBe(0);
  }
  // While there is no server the browser itself logs that the page asks for it.
  expect(watched.complaints.filter((text) => !text.includes('net::ERR_'))).toEqual([]);
});
