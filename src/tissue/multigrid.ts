// Steady screened diffusion with sources, sum over faces of w (u' - u) - k u + q = 0 in every cell, by geometric
// multigrid (Brandt 1977; Trottenberg, Oosterlee and Schueller 2001): red-black Gauss-Seidel, cell-centred
// transfer, V(2,1) cycles.

/**
 * Cells [height, width] with a ring of cells around them, stride width + 2; cell (i, j) at (j + 1) stride + i + 1.
 * The ring holds fixed values; a face weight of 0 towards it is a wall that lets nothing through.
 */
interface Level {
  readonly width: number;
  readonly height: number;
  /** Conductance of the face to the right of, and below, each cell (ring included). */
  readonly east: Float32Array;
  readonly south: Float32Array;
  /** Loss of a cell at unit value. */
  readonly loss: Float32Array;
  /** 1 / (sum of face weights + loss); 0 for a cell that touches nothing, whose value stays 0. */
  readonly inverse: Float32Array;
  readonly u: Float32Array;
  readonly q: Float32Array;
  readonly residual: Float32Array;
}

export interface ScreenedProblem {
  readonly width: number;
  readonly height: number;
  /** Mobility of each cell relative to free tissue, 0 to 1. */
  readonly mobility: Float32Array;
  /** Loss of each cell at unit value, relative to the conductance of a face between free cells. */
  readonly loss: Float32Array;
  /** Whether the ring around the cells holds given values (else nothing passes there). */
  readonly hasFixedRing: boolean;
}

/** Solves one operator for any number of sources. */
export class ScreenedSolver {
  readonly #levels: Level[] = [];

  constructor(problem: ScreenedProblem) {
    this.#levels.push(finestLevel(problem));
    for (;;) {
      const last = this.#levels[this.#levels.length - 1];
      if (last.width % 2 !== 0 || last.height % 2 !== 0 || Math.min(last.width, last.height) <= 4) break;
      this.#levels.push(coarsen(last));
    }
  }

  /**
   * @param source of each cell, same units as loss x value
   * @param u start on entry, solution on return, [height, width]
   * @param ring values around the cells, [height + 2, width + 2] of which the ring is read; 0 unless given
   * @param tolerance largest norm of the residual relative to the source's (and the ring's)
   * @returns an upper bound of the relative residual reached
   */
  solve(
    source: Float32Array,
    u: Float32Array,
    tolerance = 1e-5,
    ring?: Float32Array,
    maxCycles = 40,
  ): number {
    const level = this.#levels[0];
    const { width, height } = level;
    const stride = width + 2;
    if (ring) level.u.set(ring);
    else level.u.fill(0);
    for (let j = 0; j < height; j++) {
      level.q.set(source.subarray(j * width, (j + 1) * width), (j + 1) * stride + 1);
    }
    // The scale of the problem: its residual at zero, sources and ring together.
    for (let j = 0; j < height; j++) level.u.fill(0, (j + 1) * stride + 1, (j + 1) * stride + 1 + width);
    const scale = residualOf(level);
    let reached = 0;
    if (scale > 0) {
      for (let j = 0; j < height; j++) {
        level.u.set(u.subarray(j * width, (j + 1) * width), (j + 1) * stride + 1);
      }
      reached = residualOf(level) / scale;
      for (let cycle = 0; cycle < maxCycles && reached > tolerance; cycle++) {
        reached = this.#cycle(0) / scale;
      }
    }
    for (let j = 0; j < height; j++) {
      u.set(level.u.subarray((j + 1) * stride + 1, (j + 1) * stride + 1 + width), j * width);
    }
    return reached;
  }

  /** @returns the norm of the residual half-way; at the end it is smaller still */
  #cycle(depth: number): number {
    const level = this.#levels[depth];
    if (depth === this.#levels.length - 1) {
      for (let sweep = 0; sweep < 60; sweep++) relax(level);
      return 0;
    }
    relax(level);
    relax(level);
    const norm = residualOf(level);
    const coarse = this.#levels[depth + 1];
    restrict(level, coarse);
    coarse.u.fill(0);
    this.#cycle(depth + 1);
    prolong(coarse, level);
    relax(level);
    return norm;
  }
}

function emptyLevel(width: number, height: number): Level {
  const make = (): Float32Array => new Float32Array((width + 2) * (height + 2));
  return {
    width,
    height,
    east: make(),
    south: make(),
    loss: make(),
    inverse: make(),
    u: make(),
    q: make(),
    residual: make(),
  };
}

function finestLevel({ width, height, mobility, loss, hasFixedRing }: ScreenedProblem): Level {
  const level = emptyLevel(width, height);
  const stride = width + 2;
  const cell = (i: number, j: number): number => {
    if (i >= 0 && j >= 0 && i < width && j < height) return mobility[j * width + i];
    if (!hasFixedRing) return 0;
    const ii = Math.min(width - 1, Math.max(0, i));
    const jj = Math.min(height - 1, Math.max(0, j));
    return mobility[jj * width + ii];
  };
  const between = (a: number, b: number): number => (a + b > 0 ? (2 * a * b) / (a + b) : 0);
  for (let j = -1; j < height; j++) {
    for (let i = -1; i < width; i++) {
      const at = (j + 1) * stride + i + 1;
      if (j >= 0) level.east[at] = between(cell(i, j), cell(i + 1, j));
      if (i >= 0) level.south[at] = between(cell(i, j), cell(i, j + 1));
      if (i >= 0 && j >= 0) level.loss[at] = loss[j * width + i];
    }
  }
  setInverse(level);
  return level;
}

function setInverse(level: Level): void {
  const { width, height, east, south, loss, inverse } = level;
  const stride = width + 2;
  for (let j = 1; j <= height; j++) {
    for (let at = j * stride + 1; at <= j * stride + width; at++) {
      const sum = east[at] + east[at - 1] + south[at] + south[at - stride] + loss[at];
      inverse[at] = sum > 1e-12 ? 1 / sum : 0;
    }
  }
}

/** Twice the spacing: a coarse face is two fine ones side by side, each of half the conductance. */
function coarsen(fine: Level): Level {
  const level = emptyLevel(fine.width / 2, fine.height / 2);
  const stride = level.width + 2;
  const fineStride = fine.width + 2;
  for (let j = 0; j <= level.height; j++) {
    for (let i = 0; i <= level.width; i++) {
      const at = j * stride + i;
      // The lower right one of the four fine cells.
      const f = 2 * j * fineStride + 2 * i;
      if (j > 0) level.east[at] = 0.5 * (fine.east[f] + fine.east[f - fineStride]);
      if (i > 0) level.south[at] = 0.5 * (fine.south[f] + fine.south[f - 1]);
      if (i > 0 && j > 0) {
        level.loss[at] =
          fine.loss[f] + fine.loss[f - 1] + fine.loss[f - fineStride] + fine.loss[f - fineStride - 1];
      }
    }
  }
  setInverse(level);
  return level;
}

function relax({ width, height, east, south, inverse, u, q }: Level): void {
  const stride = width + 2;
  for (let colour = 0; colour < 2; colour++) {
    for (let j = 1; j <= height; j++) {
      const end = j * stride + width;
      for (let at = j * stride + 1 + ((j + colour) & 1); at <= end; at += 2) {
        u[at] =
          inverse[at] *
          (q[at] +
            east[at] * u[at + 1] +
            east[at - 1] * u[at - 1] +
            south[at] * u[at + stride] +
            south[at - stride] * u[at - stride]);
      }
    }
  }
}

/** Fills the residual and returns its norm. */
function residualOf({ width, height, east, south, loss, inverse, u, q, residual }: Level): number {
  const stride = width + 2;
  let sum = 0;
  for (let j = 1; j <= height; j++) {
    const end = j * stride + width;
    for (let at = j * stride + 1; at <= end; at++) {
      if (inverse[at] === 0) continue;
      const own = u[at];
      const r =
        q[at] +
        east[at] * (u[at + 1] - own) +
        east[at - 1] * (u[at - 1] - own) +
        south[at] * (u[at + stride] - own) +
        south[at - stride] * (u[at - stride] - own) -
        loss[at] * own;
      residual[at] = r;
      sum += r * r;
    }
  }
  return Math.sqrt(sum);
}

function restrict(fine: Level, coarse: Level): void {
  const stride = coarse.width + 2;
  const fineStride = fine.width + 2;
  const { residual } = fine;
  for (let j = 1; j <= coarse.height; j++) {
    for (let i = 1; i <= coarse.width; i++) {
      const f = 2 * j * fineStride + 2 * i;
      coarse.q[j * stride + i] =
        residual[f] + residual[f - 1] + residual[f - fineStride] + residual[f - fineStride - 1];
    }
  }
}

/** Adds the coarse correction, linear between coarse cells (9, 3, 3, 1 sixteenths). */
function prolong(coarse: Level, fine: Level): void {
  const stride = coarse.width + 2;
  const fineStride = fine.width + 2;
  const { u } = coarse;
  for (let j = 1; j <= fine.height; j++) {
    const row = ((j + 1) >> 1) * stride;
    const other = row + (j & 1 ? -stride : stride);
    for (let i = 1; i <= fine.width; i++) {
      const at = j * fineStride + i;
      if (fine.inverse[at] === 0) continue;
      const near = (i + 1) >> 1;
      const far = near + (i & 1 ? -1 : 1);
      fine.u[at] += 0.0625 * (9 * u[row + near] + 3 * (u[row + far] + u[other + near]) + u[other + far]);
    }
  }
}
