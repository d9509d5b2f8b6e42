// Puts together a dataset's manifest from what was found out about its slides.
import { relative, resolve, sep } from 'node:path';
import { isUrl } from '../dataset/fingerprint.ts';
import { meanSpectrum } from '../dataset/focus.ts';
import { type DatasetManifest, type DatasetSlide, manifestVersion } from '../dataset/manifest.ts';
import {
  type AffineMap,
  fitStain,
  type StainFit,
  stainMap,
  stainReach,
  targetMap,
} from '../dataset/normalisation.ts';
import { lookOf } from '../dataset/quality.ts';
import type { Split } from '../dataset/split.ts';
import { windowRows } from '../dataset/survey-slide.ts';
import { type DatasetPlan, type PrepareSettings, planeOf } from './plan-dataset.ts';
import type { ExcludedSlide, SurveyedSlide } from './survey-slides.ts';

/** @throws DataError when an input or the target is constant over the training slides */
export function makeManifest(
  surveyed: readonly SurveyedSlide[],
  splitOf: readonly Split[],
  made: {
    plan: DatasetPlan;
    pixelSizeUm: number;
    options: PrepareSettings;
    excluded: readonly ExcludedSlide[];
  },
): DatasetManifest {
  const { plan, pixelSizeUm, options, excluded } = made;
  const isIn = (split: Split) => (_: unknown, i: number) => splitOf[i] === split;
  const windows = (split: Split) =>
    surveyed.flatMap(({ survey }, i) => (splitOf[i] === split ? windowRows(i, survey.windows) : []));
  const training = surveyed.filter(isIn('train'));
  const shared = plan.splitBy === 'field' ? fitTogether(training, plan.inputRoles) : null;
  const reaches = byRole(plan.inputRoles, (_, i) =>
    stainReach(shared ? [shared[i]] : training.map(({ stains }) => stains![i])),
  );
  const mapsOf = (stains: readonly StainFit[]) =>
    byRole(plan.inputRoles, (role, i) => stainMap(stains[i], reaches[role]));
  const sharedMaps = shared && mapsOf(shared);
  return {
    format: 'hrpn dataset',
    version: manifestVersion,
    createdBy: 'hrpn prepare',
    inputRoles: [...plan.inputRoles],
    targetRole: plan.targetRole,
    pixelSizeUm,
    patch: options.patch,
    minTissue: options.minTissue,
    overlap: options.overlap,
    splitBy: plan.splitBy,
    seed: options.seed,
    sharedMaps,
    reaches,
    spectra: shared
      ? {}
      : byRole(plan.inputRoles, (_, i) => meanSpectrum(training.map(({ spectra }) => spectra![i]))),
    targetMap: targetMap(
      training.map(({ survey }) => survey.moments),
      training[0].channels[plan.targetRole],
    ),
    slides: surveyed.map((slide, i) =>
      slideEntry(slide, splitOf[i], sharedMaps ?? mapsOf(slide.stains!), plan, options),
    ),
    windows: {
      train: windows('train'),
      validation: windows('validation'),
      calibration: windows('calibration'),
      test: windows('test'),
    },
    excluded: excluded.map(({ path, reason }) => ({ slide: path, reason })),
  };
}

const byRole = <T>(roles: readonly string[], of: (role: string, i: number) => T): Record<string, T> =>
  Object.fromEntries(roles.map((role, i) => [role, of(role, i)]));

/** Of each input, over the training fields together. */
function fitTogether(training: readonly SurveyedSlide[], inputRoles: readonly string[]): StainFit[] {
  return inputRoles.map((role, i) =>
    fitStain(
      training.map(({ inputSamples }) => inputSamples![i]),
      training[0].channels[role],
      'the training fields together',
    ),
  );
}

function slideEntry(
  slide: SurveyedSlide,
  split: Split,
  maps: Readonly<Record<string, AffineMap>>,
  plan: DatasetPlan,
  options: PrepareSettings,
): DatasetSlide {
  const { tissue, tissueAreaMm2, quality } = slide.survey;
  return {
    name: slide.name,
    path: slide.path,
    ...(isUrl(slide.path)
      ? {}
      : { relativePath: relative(resolve(options.out), slide.path).split(sep).join('/') }),
    fingerprint: slide.fingerprint,
    width: slide.width,
    height: slide.height,
    pixelSizeUm: slide.pixelSizeUm,
    ...(options.pixelSizeUm === undefined ? {} : { givenPixelSizeUm: options.pixelSizeUm }),
    ...(options.z === undefined && options.t === undefined ? {} : { plane: planeOf(options) }),
    channels: { ...slide.channels },
    group: slide.group,
    split,
    maps,
    looks: byRole(plan.inputRoles, (_, i) => lookOf(quality[i])),
    ...(slide.spectra && { spectra: byRole(plan.inputRoles, (_, i) => slide.spectra![i]) }),
    mask: {
      file: `masks/${slide.name}.png`,
      cellPx: tissue.cellPx,
      cellsWide: tissue.cellsWide,
      cellsHigh: tissue.cellsHigh,
    },
    tissueAreaMm2,
  };
}
