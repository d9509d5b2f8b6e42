// Everything that determines one simulated slide: plain numbers, so that it goes to worker threads and into
// truth.json as it is.

export interface TissueModel {
  /** Middle and radius of the tumour section, um; the slide may show only part of it. */
  readonly centreXUm: number;
  readonly centreYUm: number;
  readonly radiusUm: number;
  /** Vessel profiles per mm2 at the rim and in the core, this animal's. */
  readonly rimDensity: number;
  readonly coreDensity: number;
  /** Share of the deep tissue that is necrotic, about. */
  readonly necrosis: number;
  /** Nuclei per mm2 that a section catches in living tissue, about. */
  readonly nucleiDensity: number;
}

export interface VesselModel {
  /** Median radius of capillaries, um, and spread of its logarithm. */
  readonly radiusUm: number;
  readonly radiusSigma: number;
  /** Spread of the logarithm of the stain between vessels, and along one. */
  readonly stainSigma: number;
  readonly stainAlongSigma: number;
  /** Share not perfused: of round vessels, and of flattened ones. */
  readonly closedRound: number;
  readonly closedFlat: number;
  /** How ln permeability follows ln(radius / median) and ln stain. */
  readonly permeabilityByRadius: number;
  readonly permeabilityByStain: number;
  /** Standard deviation of the hidden part of ln permeability, one draw a vessel. */
  readonly permeabilityHidden: number;
  /** The signal in wall and lumen goes as permeability to this power, times a hidden factor. */
  readonly wallPower: number;
  readonly wallHidden: number;
  /** Hidden spread of ln signal along a vessel. */
  readonly wallAlong: number;
  /** Leak hot spots per um of vessel, and their flux relative to the vessel's mean. */
  readonly hotSpotsPerUm: number;
  readonly hotSpotFactor: number;
}

export interface TransportModel {
  /** 'vessels' as in tissue; 'blind' ignores the vessels seen; 'none' has no probe. */
  readonly probe: 'vessels' | 'blind' | 'none';
  /** This animal's screening length sqrt(D / k), um, and what is known of it without its probe. */
  readonly lambdaUm: number;
  readonly lambdaMedianUm: number;
  readonly lambdaSigma: number;
  /** This animal's dose x permeability x plasma exposure relative to the cohort's; its spread (of the logarithm). */
  readonly amplitude: number;
  readonly amplitudeSigma: number;
  /** Share of the supply of the section that comes from vessels it cuts; the rest from above and below. */
  readonly inPlaneShare: number;
  /** Photo-electrons a pixel for unit tissue concentration, and for unit wall signal of a vessel. */
  readonly tissueElectrons: number;
  readonly wallElectrons: number;
  /**
   * For the record, this animal's: diffusivity, um2/s; uptake rate, 1/s; median permeability, um/s; plasma half-life
   * and time of the section after injection, h.
   */
  readonly diffusivity: number;
  readonly uptakeRate: number;
  readonly permeability: number;
  readonly plasmaHalfLifeH: number;
  readonly sectionAfterH: number;
}

export interface ChannelOptics {
  /** Gaussian of point spread and section thickness, um; glow from out of focus: share and width. */
  readonly blurUm: number;
  readonly glowShare: number;
  readonly glowUm: number;
  readonly shiftXUm: number;
  readonly shiftYUm: number;
  /** Electrons: of unit stain, of unit autofluorescence, dark current; read noise (standard deviation). */
  readonly stainElectrons: number;
  readonly autofluorescence: number;
  readonly dark: number;
  readonly readNoise: number;
  /** Grey levels: value = offset + gain x electrons. */
  readonly gain: number;
  readonly offset: number;
}

export interface SlideModel {
  readonly seed: number;
  /** Seed of what cannot be seen: permeability, perfusion, hot spots, vessels out of the section. */
  readonly hiddenSeed: number;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly pixelSizeUm: number;
  readonly tilePx: number;
  readonly sampleType: 'uint8' | 'uint16';
  readonly sectionUm: number;
  readonly tissue: TissueModel;
  readonly vessels: VesselModel;
  readonly transport: TransportModel;
  /** vessel, nuclei, probe. */
  readonly optics: readonly [ChannelOptics, ChannelOptics, ChannelOptics];
  /** bleed[to][from]: share of the electrons of one channel seen in another. */
  readonly bleed: readonly (readonly number[])[];
  /** Relative loss of light at the corner of a camera field. */
  readonly vignetting: number;
}
