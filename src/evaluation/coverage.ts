/** How often intervals hold the measured value: in all, by predicted value, and by distance to the nearest vessel. */

/** Bounds between bins of distance to the nearest vessel's wall, in micrometres; vessels themselves come first. */
const distanceBinsUm = [0, 3, 10, 25, 50] as const;

interface Tally {
  count: number;
  inside: number;
  width: number;
}

export interface CoverageTable {
  readonly nominal: number;
  readonly pooled: number;
  /** Mean width in stored units. */
  readonly meanWidth: number;
  readonly perSlide: readonly {
    readonly slide: string;
    readonly coverage: number;
    readonly meanWidth: number;
  }[];
  /** Tenths of the tissue pixels by predicted value, lowest first. */
  readonly byPredictedDecile: readonly {
    readonly from: number;
    readonly coverage: number;
    readonly pixels: number;
  }[];
  /** Up to and with `toUm`; null for the last, which has no bound. Bins without pixels are left out. */
  readonly byDistanceBin: readonly {
    readonly toUm: number | null;
    readonly coverage: number;
    readonly pixels: number;
  }[];
}

/** Counts over slides; pixels where anything is NaN are left out. */
export class Coverage {
  readonly #nominal: number;
  readonly #slides = new Map<string, Tally>();
  readonly #distances: Tally[] = [...distanceBinsUm, Infinity].map(empty);
  /** Every pixel's prediction, and whether its interval holds, as the deciles are known only at the end. */
  readonly #predicted: Float32Array[] = [];
  readonly #held: Uint8Array[] = [];

  /** @param nominal level of the intervals, e.g. 0.9 */
  constructor(nominal: number) {
    this.#nominal = nominal;
  }

  /**
   * Adds pixels of a slide.
   * @param distanceUm to the nearest vessel's wall, one a pixel; 0 in vessels
   * @param lower end of each pixel's interval
   */
  add(
    slide: string,
    measured: Float32Array,
    predicted: Float32Array,
    distanceUm: Float32Array,
    lower: Float32Array,
    upper: Float32Array,
  ): void {
    const tally = this.#slides.get(slide) ?? empty();
    this.#slides.set(slide, tally);
    const kept = new Float32Array(measured.length);
    const held = new Uint8Array(measured.length);
    let n = 0;
    for (let i = 0; i < measured.length; i++) {
      const [low, high] = [lower[i], upper[i]];
      if (!Number.isFinite(measured[i] + low + high)) continue;
      const isInside = +(measured[i] >= low && measured[i] <= high);
      kept[n] = predicted[i];
      held[n++] = isInside;
      const bin = distanceBinsUm.findIndex((limit) => distanceUm[i] <= limit);
      for (const each of [tally, this.#distances[bin < 0 ? distanceBinsUm.length : bin]]) {
        each.count++;
        each.inside += isInside;
        each.width += high - low;
      }
    }
    this.#predicted.push(kept.subarray(0, n));
    this.#held.push(held.subarray(0, n));
  }

  table(): CoverageTable {
    const whole = empty();
    for (const { count, inside, width } of this.#slides.values()) {
      whole.count += count;
      whole.inside += inside;
      whole.width += width;
    }
    return {
      nominal: this.#nominal,
      pooled: whole.inside / whole.count,
      meanWidth: whole.width / whole.count,
      perSlide: [...this.#slides].map(([slide, { count, inside, width }]) => ({
        slide,
        coverage: inside / count,
        meanWidth: width / count,
      })),
      byPredictedDecile: this.#deciles(),
      byDistanceBin: this.#distances.flatMap(({ count, inside }, i) =>
        count === 0 ? [] : [{ toUm: distanceBinsUm[i] ?? null, coverage: inside / count, pixels: count }],
      ),
    };
  }

  #deciles(): CoverageTable['byPredictedDecile'] {
    const total = this.#predicted.reduce((sum, { length }) => sum + length, 0);
    const all = new Float32Array(total);
    let at = 0;
    for (const part of this.#predicted) {
      all.set(part, at);
      at += part.length;
    }
    all.sort();
    const edges = Array.from({ length: 9 }, (_, d) => all[Math.floor(((d + 1) / 10) * total)]);
    const tallies = Array.from({ length: 10 }, empty);
    this.#predicted.forEach((part, p) => {
      for (let i = 0; i < part.length; i++) {
        let d = 0;
        while (d < 9 && part[i] >= edges[d]) d++;
        tallies[d].count++;
        tallies[d].inside += this.#held[p][i];
      }
    });
    // Where many pixels share one predicted value, a tenth may have none.
    return tallies.flatMap(({ count, inside }, d) =>
      count === 0 ? [] : [{ from: d === 0 ? all[0] : edges[d - 1], coverage: inside / count, pixels: count }],
    );
  }
}

function empty(): Tally {
  return { count: 0, inside: 0, width: 0 };
}
