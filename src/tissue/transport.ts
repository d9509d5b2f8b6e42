// The probe in the tissue of one tile: steady screened diffusion around the vessels, on two nested grids.
import { cellCount, type Grid, resample, sampleAt } from './grid.ts';
import type { Leakage } from './leakage.ts';
import { ScreenedSolver } from './multigrid.ts';
import type { SlideModel } from './slide-model.ts';
import { addWallFlux, type Sources } from './sources.ts';
import type { VesselPiece } from './vessel-path.ts';

/** What stands in the way on one grid. */
export interface Medium {
  readonly grid: Grid;
  /** Share of each cell's depth that probe can be in: tissue, and neither vessel nor nucleus; 0 to 1. */
  readonly open: Float32Array;
}

export interface TransportInput {
  readonly model: SlideModel;
  /** Wide and coarse: reaches so far beyond the tile that nothing from farther matters (exp(-reach / lambda)). */
  readonly wide: Medium;
  /** The tile and a halo at full detail. */
  readonly fine: Medium;
  readonly widePieces: readonly VesselPiece[];
  readonly finePieces: readonly VesselPiece[];
  readonly leakages: ReadonlyMap<number, Leakage>;
  /** Supply from above and below, on the wide grid. */
  readonly outOfPlane: Sources;
}

/** Taken-up probe in each cell of the fine grid, relative units: drawn, and its mean given what is seen. */
export interface Probe {
  readonly drawn: Float32Array;
  readonly expected: Float32Array;
}

/** Nodes of the two-point Gauss-Hermite rule for a standard normal, of equal weight: exact to third order. */
const hermite = [-1, 1] as const;

/**
 * Solves div(D grad u) - k u + source = 0, whose time integral over the circulation gives the probe taken up,
 * k u; in units where the source is what it would sustain alone and lambda = sqrt(D / k). First on the wide grid
 * with no flux through its far border, then on the fine grid with the wide solution around it (one-way local
 * defect correction: Hackbusch 1984).
 *
 * The field is linear in what each vessel lets through, so its mean over those hidden factors is the field of
 * their means. It is not linear in lambda, over which the mean is taken by quadrature.
 */
export function solveTransport(input: TransportInput): Probe {
  const { model, wide, fine } = input;
  const { transport } = model;
  const wideSources = {
    drawn: masked(input.outOfPlane.drawn, wide.open),
    expected: masked(input.outOfPlane.expected, wide.open),
  };
  const fineSources = {
    drawn: masked(resample(wide.grid, input.outOfPlane.drawn, fine.grid), fine.open),
    expected: masked(resample(wide.grid, input.outOfPlane.expected, fine.grid), fine.open),
  };
  if (transport.probe === 'vessels') {
    addWallFlux(model, wide.grid, input.widePieces, input.leakages, wide.open, wideSources);
    addWallFlux(model, fine.grid, input.finePieces, input.leakages, fine.open, fineSources);
  }
  const drawn = solveNested(wide, fine, transport.lambdaUm, wideSources.drawn, fineSources.drawn);
  const expected = new Float32Array(cellCount(fine.grid));
  const nodes = transport.lambdaSigma > 0 ? hermite : [0];
  for (const at of nodes) {
    const lambda = transport.lambdaMedianUm * Math.exp(at * transport.lambdaSigma);
    const field = solveNested(wide, fine, lambda, wideSources.expected, fineSources.expected);
    for (let i = 0; i < expected.length; i++) expected[i] += field[i] / nodes.length;
  }
  return { drawn, expected };
}

/** u x open on the fine grid. */
export function solveNested(
  wide: Medium,
  fine: Medium,
  lambdaUm: number,
  wideSource: Float32Array,
  fineSource: Float32Array,
): Float32Array {
  const far = new Float32Array(wideSource.length);
  solve(wide, lambdaUm, wideSource, far);
  const { grid } = fine;
  const stride = grid.width + 2;
  const ring = new Float32Array(stride * (grid.height + 2));
  // Values of open tissue only: closed cells hold none.
  const spread = fillClosed(wide, far);
  for (let j = -1; j <= grid.height; j++) {
    const isEnd = j === -1 || j === grid.height;
    for (let i = -1; i <= grid.width; i += isEnd ? 1 : grid.width + 1) {
      const x = grid.fromX + (i + 0.5) * grid.spacing;
      const y = grid.fromY + (j + 0.5) * grid.spacing;
      ring[(j + 1) * stride + i + 1] = sampleAt(wide.grid, spread, x, y);
    }
  }
  const u = resample(wide.grid, spread, grid);
  solve(fine, lambdaUm, fineSource, u, ring);
  for (let at = 0; at < u.length; at++) u[at] *= fine.open[at];
  return u;
}

function solve(
  { grid, open }: Medium,
  lambdaUm: number,
  source: Float32Array,
  u: Float32Array,
  ring?: Float32Array,
): void {
  const rate = (grid.spacing / lambdaUm) ** 2;
  const loss = new Float32Array(open.length);
  const mobility = new Float32Array(open.length);
  const q = new Float32Array(open.length);
  for (let at = 0; at < open.length; at++) {
    // Around round obstacles that fill 1 - open of a layer (Maxwell 1873, two dimensions).
    mobility[at] = open[at] / (2 - open[at]);
    loss[at] = open[at] * rate;
    q[at] = source[at] * rate;
  }
  const { width, height } = grid;
  new ScreenedSolver({ width, height, mobility, loss, hasFixedRing: ring !== undefined }).solve(
    q,
    u,
    ring ? 5e-4 : 2e-4,
    ring,
  );
}

function masked(source: Float32Array, open: Float32Array): Float32Array {
  return source.map((value, at) => value * open[at]);
}

/** Cells that are hardly open take the mean of their open neighbours. */
function fillClosed({ grid, open }: Medium, u: Float32Array): Float32Array {
  const { width, height } = grid;
  const out = u.slice();
  for (let j = 0; j < height; j++) {
    for (let i = 0; i < width; i++) {
      if (open[j * width + i] > 0.1) continue;
      let sum = 0;
      let weight = 1e-9;
      for (let dj = -2; dj <= 2; dj++) {
        for (let di = -2; di <= 2; di++) {
          if (i + di < 0 || j + dj < 0 || i + di >= width || j + dj >= height) continue;
          const at = (j + dj) * width + i + di;
          sum += open[at] * u[at];
          weight += open[at];
        }
      }
      out[j * width + i] = sum / weight;
    }
  }
  return out;
}
