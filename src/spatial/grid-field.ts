// A field of values on a coarse grid, such as the means of a probe over cells of a slide.

/** Values on a grid [high, wide], row-major; only those with `valid` 1 count. */
export interface GridField {
  readonly wide: number;
  readonly high: number;
  readonly valid: Uint8Array;
  readonly values: Float64Array;
}
