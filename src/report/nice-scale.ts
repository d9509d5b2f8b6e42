// Round numbers for axes and scale bars.

/** The largest of 1, 2, 5 times a power of ten that is not above `limit`. */
export function roundDown(limit: number): number {
  const power = 10 ** Math.floor(Math.log10(limit));
  const lead = limit / power;
  return (lead >= 5 ? 5 : lead >= 2 ? 2 : 1) * power;
}

/** About `count` round values from low to high, both ends included where they are round. */
export function ticks(low: number, high: number, count: number): number[] {
  const step = roundDown(((high - low) / count) * 1.5);
  const values: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) values.push(i * step);
  return values;
}

/** A number for a label, with as few digits as the step between ticks needs. */
export function formatTick(value: number, step: number): string {
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const text = value.toFixed(Math.min(digits, 8));
  return (Number(text) === 0 ? text.replace('-', '') : text).replace('-', '−');
}
