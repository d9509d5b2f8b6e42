// Which network is trained, and what makes that impossible from its beginning, for `train` and, before its first run, for `benchmark`.
import { ModelError, UsageError } from '../core/errors.ts';
import type { DatasetManifest } from '../dataset/manifest.ts';
import { needsResampling } from '../dataset/resampled-source.ts';
import type { ModelFile } from '../model/model-file.ts';
import { layoutOf } from '../model/network.ts';
import { findModel, type NetworkModel } from '../model/registry.ts';
import type { RecipeName } from '../training/recipes.ts';
import { vectorFrom } from '../training/tensors.ts';

/** The network of a name; by the standard recipe it takes normalised intensities, also where it was published on grey levels. */
export function networkFor(name: string, recipe: RecipeName = 'own'): NetworkModel {
  const model = findModel(name);
  return recipe === 'standard' ? { ...model, normalized: true } : model;
}

/** @throws UsageError for a patch on which the network cannot be trained */
export function requireFittingPatch(model: NetworkModel, patch: number): void {
  const multiple = model.adversary?.patchMultiple ?? model.stride;
  if (patch % multiple !== 0) {
    throw new UsageError(`--patch: expected a multiple of ${multiple} for ${model.name}, found ${patch}.`);
  }
  if (model.fixedTile !== undefined && patch !== model.fixedTile) {
    throw new UsageError(
      `--patch: ${model.name} works on patches of ${model.fixedTile} px only, found ${patch}. Add --patch ${model.fixedTile}.`,
    );
  }
}

/**
 * Weights say nothing of what their inputs were.
 * @returns what a person must know of a start that fits, one sentence each
 * @throws ModelError for a start of another network, with other inputs or on other intensities
 */
export function requireFittingStart(
  { path, manifest, tensors }: ModelFile,
  model: NetworkModel,
  { inputRoles, pixelSizeUm, targetRole }: Pick<DatasetManifest, 'inputRoles' | 'pixelSizeUm' | 'targetRole'>,
): string[] {
  const [found, wanted] = [manifest.roles, inputRoles].map((roles) => roles.join(', '));
  if (found !== wanted) {
    throw new ModelError(
      `--from ${path}: the model was trained on the inputs ${found}, and the dataset has ${wanted}. Prepare the dataset with these --input roles in this order, or leave out --from.`,
    );
  }
  const layout = layoutOf(model.network, manifest.roles.length, model.stride);
  for (const specs of [layout.parameters, layout.statistics]) vectorFrom(specs, tensors, path);
  const isRaw = [manifest.targetMap, ...('reaches' in manifest.inputMaps ? [] : manifest.inputMaps)].every(
    ({ offset, scale }) => offset === 0 && scale === 1,
  );
  if (isRaw === model.normalized) {
    const say = (raw: boolean): string => (raw ? 'stored grey levels' : 'normalised intensities');
    throw new ModelError(
      `--from ${path}: the model was trained on ${say(isRaw)}, and this run is to train on ${say(!isRaw)}. Train with the --recipe that it was trained with, or leave out --from.`,
    );
  }
  const notes: string[] = [];
  if (needsResampling(path, manifest.pixelSizeUm, pixelSizeUm)) {
    notes.push(
      `The start was trained at ${manifest.pixelSizeUm} um a pixel, and this dataset is at ${pixelSizeUm}: what it learned of sizes is off by that, until training mends it.`,
    );
  }
  if (manifest.targetRole !== targetRole) {
    notes.push(
      `The start was trained to predict ${manifest.targetRole}, and this dataset's target is ${targetRole}.`,
    );
  }
  return notes;
}
