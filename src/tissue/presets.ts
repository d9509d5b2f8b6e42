// Kinds of cohorts. docs/simulator.md has how they were set and how they compare with real tissue.
import type { ChannelOptics, SlideModel, TissueModel, TransportModel, VesselModel } from './slide-model.ts';

export type PresetName =
  | 'tiny'
  | 'small'
  | 'standard'
  | 'standard-8bit'
  | 'hard'
  | 'paper'
  | 'no-probe'
  | 'vessel-blind';

/** Standard deviations between animals, of the logarithm unless said. */
interface BetweenAnimals {
  readonly dose: number;
  readonly permeability: number;
  readonly plasmaHalfLife: number;
  readonly diffusion: number;
  readonly uptake: number;
  readonly density: number;
  /** Of stain strength and background of the two inputs; blur (relative); these can be seen. */
  readonly stain: number;
  readonly background: number;
  readonly blur: number;
}

export interface Preset {
  readonly slides: number;
  readonly sizePx: number;
  readonly sampleType: 'uint8' | 'uint16';
  /** Whether the mask-like truths are written beside the noise-free probe unless asked for. */
  readonly fullTruth: boolean;
  readonly sectionUm: number;
  readonly tissue: Pick<TissueModel, 'rimDensity' | 'coreDensity' | 'necrosis' | 'nucleiDensity'>;
  readonly vessels: VesselModel;
  readonly transport: Pick<TransportModel, 'probe' | 'inPlaneShare' | 'tissueElectrons' | 'wallElectrons'> & {
    readonly lambdaUm: number;
  };
  readonly betweenAnimals: BetweenAnimals;
  readonly optics: SlideModel['optics'];
  readonly bleed: SlideModel['bleed'];
  readonly vignetting: number;
}

const vessels: VesselModel = {
  radiusUm: 1.6,
  radiusSigma: 0.22,
  stainSigma: 0.35,
  stainAlongSigma: 0.95,
  closedRound: 0.004,
  closedFlat: 0.98,
  permeabilityByRadius: 0.5,
  permeabilityByStain: 0.9,
  permeabilityHidden: 0.12,
  wallPower: 0.8,
  wallHidden: 0.05,
  wallAlong: 0.06,
  hotSpotsPerUm: 0.0324,
  hotSpotFactor: 4,
};

function optics(own: Partial<ChannelOptics>): ChannelOptics {
  return {
    blurUm: 0.3,
    glowShare: 0.06,
    glowUm: 9,
    shiftXUm: 0,
    shiftYUm: 0,
    stainElectrons: 600,
    autofluorescence: 40,
    dark: 8,
    readNoise: 2,
    gain: 4,
    offset: 100,
    ...own,
  };
}

const standard: Preset = {
  slides: 6,
  sizePx: 8192,
  sampleType: 'uint16',
  fullTruth: true,
  sectionUm: 6,
  tissue: { rimDensity: 1500, coreDensity: 1000, necrosis: 0.3, nucleiDensity: 15_500 },
  vessels,
  transport: {
    probe: 'vessels',
    inPlaneShare: 0.6,
    tissueElectrons: 40,
    wallElectrons: 1400,
    lambdaUm: 30,
  },
  betweenAnimals: {
    dose: 0.03,
    permeability: 0.03,
    plasmaHalfLife: 0.03,
    diffusion: 0.14,
    uptake: 0.14,
    density: 0.15,
    stain: 0.15,
    background: 0.15,
    blur: 0.12,
  },
  optics: [
    optics({ stainElectrons: 1500, autofluorescence: 85 }),
    optics({ stainElectrons: 900, autofluorescence: 60, glowUm: 6 }),
    optics({ autofluorescence: 85, shiftXUm: 0.25, shiftYUm: -0.15, blurUm: 0.35 }),
  ],
  // To vessel, nuclei, probe; from the same.
  bleed: [
    [1, 0.004, 0.02],
    [0.004, 1, 0],
    [0.02, 0.005, 1],
  ],
  vignetting: 0.1,
};

/** As the published slides were stored: 8 bits, the probe's standard deviation in tissue about 3.6 grey levels. */
const standard8bit: Preset = {
  ...standard,
  sampleType: 'uint8',
  optics: [
    { ...standard.optics[0], gain: 0.055, offset: 3 },
    { ...standard.optics[1], gain: 0.11, offset: 3 },
    { ...standard.optics[2], gain: 0.0215, offset: 2 },
  ],
};

/** More of what decides the probe cannot be seen: permeability, perfusion, dose, uptake. */
const hard: Preset = {
  ...standard,
  vessels: {
    ...vessels,
    closedRound: 0.12,
    closedFlat: 0.5,
    permeabilityHidden: 0.4,
    wallHidden: 0.17,
    wallAlong: 0.17,
  },
  betweenAnimals: {
    ...standard.betweenAnimals,
    dose: 0.09,
    permeability: 0.1,
    plasmaHalfLife: 0.08,
    diffusion: 0.2,
    uptake: 0.22,
  },
};

const presets: Readonly<Record<PresetName, Preset>> = {
  tiny: { ...standard, slides: 3, sizePx: 512 },
  small: { ...standard, sizePx: 2048 },
  standard,
  'standard-8bit': standard8bit,
  hard,
  paper: { ...standard8bit, sizePx: 37_888, fullTruth: false },
  'no-probe': { ...standard, sizePx: 2048, transport: { ...standard.transport, probe: 'none' } },
  'vessel-blind': { ...standard, sizePx: 2048, transport: { ...standard.transport, probe: 'blind' } },
};

export function presetOf(name: PresetName): Preset {
  return presets[name];
}
