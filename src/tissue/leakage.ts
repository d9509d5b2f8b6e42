// How much probe each vessel lets through: a part that follows what can be seen of it, and a hidden part. Both the
// drawn value and its mean given what is seen, in closed form (the hidden parts are log-normal and independent).
import { hash, LocalRng } from './hash.ts';
import type { SlideModel } from './slide-model.ts';
import { smoothstep } from './tissue-map.ts';
import type { Vessel } from './vessel-path.ts';

export interface Leakage {
  /** Relative permeability x perfusion: 0 where not perfused; median of perfused ones 1. */
  readonly flux: number;
  /** Relative signal in wall and lumen. */
  readonly wall: number;
  readonly isPerfused: boolean;
  /** Means of `flux` and `wall` given what can be seen. */
  readonly expectedFlux: number;
  readonly expectedWall: number;
}

export function leakageOf(model: SlideModel, vessel: Vessel): Leakage {
  const { vessels, hiddenSeed } = model;
  const seen =
    vessels.permeabilityByRadius * Math.log(vessel.radiusUm / vessels.radiusUm) +
    vessels.permeabilityByStain * Math.log(vessel.stain);
  const flat = smoothstep(2.9, 3.3, vessel.flattening);
  const closed = vessels.closedRound + (vessels.closedFlat - vessels.closedRound) * flat;
  const rng = new LocalRng(hash(hiddenSeed, vessel.key, 11));
  const isPerfused = rng.uniform() >= closed;
  const sigmaP = vessels.permeabilityHidden;
  const sigmaW = vessels.wallHidden;
  const lnFlux = seen + sigmaP * rng.normal();
  const lnWall = vessels.wallPower * lnFlux + sigmaW * rng.normal();
  const open = isPerfused ? 1 : 0;
  return {
    flux: open * Math.exp(lnFlux),
    wall: open * Math.exp(lnWall),
    isPerfused,
    expectedFlux: (1 - closed) * Math.exp(seen + sigmaP ** 2 / 2),
    expectedWall:
      (1 - closed) *
      Math.exp(vessels.wallPower * seen + (vessels.wallPower ** 2 * sigmaP ** 2 + sigmaW ** 2) / 2),
  };
}

/** Leak hot spots: the flux of one piece of a vessel relative to the vessel's mean; mean 1 over draws. */
export function hotSpot(model: SlideModel, key: number, lengthUm: number): number {
  const { hotSpotsPerUm, hotSpotFactor } = model.vessels;
  const chance = Math.min(0.9, hotSpotsPerUm * lengthUm);
  const mean = 1 + chance * (hotSpotFactor - 1);
  return (new LocalRng(hash(model.hiddenSeed, key, 13)).uniform() < chance ? hotSpotFactor : 1) / mean;
}
