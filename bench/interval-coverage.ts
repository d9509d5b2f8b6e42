// How often the 90% intervals hold on slides that nothing was fitted on: 20 simulated slides for calibration, 20 further
// ones for the test, by slide, tenth of the prediction and distance to the vessels; with the quantile heads and without
// them, as models without heads are. An interrupted run goes on where it was; what is finished is kept in OUT.
//
//   node bench/interval-coverage.ts OUT [SIZE] [SEED] [EPOCHS] [THREADS]
//
// The network trains from scratch on 14 more slides, 2 decide when it is best. docs/models.md has what came out; with the
// arguments that are taken when none is given, models/hrpn-simulated.onnx is OUT/run/best.onnx of the commit its card names.
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvaluateResult } from '../src/contract/evaluate.ts';
import { writeFileAtomic } from '../src/core/atomic-file.ts';
import { openDataset } from '../src/dataset/open-dataset.ts';
import { conformalRadius } from '../src/evaluation/conformal.ts';
import { calibratedModel } from '../src/experiment/calibrate.ts';
import { evaluate } from '../src/experiment/evaluate.ts';
import { prepare } from '../src/experiment/prepare.ts';
import { simulate } from '../src/experiment/simulate.ts';
import { train } from '../src/experiment/train.ts';
import { encodeModelFile, parseModelFile, readModelFile } from '../src/model/model-file.ts';
import { findModel } from '../src/model/registry.ts';

const [out, size = '2048', seed = '21', epochs = '10', threadCount = '1'] = process.argv.slice(2);
if (out === undefined) throw new Error('expected OUT [SIZE] [SEED] [EPOCHS] [THREADS]');
const threads = Number(threadCount);
const dataset = join(out, 'dataset');

/** What a step returned, from its file where it has been done. */
async function once<T>(name: string, step: () => Promise<T>): Promise<T> {
  const path = join(out, `${name}.json`);
  const kept = await readFile(path, 'utf8').catch(() => undefined);
  if (kept !== undefined) return JSON.parse(kept);
  const before = process.cpuUsage();
  const result = await step();
  const { user, system } = process.cpuUsage(before);
  console.error(`${name}: ${((user + system) / 1e6).toFixed(0)} s of processor time`);
  await writeFileAtomic(path, `${JSON.stringify(result)}\n`);
  return result;
}

const isBegun = (folder: string): Promise<boolean> =>
  access(join(folder, 'run.json')).then(
    () => true,
    () => false,
  );

/** The same network with intervals by predicted value alone. */
async function withoutHeads(path: string): Promise<string> {
  const { manifest, tensors } = await readModelFile(path);
  const { spread: _, intervals: __, derivedIntervals: ___, ...facts } = manifest;
  const kept = new Map([...tensors].filter(([name]) => !name.startsWith('spread.')));
  const plain = join(out, 'without-heads.onnx');
  const file = parseModelFile(encodeModelFile(findModel(manifest.model), kept, facts), plain);
  const opened = await openDataset(dataset);
  try {
    await writeFileAtomic(plain, await calibratedModel(file, opened, threads));
  } finally {
    await opened.close();
  }
  return plain;
}

const { slides } = await once('simulate', () =>
  simulate({
    out: join(out, 'slides'),
    preset: 'small',
    slides: 56,
    size: Number(size),
    truth: 'expected',
    seed: Number(seed),
    threads,
    resume: true,
  }),
);
const paths = slides.map(({ path }) => path);
await once('prepare', () =>
  prepare({
    slides: paths,
    calibration: paths.slice(0, 20),
    test: paths.slice(20, 40),
    validation: paths.slice(54),
    patch: 384,
    out: dataset,
    overwrite: true,
  }),
);
const run = { dataset, out: join(out, 'run'), threads };
const { model } = await once('train', async () =>
  (await isBegun(run.out)) ? train({ ...run, resume: true }) : train({ ...run, epochs: Number(epochs) }),
);
const heads = await once('evaluate', () => evaluate({ model, dataset, threads }));
const calibration = await once('evaluate-calibration', () =>
  evaluate({ model, dataset, split: 'calibration', threads }),
);
const plain = await once('evaluate-without-heads', async () =>
  evaluate({ model: await withoutHeads(model), dataset, threads }),
);

const percent = (share: number | null): string => `${(100 * Number(share)).toFixed(1)}`;
const coverageOf = ({ coverage }: EvaluateResult) => {
  if (!coverage) throw new Error('the model has no intervals');
  const shares = coverage.perSlide.map((slide) => Number(slide.coverage)).sort((a, b) => a - b);
  const mean = shares.reduce((a, b) => a + b) / shares.length;
  const sd = Math.sqrt(shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / (shares.length - 1));
  return { ...coverage, shares, mean, sd };
};
const both = [heads, plain].map(coverageOf);
const row = (name: string, of: (coverage: (typeof both)[number]) => string): void =>
  console.log(`| ${name} | ${both.map(of).join(' | ')} |`);

console.log('\n| 90% intervals on 20 test slides, % held | quantile heads | without heads |\n|---|---|---|');
row('mean over slides', ({ mean }) => percent(mean));
row('standard deviation over slides', ({ sd }) => percent(sd));
row('least, median and most of a slide', ({ shares }) =>
  [0, 10, 19].map((i) => percent(shares[i])).join(', '),
);
row('mean width, units of the slide', ({ meanWidth }) => Number(meanWidth).toFixed(0));
row('tenths of the prediction, dark to bright', ({ byPredictedDecile }) =>
  byPredictedDecile.map(({ coverage }) => percent(coverage)).join(', '),
);
const [{ byDistanceBin: bins }] = both;
const pixels = bins.reduce((sum, bin) => sum + bin.pixels, 0);
for (const [i, bin] of bins.entries()) {
  const from = bins[i - 1]?.toUm;
  const where =
    bin.toUm === 0
      ? 'in vessels'
      : bin.toUm === null
        ? `beyond ${from} um from vessels`
        : `${from} to ${bin.toUm} um from vessels`;
  row(`${where} (${percent(bin.pixels / pixels)}% of the tissue)`, ({ byDistanceBin }) =>
    percent(byDistanceBin[i].coverage),
  );
}

/** How many of the calibration slides' values are held when the test slides calibrate: two draws of slides differ. */
function heldExchanged(key: string): number {
  const errorsOf = ({ perSlide }: EvaluateResult): number[] =>
    perSlide.map(({ derived }) => Number(derived[key].error)).filter(Number.isFinite);
  const { radius } = conformalRadius(errorsOf(heads), 0.9);
  return errorsOf(calibration).filter((error) => Math.abs(error) <= radius).length;
}

console.log(
  '\n| derived from a slide, 90% | held | half-width | held, slides exchanged |\n|---|---|---|---|',
);
for (const [key, { held, scored, radius }] of Object.entries(heads.derivedCoverage ?? {})) {
  console.log(`| ${key} | ${held} of ${scored} | ${Number(radius).toPrecision(3)} | ${heldExchanged(key)} |`);
}
console.log(`\nR2 on the test slides ${Number(heads.pooled.r2).toFixed(3)}`);
