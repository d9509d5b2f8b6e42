// How fast a run is, from which the benchmark makes schedules that fit a time.

/** In seconds. */
export interface Pace {
  /** Median over the steps. */
  readonly secondsPerPatch: number;
  /** Of a validation, the mean; 0 where there was none. */
  readonly validationSeconds: number;
}

export const unknownPace: Pace = { secondsPerPatch: Number.NaN, validationSeconds: 0 };

export class PaceMeter {
  readonly #steps: number[] = [];
  readonly #validations: number[] = [];

  addStep(seconds: number): void {
    this.#steps.push(seconds);
  }

  addValidation(seconds: number): void {
    this.#validations.push(seconds);
  }

  /** @param batch patches a step @returns undefined before the first step */
  of(batch: number): Pace | undefined {
    if (this.#steps.length === 0) return undefined;
    const sorted = this.#steps.toSorted((a, b) => a - b);
    return {
      secondsPerPatch: sorted[sorted.length >> 1] / batch,
      validationSeconds: this.#validations.reduce((a, b) => a + b, 0) / Math.max(1, this.#validations.length),
    };
  }
}
