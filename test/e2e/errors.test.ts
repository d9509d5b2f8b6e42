// Wrong use and bad input by the command line: the exit code, one sentence, and nothing left behind.
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { tinyTiff } from '../conformance/tiny-tiff.ts';
import { hrpn, hrpnJson, temporaryFolder } from './command-line.ts';
import { writeDrawnSlide } from './drawn-slide.ts';

/** Each case makes what it needs in a folder of its own and gives the command line. */
const cases: [what: string, make: (folder: string) => Promise<string[]>, message: RegExp][] = [
  [
    'no channel for a role',
    async (f) => prepare(f, await writeDrawnSlide(join(f, 's.ome.tif'), { channels: ['DAPI', 'dextran'] })),
    /no channel of .*s\.ome\.tif is known to be the vessel. Its channels are 'DAPI', 'dextran'; say which with --role/,
  ],
  [
    'a channel that is not there',
    async (f) => [...prepare(f, await writeDrawnSlide(join(f, 's.ome.tif'))), '--role', 'vessel=CD99'],
    /has no channel 'CD99'. Its channels are 'CD31', 'DAPI', 'dextran'/,
  ],
  [
    'a role that is no input',
    async (f) => [...prepare(f, join(f, 's.ome.tif')), '--input', 'vessel', '--role', 'nuclei=DAPI'],
    /--role nuclei=DAPI names neither an --input \(vessel\) nor the --target \(probe\). Add --input nuclei/,
  ],
  [
    'a file where simulate is to make a folder',
    async (f) => {
      await writeFile(join(f, 'out'), '');
      return ['simulate', '--out', join(f, 'out')];
    },
    /--out .*out is a file; expected a folder/,
  ],
  [
    'a file where benchmark is to make a folder',
    async (f) => {
      await writeFile(join(f, 'out'), '');
      return ['benchmark', f, '--out', join(f, 'out')];
    },
    /--out .*out is, or lies below, a file; expected a folder/,
  ],
  [
    'a folder of somebody under the name that is needed meanwhile',
    async (f) => {
      await mkdir(join(f, 'out.partial'));
      await writeFile(join(f, 'out.partial', 'notes.txt'), 'mine');
      return prepare(f, await writeDrawnSlide(join(f, 's.ome.tif')));
    },
    /out\.partial is needed for what is not finished yet, but holds other files \(such as 'notes\.txt'\)/,
  ],
  [
    'no pixel size',
    async (f) => prepare(f, await writeDrawnSlide(join(f, 's.ome.tif'), { pixelSizeUm: null })),
    /does not say how large its pixels are.*--pixel-size-um/,
  ],
  [
    'pixel sizes that cannot be bridged',
    async (f) => [
      ...prepare(f, await writeDrawnSlide(join(f, 's.ome.tif'))),
      '--dataset-pixel-size-um',
      '0.2',
    ],
    /has pixels of 0.65 um, but 0.2 um are needed: more than a factor of 2/,
  ],
  [
    'an empty slide',
    async (f) =>
      prepare(f, await writeDrawnSlide(join(f, 's.ome.tif'), { draw: (_, w, h) => new Uint8Array(w * h) })),
    /holds no tissue: every pixel of its input channels 'CD31', 'DAPI' is zero/,
  ],
  [
    'a slide of noise',
    async (f) =>
      prepare(
        f,
        await writeDrawnSlide(join(f, 's.ome.tif'), {
          draw: (_, w, h, rng) => Uint8Array.from({ length: w * h }, () => 40 + rng.integer(20)),
        }),
      ),
    /holds no tissue: its input channels .* nothing but noise/,
  ],
  [
    'a TIFF that is cut off',
    async (f) => {
      const whole = await readFile(await writeDrawnSlide(join(f, 'whole.ome.tif')));
      await writeFile(join(f, 's.ome.tif'), whole.subarray(0, Math.floor(0.6 * whole.length)));
      return prepare(f, join(f, 's.ome.tif'));
    },
    /s\.ome\.tif: .*(cut off|ends|damaged)/,
  ],
  [
    'a file that is not an image',
    async (f) => {
      await writeFile(join(f, 's.tif'), 'these are no pixels');
      return prepare(f, join(f, 's.tif'));
    },
    /s\.tif: /,
  ],
  ['a slide that is not there', async (f) => prepare(f, join(f, 'none.tif')), /none\.tif does not exist/],
  [
    'a link to nowhere',
    async (f) => {
      await symlink(join(f, 'gone.tif'), join(f, 's.tif'));
      return prepare(f, join(f, 's.tif'));
    },
    /s\.tif does not exist/,
  ],
  [
    'a folder without images',
    async (f) => {
      await mkdir(join(f, 'slide'));
      await writeFile(join(f, 'slide/notes.txt'), 'none here');
      return prepare(f, join(f, 'slide'));
    },
    /slide.*(image|channel)/,
  ],
  [
    'a slide given twice',
    async (f) => {
      const slide = await writeDrawnSlide(join(f, 's.ome.tif'));
      return ['prepare', slide, slide, '--out', join(f, 'out')];
    },
    /s\.ome\.tif is given twice/,
  ],
  [
    'a name that two slides have',
    async (f) => {
      const [a, b] = ['mouse1', 'mouse2'].map((mouse) => join(f, mouse));
      await Promise.all([a, b].map((folder) => mkdir(folder)));
      const slides = await Promise.all([a, b].map((folder) => writeDrawnSlide(join(folder, 's.ome.tif'))));
      return ['prepare', ...slides, '--test', 's.ome.tif', '--out', join(f, 'out')];
    },
    /the slide s\.ome\.tif could be \S+mouse1.s\.ome\.tif or \S+mouse2.s\.ome\.tif\. Give the path/,
  ],
  [
    'a focal plane that the file does not have',
    async (f) => {
      await writeFile(join(f, 's.tif'), tinyTiff());
      return ['inspect', join(f, 's.tif'), '--z', '4'];
    },
    /--z 4: .*s\.tif holds 1 focal plane \(Z\), counted from 0\./,
  ],
  [
    'a measured probe that is not clear beside a prediction',
    async (f) => {
      const slide = await writeDrawnSlide(join(f, 's.ome.tif'), { channels: ['CD31', 'QD655', 'QD800'] });
      const prediction = await writeDrawnSlide(join(f, 'p.ome.tif'), { channels: ['probe'] });
      return ['analyze', slide, '--prediction', prediction, '--out', join(f, 'out')];
    },
    /'QD655' and 'QD800' of .*s\.ome\.tif could each be the probe.*say which with --role 'probe=/,
  ],
  [
    'an output folder that holds other files',
    async (f) => {
      await mkdir(join(f, 'out'));
      await writeFile(join(f, 'out/thesis.docx'), 'years of work');
      return prepare(f, await writeDrawnSlide(join(f, 's.ome.tif')));
    },
    /--out .*out exists and holds other files \(such as 'thesis.docx'\)/,
  ],
  [
    'an unknown model',
    async (f) => {
      const slides = await Promise.all(
        [1, 2].map((n) => writeDrawnSlide(join(f, `${n}.ome.tif`), { seed: n })),
      );
      await hrpnJson(['prepare', ...slides, '--patch', '64', '--out', join(f, 'dataset')]);
      return ['train', join(f, 'dataset'), '--model', 'hrnp', '--out', join(f, 'out')];
    },
    /'?hrnp'?.*hrpn/,
  ],
  [
    'training on what is no dataset',
    async (f) => ['train', f, '--out', join(f, 'out')],
    /is not a dataset: expected the file .*dataset\.json/,
  ],
  [
    'predicting with what is no model',
    async (f) => {
      await writeFile(join(f, 'best.onnx'), 'no weights in here');
      const slide = await writeDrawnSlide(join(f, 's.ome.tif'));
      return ['predict', join(f, 'best.onnx'), slide, '--out', join(f, 'out.ome.tif')];
    },
    /best\.onnx/,
  ],
  ['an unknown option', async () => ['prepare', 'a.tif', '--patches', '3'], /unknown option '--patches'/],
  ['an unknown command', async () => ['prepair'], /unknown command 'prepair'/],
  ['a missing argument', async () => ['prepare', 'a.tif'], /prepare needs --out: folder of the dataset/],
  [
    'a wrong value',
    async () => ['prepare', 'a', '--out', 'b', '--patch', 'x'],
    /--patch: expected a number, found "x"/,
  ],
];

const prepare = (folder: string, slide: string): string[] => [
  'prepare',
  slide,
  '--validation',
  'none',
  '--patch',
  '64',
  '--out',
  join(folder, 'out'),
];

describe('bad input is one sentence and exit code 2, with nothing left behind', () => {
  it.concurrent.for(cases)('%s', async ([, make, message], context) => {
    const folder = await temporaryFolder(context);
    const args = await make(folder);
    const before = await readdir(folder, { recursive: true });
    const { code, stdout, stderr } = await hrpn(args);
    expect(stderr).toMatch(message);
    const said = stderr.split('\n').filter((line) => line.startsWith('hrpn: '));
    expect(said).toHaveLength(1);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(await readdir(folder, { recursive: true })).toEqual(before);
  });
});

/** A disk that is soon full; undefined where none can be mounted. */
async function smallDisk(folder: string, context: TestContext, size: string): Promise<string | undefined> {
  const disk = join(folder, 'disk');
  await mkdir(disk);
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk]);
  if (status !== 0) return undefined;
  context.onTestFinished(() => {
    spawnSync('umount', [disk]);
  });
  return disk;
}

/** Fitted in closed form, so that no test need wait for training. */
async function linearModel(folder: string): Promise<string> {
  const slide = await writeDrawnSlide(join(folder, 'trained.ome.tif'));
  await hrpnJson(prepare(folder, slide));
  const { model } = await hrpnJson<{ model: string }>([
    ...['train', join(folder, 'out'), '--model', 'linear', '--out', join(folder, 'run')],
  ]);
  return model;
}

describe('a full disk is exit code 1, with nothing left behind', () => {
  const message = /^hrpn: the disk is full: .* could not be written. Free some space and run again.$/m;
  const noDisk = 'a small disk cannot be mounted here';

  it('prepare', async (context) => {
    const folder = await temporaryFolder(context);
    const disk = await smallDisk(folder, context, '8k');
    if (disk === undefined) return context.skip(noDisk);
    const slide = await writeDrawnSlide(join(folder, 's.ome.tif'));
    const { code, stderr } = await hrpn([...prepare(disk, slide), '--overlap', '0.9']);
    expect(stderr).toMatch(message);
    expect(code).toBe(1);
    expect(await readdir(disk)).toEqual([]);
  });

  it('predict', async (context) => {
    const folder = await temporaryFolder(context);
    const disk = await smallDisk(folder, context, '8k');
    if (disk === undefined) return context.skip(noDisk);
    const slide = await writeDrawnSlide(join(folder, 's.ome.tif'));
    const model = await linearModel(folder);
    const { code, stderr } = await hrpn(['predict', model, slide, '--out', join(disk, 'p.ome.tif')]);
    expect(stderr).toMatch(message);
    expect(code).toBe(1);
    expect(await readdir(disk)).toEqual([]);
  });

  it('but for the tiles that simulate has done, from which it goes on', async (context) => {
    const folder = await temporaryFolder(context);
    const disk = await smallDisk(folder, context, '900k');
    if (disk === undefined) return context.skip(noDisk);
    const args = ['simulate', '--preset', 'tiny', '--slides', '1', '--out', join(disk, 'sim')];
    const { code, stderr } = await hrpn(args);
    expect(stderr).toMatch(/^hrpn: the disk is full: .* What is done is kept; add --resume to go on/m);
    expect(code).toBe(1);
    spawnSync('mount', ['-o', 'remount,size=64m', disk]);
    await hrpnJson([...args, '--resume']);
    expect(await readdir(join(disk, 'sim'))).toEqual(['slide-01.ome.tif', 'slide-01.truth']);
  });

  it('but for the tiles that predict has done, from which it goes on', async (context) => {
    const folder = await temporaryFolder(context);
    // Holds the tiles of 1100 x 600 px, but not their final order beside them.
    const disk = await smallDisk(folder, context, '3500k');
    if (disk === undefined) return context.skip(noDisk);
    const slide = await writeDrawnSlide(join(folder, 's.ome.tif'), { width: 1100, height: 600 });
    const args = ['predict', await linearModel(folder), slide, '--out', join(disk, 'p.ome.tif')];
    const { code, stderr } = await hrpn(args);
    expect(stderr).toMatch(/^hrpn: the disk is full: .* What is done is kept; add --resume to go on/m);
    expect(code).toBe(1);
    expect(await readdir(disk)).toEqual(['p.ome.tif.partial']);
    spawnSync('mount', ['-o', 'remount,size=32m', disk]);
    const { tilesComputed } = await hrpnJson<{ tilesComputed: number }>([...args, '--resume']);
    expect(tilesComputed).toBe(0);
    expect(await readdir(disk)).toEqual(['p.ome.tif']);
  });
});
