/** What a start with a trained model changes in what a dataset shows. */
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../dataset/open-dataset.ts';
import type { ModelFile } from '../model/model-file.ts';
import { withReachesOf } from './dataset-view.ts';

const maps = { vessel: { offset: 10, scale: 20 }, nuclei: { offset: 5, scale: 3 } };

/** Stains of the brightness 10 and 2 that become 1 at 20 and 3. */
function dataset(isShared: boolean): Dataset {
  return {
    manifest: {
      inputRoles: ['vessel', 'nuclei'],
      reaches: { vessel: 2, nuclei: 1.5 },
      sharedMaps: isShared ? maps : null,
    },
    slides: [{ inputMaps: [maps.vessel, maps.nuclei] }],
  } as unknown as Dataset;
}

const modelWith = (inputMaps: unknown): ModelFile =>
  ({ manifest: { roles: ['nuclei', 'vessel'], inputMaps } }) as unknown as ModelFile;

describe('a dataset with the reaches of a model', () => {
  it.each([false, true])('shows stains in the sizes that its weights know (shared maps: %s)', (isShared) => {
    const { manifest, slides } = withReachesOf(modelWith({ reaches: [4, 0.5] }), dataset(isShared));
    const expected = { vessel: { offset: 10, scale: 5 }, nuclei: { offset: 5, scale: 8 } };
    expect(slides[0].inputMaps).toEqual([expected.vessel, expected.nuclei]);
    expect(manifest.reaches).toEqual({ vessel: 0.5, nuclei: 4 });
    expect(manifest.sharedMaps).toEqual(isShared ? expected : null);
  });

  it('is the dataset itself where the model has fixed maps', () => {
    const given = dataset(false);
    expect(withReachesOf(modelWith([maps.nuclei, maps.vessel]), given)).toBe(given);
  });
});
