// Where there is tissue, how dense its vessels are, and where it is dead: smooth fields of position.
import { hash } from './hash.ts';
import { NearNoise } from './noise.ts';
import type { SlideModel } from './slide-model.ts';

export interface TissuePoint {
  /** Above 0 inside tissue, below outside; roughly um to the edge where small. */
  level: number;
  /** Vessel profiles per mm2. */
  density: number;
  /** 0 living to 1 dead. */
  necrosis: number;
}

export class TissueMap {
  readonly #model: SlideModel;
  readonly #seeds: readonly number[];
  /** One for each noise below. */
  readonly #noises = Array.from({ length: 11 }, () => new NearNoise());

  constructor(model: SlideModel) {
    this.#model = model;
    this.#seeds = Array.from({ length: 8 }, (_, i) => hash(model.seed, 101, i));
  }

  /** @param x @param y um from the slide's upper left corner; any point of the plane */
  at(x: number, y: number, out: TissuePoint = { level: 0, density: 0, necrosis: 0 }): TissuePoint {
    const { tissue } = this.#model;
    const seeds = this.#seeds;
    const noises = this.#noises;
    const dx = x - tissue.centreXUm;
    const dy = y - tissue.centreYUm;
    const wobble =
      120 * noises[0].at(seeds[0], x / 700, y / 700) +
      45 * noises[1].at(seeds[1], x / 160, y / 160) +
      8 * noises[2].at(seeds[2], x / 30, y / 30);
    const depth = tissue.radiusUm - Math.hypot(dx, dy) + wobble;
    const frayed = 6 * noises[10].at(seeds[2], x / 9, y / 9);
    // Tears and fat: where a mid-scale noise is extreme, with scalloped edges.
    const hole =
      noises[3].at(seeds[3], x / 210, y / 210) +
      0.25 * noises[4].at(seeds[4], x / 45, y / 45) +
      0.3 * noises[5].at(seeds[5], x / 900, y / 900);
    const deep = smoothstep(150, 900, depth);
    const dead =
      noises[6].at(seeds[6], x / 600, y / 600) +
      0.3 * noises[7].at(seeds[4], x / 90, y / 90) -
      (0.62 - 0.9 * tissue.necrosis * deep);
    out.level = Math.min(depth, (0.62 - hole) * 90) + frayed;
    out.necrosis = smoothstep(0, 0.12, dead) * smoothstep(80, 300, depth);
    const patchy = Math.exp(
      1.4 * noises[8].at(seeds[7], x / 330, y / 330) + 0.4 * noises[9].at(seeds[1], x / 110 + 7, y / 110),
    );
    out.density =
      patchy *
      (tissue.rimDensity + (tissue.coreDensity - tissue.rimDensity) * deep) *
      (1 - 0.93 * out.necrosis) *
      smoothstep(-20, 15, out.level);
    return out;
  }
}

/** 0 below `low`, 1 above `high`, smooth between. */
export function smoothstep(low: number, high: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return t * t * (3 - 2 * t);
}
