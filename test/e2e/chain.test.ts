// The whole job by the command line: slides to dataset to model to predicted slide to figures.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { readModelFile } from '../../src/model/model-file.ts';
import { openSlide } from '../../src/slide/open-slide.ts';
import { sharedData } from '../shared-data.ts';
import { hrpn, hrpnJson, root, temporaryFolder } from './command-line.ts';
import { writeDrawnSlide } from './drawn-slide.ts';

const dextran = sharedData('real/dextran');
const field = (n: number): string => join(dextran ?? '', `field-0${n}.ome.tif`);

interface Prepared {
  readonly patches: Record<string, number>;
  readonly notes: string[];
}
interface Trained {
  readonly model: string;
  readonly steps: number;
  readonly trainLoss: number;
}
interface Scores {
  readonly withinSlide: boolean;
  readonly pooled: { pixels: number; pearson: number; r2: number; mse: number };
  readonly floor: { pooled: { r2: number } };
}
interface Predicted {
  readonly width: number;
  readonly height: number;
}

/** Training from scratch takes most of the time: the network is built, compiled and run for 50 steps, three times. */
describe('the chain', () => {
  it('runs on real fields, and what is learned carries over to a field it has not seen', async (context) => {
    if (dextran === undefined) return context.skip('the real fields are absent (docs/real-fields.md)');
    const folder = await temporaryFolder(context);
    const [dataset, run, predicted] = ['dataset', 'run', 'predicted.ome.tif'].map((name) =>
      join(folder, name),
    );

    const prepared = await hrpnJson<Prepared>([
      ...['prepare', field(3), '--test', field(7), '--split-by', 'field', '--validation', 'none'],
      ...['--patch', '128', '--out', dataset],
    ]);
    expect(prepared.patches).toEqual({ train: 45, validation: 0, calibration: 0, test: 45 });
    expect(prepared.notes.join()).toMatch(/share one normalisation, fitted on the training fields/);
    const { sharedMaps, slides } = JSON.parse(await readFile(join(dataset, 'dataset.json'), 'utf8'));
    for (const slide of slides) expect(slide.maps).toEqual(sharedMaps);

    const trained = await hrpnJson<Trained>([
      ...['train', dataset, '--epochs', '1', '--batch', '1', '--seed', '1', '--out', run],
    ]);
    expect(trained.steps).toBe(50);

    const slide = await hrpnJson<Predicted>(['predict', trained.model, field(7), '--out', predicted]);
    expect([slide.width, slide.height]).toEqual([1041, 600]);
    // A constant has 0; an untrained network, one on swapped channels or one in other units is far from it.
    const pearson = await correlation(predicted, field(7));
    expect(pearson).toBeGreaterThan(0.5);
    const bias = (await mean(predicted, 0)) / (await mean(field(7), 2));
    expect(bias).toBeGreaterThan(0.6);
    expect(bias).toBeLessThan(1.6);

    // All of this field is tissue, so that the figures are those of all its pixels.
    const scores = await hrpnJson<Scores>(['evaluate', '--prediction', predicted, '--slide', field(7)]);
    expect(scores.pooled.pixels).toBe(1041 * 600);
    expect(scores.pooled.pearson).toBeCloseTo(pearson, 5);
    expect(scores.pooled.r2).toBeGreaterThan(scores.floor.pooled.r2);
    const ofDataset = await hrpnJson<Scores>(['evaluate', trained.model, dataset]);
    expect(ofDataset.withinSlide).toBe(true);
    expect(ofDataset.pooled.mse).toBeCloseTo(scores.pooled.mse, 2);
  }, 600_000);

  it('ends with the same weights when train is killed at any moment and resumed', async (context) => {
    const folder = await temporaryFolder(context);
    const slides = await Promise.all(
      [1, 2].map((seed) => writeDrawnSlide(join(folder, `${seed}.ome.tif`), { seed })),
    );
    const dataset = join(folder, 'dataset');
    await hrpnJson(['prepare', ...slides, '--patch', '32', '--validation', slides[1], '--out', dataset]);
    const train = (run: string, ...more: string[]): string[] => [
      ...[
        'train',
        dataset,
        '--out',
        join(folder, run),
        '--epochs',
        '1',
        '--batch',
        '1',
        '--threads',
        '2',
        ...more,
      ],
    ];
    const whole = await hrpnJson<Trained>(train('whole'));

    // Where it is cut off is drawn anew in every run of this test; a failure says where it was.
    const rng = new Rng(Date.now());
    const cuts = [
      { signal: 'SIGTERM', step: rng.integer(20), code: 143 },
      { signal: 'SIGKILL', step: 20 + rng.integer(25), code: null },
    ] as const;
    let isResumed = false;
    for (const { signal, step, code } of cuts) {
      const outcome = await hrpn(train('cut', ...(isResumed ? ['--resume'] : [])), signal, step);
      expect(outcome.code, JSON.stringify(cuts)).toBe(code);
      isResumed = true;
    }
    const resumed = await hrpnJson<Trained>(train('cut', '--resume'));
    expect(resumed.steps).toBe(whole.steps);
    expect(resumed.trainLoss, JSON.stringify(cuts)).toBe(whole.trainLoss);
    const [one, other] = await Promise.all([whole.model, resumed.model].map((path) => readFile(path)));
    expect(one.equals(other), JSON.stringify(cuts)).toBe(true);

    // A start with a trained model takes over how large its inputs were, which the dataset would have chosen otherwise.
    const start = join(root, 'models', 'hrpn-simulated.onnx');
    const further = await hrpnJson<Trained>(train('further', '--from', start, '--steps-per-epoch', '1'));
    const [known, chosen, taken] = await Promise.all(
      [start, whole.model, further.model].map(async (path) => (await readModelFile(path)).manifest.inputMaps),
    );
    expect(taken).toEqual(known);
    expect(taken).not.toEqual(chosen);
  }, 600_000);
});

/** Pearson's, between the first channel of a prediction and the probe (third channel) of a slide. */
async function correlation(prediction: string, slide: string): Promise<number> {
  const [p, m] = [await pixels(prediction, 0), await pixels(slide, 2)];
  const [pMean, mMean] = [p, m].map((data) => data.reduce((sum, v) => sum + v, 0) / data.length);
  let [pp, mm, pm] = [0, 0, 0];
  for (let i = 0; i < p.length; i++) {
    pp += (p[i] - pMean) ** 2;
    mm += (m[i] - mMean) ** 2;
    pm += (p[i] - pMean) * (m[i] - mMean);
  }
  return pm / Math.sqrt(pp * mm);
}

async function mean(path: string, channel: number): Promise<number> {
  const data = await pixels(path, channel);
  return data.reduce((sum, value) => sum + value, 0) / data.length;
}

async function pixels(path: string, channel: number): Promise<Float32Array> {
  const source = await openSlide(path);
  try {
    const { data } = await source.read({ x: 0, y: 0, width: source.width, height: source.height }, [channel]);
    return data;
  } finally {
    await source.close();
  }
}
