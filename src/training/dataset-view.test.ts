/** What a start with a trained model changes in what a dataset shows. */
import { describe, expect, it } from 'vitest';
import type { SampleType } from '../core/pixel-source.ts';
import { identityMap } from '../dataset/normalisation.ts';
import type { Dataset } from '../dataset/open-dataset.ts';
import type { ModelFile } from '../model/model-file.ts';
import { findModel } from '../model/registry.ts';
import { asSeenBy, asStartedFrom, datasetFor } from './dataset-view.ts';
import { modelFacts } from './model-facts.ts';
import type { RunSettings } from './run-folder.ts';

const hrpn = findModel('hrpn');
const maps = { vessel: { offset: 10, scale: 20 }, nuclei: { offset: 5, scale: 3 } };

/** The spectrum of a point spread of this variance, squared pixels, seen in twelve bands. */
const falling = (variance: number): number[] =>
  Array.from({ length: 12 }, (_, i) => -4 * Math.PI ** 2 * variance * (0.1 + 0.025 * (i + 0.5)) ** 2);

/** Stains of the brightness 10 and 2 that become 1 at 20 and 3. */
function dataset(isShared: boolean): Dataset {
  return {
    manifest: {
      inputRoles: ['vessel', 'nuclei'],
      reaches: { vessel: 2, nuclei: 1.5 },
      spectra: { vessel: falling(1), nuclei: falling(2) },
      sharedMaps: isShared ? maps : null,
    },
    slides: [
      {
        entry: { spectra: { vessel: falling(1), nuclei: falling(2) } },
        inputMaps: [maps.vessel, maps.nuclei],
        focus: [0, 0],
      },
    ],
  } as unknown as Dataset;
}

const modelWith = (inputMaps: unknown): ModelFile =>
  ({ manifest: { roles: ['nuclei', 'vessel'], inputMaps } }) as unknown as ModelFile;

describe('a dataset as a model sees it', () => {
  it.each([false, true])(
    'shows stains in the sizes and at the focus that its weights know (shared maps: %s)',
    (isShared) => {
      const { manifest, slides } = asSeenBy(
        modelWith({ reaches: [4, 0.5], spectra: [falling(2.5), null] }),
        dataset(isShared),
      );
      const expected = { vessel: { offset: 10, scale: 5 }, nuclei: { offset: 5, scale: 8 } };
      expect(slides[0].inputMaps).toEqual([expected.vessel, expected.nuclei]);
      expect(slides[0].focus).toEqual([0, expect.closeTo(0.5)]);
      expect(manifest.spectra).toEqual({ vessel: null, nuclei: falling(2.5) });
      const further = asStartedFrom(
        modelWith({ reaches: [4, 0.5], spectra: [falling(2.5), null] }),
        dataset(isShared),
      );
      expect(further.manifest.spectra).toEqual({ vessel: falling(1), nuclei: falling(2.5) });
      expect(manifest.reaches).toEqual({ vessel: 0.5, nuclei: 4 });
      expect(manifest.sharedMaps).toEqual(isShared ? expected : null);
    },
  );

  it('has the range and the least value of what its files store, though some slides are resampled', () => {
    const stored = (type: SampleType, isResampled = false) => ({
      source: {
        channels: [isResampled ? { sampleType: 'float32', storedAs: type } : { sampleType: type }],
      },
      targetChannel: 0,
    });
    const of = (...slides: ReturnType<typeof stored>[]) => {
      const given = dataset(false);
      const manifest = { ...given.manifest, slides: [], targetMap: { offset: 100, scale: 7 } };
      return { ...given, manifest, slides } as unknown as Dataset;
    };
    const bytes = of(stored('uint8'), stored('uint8', true));
    const settings = { dataset: '', seed: 0 } as RunSettings;
    const facts = (given: Dataset, model = hrpn) =>
      modelFacts({ model, dataset: given, settings, writtenBy: '' }, 1, 1);
    const bounded = { ...hrpn, bounded: true } as const;
    expect(datasetFor(bounded, bytes).manifest.targetMap.scale).toBe(255);
    // Mean and deviation stay known where the network learns by something else: integer predictions are scaled by them.
    const statistics = { offset: 100, scale: 7 };
    expect(facts(bytes)).toMatchObject({ targetMap: statistics });
    expect(facts(bytes, bounded)).toMatchObject({
      targetMap: { scale: 255 },
      targetStatistics: statistics,
    });
    expect(facts(bytes, findModel('hrpn-published'))).toMatchObject({
      targetMap: identityMap,
      targetStatistics: statistics,
    });
    expect(facts(bytes).targetMin).toBe(0);
    expect(facts(of(stored('int16'))).targetMin).toBe(-32_768);
    expect(facts(of(stored('uint8'), stored('float32'))).targetMin).toBeUndefined();
    // Beyond what float32 can add to a prediction and take off again.
    expect(facts(of(stored('int32'))).targetMin).toBeUndefined();
  });

  it('is the dataset itself where the model has fixed maps', () => {
    const given = dataset(false);
    expect(asSeenBy(modelWith([maps.nuclei, maps.vessel]), given)).toBe(given);
  });
});
