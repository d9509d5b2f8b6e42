// What a slide's vessels are like: density, width, length, tortuosity, branchings, distance to each other.
import type { BitMask } from './bit-mask.ts';
import { type Components, labelAt } from './components.ts';
import { type Branch, branchLengthPx, vesselGraph } from './vessel-graph.ts';

export interface VesselMeasures {
  /** Vessel profiles (connected objects of the mask with a pixel in tissue) a square millimetre of tissue. */
  readonly densityPerMm2: number;
  readonly count: number;
  /** Share of the tissue's area. */
  readonly areaFraction: number;
  /** Mean over the length of all centre lines. */
  readonly meanWidthUm: number;
  /** Length of centre lines a square millimetre of tissue, mm/mm2. */
  readonly lengthDensityMmPerMm2: number;
  /** Length over straight distance between ends, mean weighted by length, of branches of 10 um or more; NaN for none. */
  readonly tortuosity: number;
  readonly branchPoints: number;
  readonly branchPointsPerMm2: number;
  /** Mean distance from the centre of each profile to that of its nearest neighbour; NaN with fewer than two. */
  readonly intercapillaryUm: number;
}

/** One vessel profile. */
export interface VesselObject {
  /** Index among the components of the mask. */
  readonly label: number;
  /** Centre of mass, um from the upper left corner. */
  readonly xUm: number;
  readonly yUm: number;
  readonly areaUm2: number;
  readonly lengthUm: number;
  /** Mean over its centre line. */
  readonly widthUm: number;
}

const shortestBranchUm = 10;

/**
 * @param inTissue vessel pixels in tissue of each object; objects without any count for nothing
 * @param tissuePixels of the slide, vessels included
 */
export function measureVessels(
  mask: BitMask,
  objects: Components,
  inTissue: Float64Array,
  tissuePixels: number,
  pixelSizeUm: number,
): { readonly measures: VesselMeasures; readonly vessels: readonly VesselObject[] } {
  const { branches, branchings } = vesselGraph(mask, (x, y) => radiusInside(mask, x, y));
  const lengths = new Float64Array(objects.count);
  const widthSums = new Float64Array(objects.count);
  const widthCounts = new Float64Array(objects.count);
  let [bent, straight] = [0, 0];
  for (const branch of branches) {
    const { xs, ys } = branch;
    const label = labelAt(objects, xs[0], ys[0]);
    if (inTissue[label] === 0) continue;
    // An end of a centre line stops about half a width before the vessel does.
    const ends = endRadii(mask, branch);
    const length = branchLengthPx(branch) + ends;
    lengths[label] += length;
    // The width is measured where the walls run beside the line, not at the round of an end.
    const [first, last] = between(mask, branch);
    for (let i = first; i <= last; i++) {
      widthSums[label] += widthPx(radiusInside(mask, xs[i], ys[i]));
      widthCounts[label]++;
    }
    if (first > last) {
      // A round profile has no such walls, and what thinning leaves of it lies half a pixel and more off its middle.
      const middle = xs.length >> 1;
      widthSums[label] += widthPx(radiusInside(mask, xs[middle], ys[middle])) + 1;
      widthCounts[label]++;
    }
    const chord = Math.hypot(xs[xs.length - 1] - xs[0], ys[ys.length - 1] - ys[0]);
    const plain = branchLengthPx(branch);
    // A loop, closed or back at the branching where it began, has no chord.
    const isLoop = branch.closed || (branch.start >= 0 && branch.start === branch.end);
    if (isLoop || chord === 0 || plain * pixelSizeUm < shortestBranchUm) continue;
    bent += plain * Math.max(1, plain / chord);
    straight += plain;
  }
  const centres = centresOf(objects);
  const vessels: VesselObject[] = [];
  let [length, widths, widthCount, area] = [0, 0, 0, 0];
  for (let label = 0; label < objects.count; label++) {
    if (inTissue[label] === 0) continue;
    length += lengths[label];
    widths += widthSums[label];
    widthCount += widthCounts[label];
    area += inTissue[label];
    vessels.push({
      label,
      xUm: centres.x[label] * pixelSizeUm,
      yUm: centres.y[label] * pixelSizeUm,
      areaUm2: objects.area[label] * pixelSizeUm ** 2,
      lengthUm: lengths[label] * pixelSizeUm,
      widthUm: (widthSums[label] / widthCounts[label]) * pixelSizeUm,
    });
  }
  const branchPoints = branchings.filter(({ x, y }) => inTissue[labelAt(objects, x, y)] > 0).length;
  const tissueMm2 = (tissuePixels * pixelSizeUm ** 2) / 1e6;
  const measures: VesselMeasures = {
    densityPerMm2: vessels.length / tissueMm2,
    count: vessels.length,
    areaFraction: area / tissuePixels,
    meanWidthUm: (widths / widthCount) * pixelSizeUm,
    lengthDensityMmPerMm2: (length * pixelSizeUm) / 1000 / tissueMm2,
    tortuosity: bent / straight,
    branchPoints,
    branchPointsPerMm2: branchPoints / tissueMm2,
    intercapillaryUm: meanNearestUm(vessels),
  };
  return { measures, vessels };
}

/** From the distance to the nearest pixel outside. The line is often half a pixel off the middle, so no half is taken off. */
function widthPx(radius: number): number {
  return 2 * radius;
}

/** First and last pixel that lie a radius or more from a free end; the first after the last where there are none. */
function between(mask: BitMask, { xs, ys, start, end, closed }: Branch): [number, number] {
  const n = xs.length;
  if (closed) return [0, n - 1];
  const first = start < 0 ? Math.ceil(radiusInside(mask, xs[0], ys[0])) : 0;
  const last = n - 1 - (end < 0 ? Math.ceil(radiusInside(mask, xs[n - 1], ys[n - 1])) : 0);
  return [first, last];
}

function endRadii(mask: BitMask, { xs, ys, start, end, closed }: Branch): number {
  if (closed) return 0;
  let sum = 0;
  for (const [node, i] of [
    [start, 0],
    [end, xs.length - 1],
  ])
    if (node < 0) sum += Math.max(0, radiusInside(mask, xs[i], ys[i]) - 0.5);
  return sum;
}

/**
 * Distance in pixels from a pixel of the mask to the nearest pixel that is not in it. Beyond the image's edge the mask
 * goes on as far as anyone knows: that is no wall.
 */
export function radiusInside(mask: BitMask, x: number, y: number): number {
  const { width, height } = mask;
  let best = Infinity;
  for (let dy = 0; dy * dy < best && dy < height; dy++) {
    for (const row of dy === 0 ? [y] : [y - dy, y + dy]) {
      if (row < 0 || row >= height) continue;
      for (let dx = 0; dx * dx + dy * dy < best; dx++) {
        const left = x - dx >= 0 && !mask.get(x - dx, row);
        const right = x + dx < width && !mask.get(x + dx, row);
        if (left || right) best = dx * dx + dy * dy;
        else if (x - dx < 0 && x + dx >= width) break;
      }
    }
  }
  return best < Infinity ? Math.sqrt(best) : Math.max(width, height) / 2;
}

function centresOf({ count, height, firstRun, startX, endX, label, area }: Components): {
  x: Float64Array;
  y: Float64Array;
} {
  const x = new Float64Array(count);
  const y = new Float64Array(count);
  for (let row = 0; row < height; row++)
    for (let r = firstRun[row]; r < firstRun[row + 1]; r++) {
      const n = endX[r] - startX[r];
      x[label[r]] += (n * (startX[r] + endX[r])) / 2;
      y[label[r]] += n * (row + 0.5);
    }
  return { x: x.map((sum, i) => sum / area[i]), y: y.map((sum, i) => sum / area[i]) };
}

/** Looks in cells of a grid with about two points each, ring after ring. */
function meanNearestUm(points: readonly { xUm: number; yUm: number }[]): number {
  if (points.length < 2) return Number.NaN;
  let [right, bottom] = [0, 0];
  for (const { xUm, yUm } of points) {
    right = Math.max(right, xUm);
    bottom = Math.max(bottom, yUm);
  }
  const edge = Math.max(
    1e-9,
    Math.sqrt((2 * right * bottom) / points.length),
    Math.max(right, bottom) / 1000,
  );
  const wide = Math.floor(right / edge) + 1;
  const cells = new Map<number, number[]>();
  points.forEach(({ xUm, yUm }, i) => {
    const key = Math.floor(yUm / edge) * wide + Math.floor(xUm / edge);
    cells.set(key, [...(cells.get(key) ?? []), i]);
  });
  const high = Math.floor(bottom / edge) + 1;
  let total = 0;
  points.forEach(({ xUm, yUm }, i) => {
    const [cx, cy] = [Math.floor(xUm / edge), Math.floor(yUm / edge)];
    let best = Infinity;
    for (let ring = 0; ring <= Math.max(wide, high); ring++) {
      // Nothing in this ring is nearer than (ring - 1) edges.
      if ((ring - 1) * edge > best) break;
      for (let y = Math.max(0, cy - ring); y <= Math.min(high - 1, cy + ring); y++) {
        const step = Math.abs(y - cy) === ring ? 1 : Math.max(1, 2 * ring);
        for (let x = cx - ring; x <= cx + ring; x += step) {
          if (x < 0 || x >= wide) continue;
          for (const j of cells.get(y * wide + x) ?? [])
            if (j !== i) best = Math.min(best, Math.hypot(points[j].xUm - xUm, points[j].yUm - yUm));
        }
      }
    }
    total += best;
  });
  return total / points.length;
}
