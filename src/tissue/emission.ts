// Electrons that the structures of a scene give in each channel, before the optics.
import { cellCount, type Grid, sampleAt } from './grid.ts';
import { hash } from './hash.ts';
import { NearNoise, noisePlane } from './noise.ts';
import type { Scene } from './scene.ts';
import type { SlideModel } from './slide-model.ts';
import { smoothstep } from './tissue-map.ts';
import type { Probe } from './transport.ts';

export interface Emission {
  /** vessel, nuclei, probe; and the probe's mean given all that can be seen. */
  readonly vessel: Float32Array;
  readonly nuclei: Float32Array;
  readonly probe: Float32Array;
  readonly expectedProbe: Float32Array;
}

/** @param probe taken-up probe on its own grid */
export function emit(model: SlideModel, scene: Scene, probeGrid: Grid, probe: Probe): Emission {
  const { grid, vessels, nuclei, tissue, open } = scene;
  const { transport, optics } = model;
  const n = cellCount(grid);
  const out: Emission = {
    vessel: new Float32Array(n),
    nuclei: new Float32Array(n),
    probe: new Float32Array(n),
    expectedProbe: new Float32Array(n),
  };
  const seed = hash(model.seed, 707);
  const hiddenSeed = hash(model.hiddenSeed, 708);
  const isProbe = transport.probe !== 'none';
  const isWall = transport.probe === 'vessels';
  const amplitude = transport.amplitude;
  const expectedAmplitude = Math.exp(transport.amplitudeSigma ** 2 / 2);
  const fine = noisePlane(grid, seed, 7);
  const finest = noisePlane(grid, seed + 2, 2.5);
  const coarse = noisePlane(grid, seed + 1, 60);
  const strands = noisePlane(grid, seed + 3, 16);
  const hidden = noisePlane(grid, hiddenSeed, 25);
  const lengthwise = new NearNoise();
  for (let j = 0, at = 0; j < grid.height; j++) {
    const y = grid.fromY + (j + 0.5) * grid.spacing;
    for (let i = 0; i < grid.width; i++, at++) {
      const x = grid.fromX + (i + 0.5) * grid.spacing;
      const here = tissue[at];
      if (here === 0) continue;
      // Cytoplasm glows more than nuclei; fibres and debris make it uneven.
      const even = here * (1 - 0.3 * nuclei.fill[at]) * (1 - 0.5 * Math.min(1, vessels.inside[at]));
      const strand = Math.exp(-((strands[at] / 0.05) ** 2)) * smoothstep(0, 0.4, coarse[at]);
      const grit = smoothstep(0.5, 0.75, finest[at]);
      const texture = 1 + 0.6 * fine[at] + 0.9 * finest[at] + 0.5 * coarse[at] + 0.9 * strand + 2 * grit;
      out.vessel[at] =
        here * optics[0].stainElectrons * vessels.stain[at] + optics[0].autofluorescence * even * texture;
      out.nuclei[at] =
        here * optics[1].stainElectrons * nuclei.stain[at] + optics[1].autofluorescence * even * texture;
      const background = optics[2].autofluorescence * even * texture;
      out.probe[at] = background * (1 + 0.4 * hidden[at]);
      out.expectedProbe[at] = background;
      if (!isProbe) continue;
      // The field between obstacles times how open this pixel is: sharper than the grid it was solved on.
      const sharp = here * transport.tissueElectrons * open[at];
      out.probe[at] += amplitude * sharp * sampleAt(probeGrid, probe.drawn, x, y);
      out.expectedProbe[at] += expectedAmplitude * sharp * sampleAt(probeGrid, probe.expected, x, y);
      if (isWall && vessels.inside[at] > 0) {
        const wall = here * transport.wallElectrons;
        const along = model.vessels.wallAlong;
        // Mean one along vessels (a log-normal of this noise, whose standard deviation is about 0.25).
        const uneven = Math.exp(4 * along * lengthwise.at(hiddenSeed + 1, x / 9, y / 9) - along ** 2 / 2);
        out.probe[at] += amplitude * wall * uneven * vessels.wallSignal[at];
        out.expectedProbe[at] += expectedAmplitude * wall * vessels.expectedWallSignal[at];
      }
    }
  }
  return out;
}
