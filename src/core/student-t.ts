// The t distribution, by numerical integration.

/** Steps of the integral, and the most degrees of freedom that they resolve; beyond, it is the normal distribution. */
const steps = 20_000;
const mostFreedom = 1e5;

/** Share of the distribution above t: with t = sqrt(freedom) tan u its density is cos(u)^(freedom - 1). NaN for NaN. */
export function studentTail(t: number, freedom: number): number {
  if (Number.isNaN(t)) return Number.NaN;
  const nu = Math.min(freedom, mostFreedom);
  const integral = (start: number): number => {
    const width = (Math.PI / 2 - start) / steps;
    let sum = 0;
    for (let i = 0; i < steps; i++) sum += Math.cos(start + (i + 0.5) * width) ** (nu - 1);
    return sum * width;
  };
  return integral(Math.atan(t / Math.sqrt(nu))) / integral(-Math.PI / 2);
}

/** The t above which the share `tail` of the distribution lies, 0 < tail < 0.5, to about 1e-4 of itself. */
export function studentQuantile(tail: number, freedom: number): number {
  let [low, high] = [0, 2];
  while (studentTail(high, freedom) > tail) high *= 2;
  while (high - low > 1e-6 * high) {
    const middle = (low + high) / 2;
    if (studentTail(middle, freedom) > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
