/** How often intervals hold the measured value: in all, by predicted value, and by distance to the nearest vessel. */

/** Bounds between bins of distance to the nearest vessel's wall, in micrometres; vessels themselves come first. */
const distanceBinsUm = [0, 3, 10, 25, 50] as const;

/**
 * Predicted values are counted in steps, for tenths of them are known only at the end: by the sign, the exponent and 11
 * bits of the fraction of a float32, which is finer than a two-thousandth of any value.
 */
const droppedBits = 12;
const steps = 2 ** (32 - droppedBits);

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
    /** Which tenths these are, 1 to 10: several where many pixels share one value. */
    readonly first: number;
    readonly last: number;
    readonly from: number;
    readonly coverage: number;
    readonly pixels: number;
  }[];
  /**
   * Beyond `fromUm`, up to and with `toUm`; null for the last, which has no bound; 0 and 0 are the vessels themselves. Bins
   * without pixels are left out; slides without vessels are in none.
   */
  readonly byDistanceBin: readonly {
    readonly fromUm: number;
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
  /** Of each step of predicted values, from the lowest: pixels, those whose interval holds, and the least value. */
  readonly #count = new Float64Array(steps);
  readonly #inside = new Float64Array(steps);
  readonly #least = new Float32Array(steps).fill(Infinity);

  /** @param nominal level of the intervals, e.g. 0.9 */
  constructor(nominal: number) {
    this.#nominal = nominal;
  }

  /**
   * Adds pixels of a slide.
   * @param distanceUm to the nearest vessel's wall, one a pixel; 0 in vessels, Infinity where there are none
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
    const bits = new Uint32Array(predicted.buffer, predicted.byteOffset, predicted.length);
    for (let i = 0; i < measured.length; i++) {
      const [low, high] = [lower[i], upper[i]];
      if (!Number.isFinite(measured[i] + low + high)) continue;
      const isInside = +(measured[i] >= low && measured[i] <= high);
      const step = stepOf(bits[i]);
      this.#count[step]++;
      this.#inside[step] += isInside;
      this.#least[step] = Math.min(this.#least[step], predicted[i]);
      addTo(tally, isInside, high - low);
      if (distanceUm[i] === Infinity) continue;
      const bin = distanceBinsUm.findIndex((limit) => distanceUm[i] <= limit);
      addTo(this.#distances[bin < 0 ? distanceBinsUm.length : bin], isInside, high - low);
    }
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
        count === 0
          ? []
          : [
              {
                fromUm: distanceBinsUm[Math.max(0, i - 1)],
                toUm: distanceBinsUm[i] ?? null,
                coverage: inside / count,
                pixels: count,
              },
            ],
      ),
    };
  }

  #deciles(): CoverageTable['byPredictedDecile'] {
    const total = this.#count.reduce((sum, count) => sum + count, 0);
    const deciles = Array.from({ length: 10 }, () => ({ from: Number.NaN, inside: 0, pixels: 0 }));
    let [before, d] = [0, 0];
    this.#count.forEach((count, step) => {
      if (count === 0) return;
      // A step is never divided: it goes to the last tenth that begins in it.
      while (d < 9 && Math.floor(((d + 1) / 10) * total) < before + count) d++;
      before += count;
      const decile = deciles[d];
      if (decile.pixels === 0) decile.from = this.#least[step];
      decile.pixels += count;
      decile.inside += this.#inside[step];
    });
    // Where many pixels share one predicted value, a tenth may have none: its pixels are counted with the next.
    let first = 1;
    return deciles.flatMap(({ from, inside, pixels }, i) => {
      if (pixels === 0) return [];
      const entry = { first, last: i + 1, from, coverage: inside / pixels, pixels };
      first = i + 2;
      return [entry];
    });
  }
}

/** Rises with the value: the bits of a negative float32 fall as it rises, those of a positive one come after them. */
function stepOf(bits: number): number {
  return (bits >= 0x80000000 ? ~bits : bits | 0x80000000) >>> droppedBits;
}

function addTo(tally: Tally, isInside: number, width: number): void {
  tally.count++;
  tally.inside += isInside;
  tally.width += width;
}

function empty(): Tally {
  return { count: 0, inside: 0, width: 0 };
}
