// One animal a slide: its own tissue, dose, leakiness and uptake, and its own stain.
import { hash, LocalRng } from './hash.ts';
import type { Preset } from './presets.ts';
import type { ChannelOptics, SlideModel } from './slide-model.ts';

export interface CohortOptions {
  readonly preset: Preset;
  readonly seed: number;
  readonly sizePx: number;
  /** Diameter of the particle, nm. */
  readonly particleNm: number;
}

const pixelSizeUm = 0.5;
/** PEGylated quantum dots circulate for hours; sections are taken a day later. */
const plasmaHalfLifeH = 6;
const sectionAfterH = 24;
/** Diameter for which the presets' lambda and electrons hold. */
const referenceNm = 20;

/**
 * Diffusivity and permeability of a particle. D goes as 1 / diameter (Stokes and Einstein), 2 um2/s at 20 nm in
 * tumour tissue; ln P is linear in ln diameter through 1.27e-3 um/s at 9.4 nm and 1.1e-4 um/s at 90 nm (PMC7078505).
 */
function particle(diameterNm: number): { diffusivity: number; permeability: number } {
  const slope = Math.log(1.27e-3 / 1.1e-4) / Math.log(90 / 9.4);
  return {
    diffusivity: (2 * referenceNm) / diameterNm,
    permeability: 1.27e-3 * (diameterNm / 9.4) ** -slope,
  };
}

/**
 * Plasma concentration integrated from injection to the section, relative to its start, in hours. Transport through
 * tissue takes minutes (1 / uptake rate), so the probe taken up is the steady field for this integral.
 */
function exposureH(halfLifeH: number): number {
  return (halfLifeH / Math.LN2) * (1 - 2 ** (-sectionAfterH / halfLifeH));
}

/** Relative change of the exposure for a relative change of the half-life. */
function exposureElasticity(): number {
  const step = 1e-4;
  return Math.log(exposureH(plasmaHalfLifeH * (1 + step)) / exposureH(plasmaHalfLifeH)) / step;
}

/** Edge of a tile: small slides are cut too, so that threads share them. */
function tileOf(sizePx: number): number {
  if (sizePx <= 256) return 128;
  if (sizePx <= 512) return 256;
  return sizePx <= 1024 ? 512 : 1024;
}

/** The model of one slide of a cohort; slides of one cohort differ as animals do. */
export function slideModel({ preset, seed, sizePx, particleNm }: CohortOptions, slide: number): SlideModel {
  const own = hash(hash(seed, Math.floor(seed / 4294967296)), slide, 1);
  const rng = new LocalRng(hash(own, 2));
  const { betweenAnimals: spread, transport, tissue } = preset;
  const sizeUm = sizePx * pixelSizeUm;
  const density = rng.logNormal(spread.density);
  const doseFactor = rng.logNormal(spread.dose);
  const leakiness = rng.logNormal(spread.permeability);
  const halfLifeH = plasmaHalfLifeH * rng.logNormal(spread.plasmaHalfLife);
  const mobility = rng.logNormal(spread.diffusion);
  const appetite = rng.logNormal(spread.uptake);
  // Slides smaller than a tumour show a part of one, with its edge across a corner.
  const radiusUm = Math.max(0.46 * sizeUm, 1600);
  const direction = 2 * Math.PI * rng.uniform();
  const off = sizeUm < 3000 ? radiusUm - sizeUm * (0.42 + 0.2 * rng.uniform()) : 0;
  const { diffusivity, permeability } = particle(particleNm);
  const reference = particle(referenceNm);
  const exposure = exposureH(halfLifeH) / exposureH(plasmaHalfLifeH);
  // The same uptake rate for all sizes: lambda goes as the root of D.
  const lambdaMedianUm = transport.lambdaUm * Math.sqrt(diffusivity / reference.diffusivity);
  const dose = permeability / reference.permeability;
  const stained = (optics: ChannelOptics): ChannelOptics => ({
    ...optics,
    stainElectrons: optics.stainElectrons * rng.logNormal(spread.stain),
    autofluorescence: optics.autofluorescence * rng.logNormal(spread.background),
    blurUm: optics.blurUm * rng.logNormal(spread.blur),
  });
  return {
    seed: own,
    hiddenSeed: hash(own, 3),
    widthPx: sizePx,
    heightPx: sizePx,
    pixelSizeUm,
    tilePx: tileOf(sizePx),
    sampleType: preset.sampleType,
    sectionUm: preset.sectionUm,
    tissue: {
      ...tissue,
      rimDensity: tissue.rimDensity * density,
      coreDensity: tissue.coreDensity * density,
      centreXUm: sizeUm / 2 + off * Math.cos(direction),
      centreYUm: sizeUm / 2 + off * Math.sin(direction),
      radiusUm,
    },
    vessels: preset.vessels,
    transport: {
      probe: transport.probe,
      lambdaUm: lambdaMedianUm * Math.sqrt(mobility / appetite),
      lambdaMedianUm,
      lambdaSigma: 0.5 * Math.hypot(spread.diffusion, spread.uptake),
      amplitude: doseFactor * leakiness * exposure,
      amplitudeSigma: Math.hypot(
        spread.dose,
        spread.permeability,
        exposureElasticity() * spread.plasmaHalfLife,
      ),
      inPlaneShare: transport.inPlaneShare,
      tissueElectrons: transport.tissueElectrons * dose,
      wallElectrons: transport.wallElectrons * Math.sqrt(dose),
      diffusivity: diffusivity * mobility,
      uptakeRate: (appetite * diffusivity) / lambdaMedianUm ** 2,
      permeability: permeability * leakiness,
      plasmaHalfLifeH: halfLifeH,
      sectionAfterH,
    },
    optics: [stained(preset.optics[0]), stained(preset.optics[1]), preset.optics[2]],
    bleed: preset.bleed,
    vignetting: preset.vignetting,
  };
}
