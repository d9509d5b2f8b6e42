// What each option of training is worth on slides that were not trained on: one short run an option, scored on the
// test slides, as a table. An interrupted run goes on where it was; finished ones are kept in OUT.
//
//   node bench/ablation.ts DATASET OUT [EPOCHS] [THREADS]
//
// The dataset needs simulated slides with `--truth expected`: errors are against the noise-free probe, whose noise
// would hide what options differ by. docs/ablations.md has the commands of the cohort and what came out.
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainOptions } from '../src/contract/train.ts';
import { writeFileAtomic } from '../src/core/atomic-file.ts';
import { evaluate } from '../src/experiment/evaluate.ts';
import { train } from '../src/experiment/train.ts';

const [dataset, out, epochs = '3', threads = '1'] = process.argv.slice(2);
if (out === undefined) throw new Error('expected DATASET OUT [EPOCHS] [THREADS]');

/** The first is what the others are compared with; the second shows how much chance alone changes. */
const variants: Readonly<Record<string, Partial<TrainOptions>>> = {
  recipe: {},
  'another seed': { seed: 1 },
  '--augment none': { augment: 'none' },
  '--augment flips': { augment: 'flips' },
  '--augment flips,focus=0.5,gain=0.1,offset=0.01': { augment: 'flips,focus=0.5,gain=0.1,offset=0.01' },
  '--loss root': { loss: 'root' },
  '--loss huber': { loss: 'huber' },
  '--schedule constant': { schedule: 'constant' },
  '--average-decay 0': { averageDecay: 0 },
  '--balance': { balance: true },
  '--augment flips,focus=0.5,rotate': { augment: 'flips,focus=0.5,rotate' },
};

interface Score {
  readonly r2: number;
  readonly extravascularR2: number;
  /** Of each test slide, in the order of the dataset. */
  readonly mse: readonly number[];
  readonly steps: number;
  readonly cpuSeconds: number;
}

async function scoreOf(name: string, options: Partial<TrainOptions>): Promise<Score> {
  const folder = join(out, name.replace(/[^\p{L}\p{N}.]+/gu, '-').replace(/^-/, ''));
  const kept = await readFile(join(folder, 'score.json'), 'utf8').catch(() => undefined);
  if (kept !== undefined) return JSON.parse(kept);
  const isBegun = await access(join(folder, 'run.json')).then(
    () => true,
    () => false,
  );
  const before = process.cpuUsage();
  const common = { dataset, out: folder, threads: Number(threads) };
  const { model, steps } = await train(
    isBegun ? { ...common, resume: true } : { ...common, epochs: Number(epochs), ...options },
  );
  const { user, system } = process.cpuUsage(before);
  const { pooled, extravascular, perSlide } = await evaluate({
    model,
    dataset,
    target: 'expected',
    threads: Number(threads),
  });
  const score: Score = {
    r2: pooled.r2,
    extravascularR2: extravascular.r2,
    mse: perSlide.map((slide) => slide.pooled.mse),
    steps,
    cpuSeconds: (user + system) / 1e6,
  };
  await writeFileAtomic(join(folder, 'score.json'), `${JSON.stringify(score)}\n`);
  return score;
}

console.log(
  '| training | R2 | R2 outside vessels | MSE against the recipe, mean | test slides | steps | CPU s |',
);
console.log('|---|---|---|---|---|---|---|');
let reference: Score | undefined;
for (const [name, options] of Object.entries(variants)) {
  const score = await scoreOf(name, options);
  reference ??= score;
  const ratios = score.mse.map((mse, i) => (mse / (reference as Score).mse[i] - 1) * 100);
  const percent = (value: number): string => `${value >= 0 ? '+' : ''}${value.toFixed(1)}%`;
  const mean = ratios.reduce((a, b) => a + b, 0) / ratios.length;
  console.log(
    `| ${name} | ${score.r2.toFixed(4)} | ${score.extravascularR2.toFixed(4)} | ${percent(mean)} | ` +
      `${ratios.map(percent).join(', ')} | ${score.steps} | ${score.cpuSeconds.toFixed(0)} |`,
  );
}
