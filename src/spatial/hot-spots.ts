// Hot and cold spots: where the probe is higher or lower than chance in a field of the same correlation would make it.
import type { BitMask } from './bit-mask.ts';
import { BitMask as Mask } from './bit-mask.ts';
import { findComponents } from './components.ts';
import type { GridField } from './grid-field.ts';
import { CorrelatedFields } from './random-field.ts';

export interface HotSpotOptions {
  /** Radius of the neighbourhood whose mean is judged, in cells. */
  readonly radiusCells: number;
  /** Chance that a slide without any spot shows one (over all its cells together, hot and cold). */
  readonly level: number;
  /** Fields drawn to know what chance does. */
  readonly draws: number;
  readonly seed: number;
}

const defaultHotSpotOptions: HotSpotOptions = { radiusCells: 2, level: 0.05, draws: 199, seed: 0 };

export interface Spot {
  readonly kind: 'hot' | 'cold';
  readonly cells: number;
  /** Bounds on the grid. */
  readonly x: number;
  readonly y: number;
  readonly wide: number;
  readonly high: number;
  /** Largest |score| and its adjusted p. */
  readonly peakScore: number;
  readonly p: number;
  /** Mean of the values that were given. */
  readonly mean: number;
}

export interface HotSpots {
  /** Local score of each cell; NaN where it does not count. */
  readonly score: Float64Array;
  /** 1 hot, -1 cold, 0 neither. */
  readonly kind: Int8Array;
  /** Score beyond which a cell is a spot. */
  readonly threshold: number;
  readonly spots: readonly Spot[];
  /** Cells that count. */
  readonly cells: number;
}

/** With fewer cells than this no correlation can be known. */
const fewestCells = 64;

/**
 * The local mean of normal scores over a disc (Gi* of Getis and Ord 1992, on a shifted logarithm), in units of what
 * it varies by in stationary fields with the slide's own variogram and skewness; a cell is a spot where it exceeds
 * what the largest |score| of a whole such field reaches in a share `level` of draws (single-step maxT, Westfall and
 * Young 1993: the chance of any false spot on the slide). Probe is correlated over tens of micrometres everywhere;
 * tests that take cells as independent see spots on every slide.
 */
export function findHotSpots(field: GridField, given: Partial<HotSpotOptions> = {}): HotSpots {
  const options = { ...defaultHotSpotOptions, ...given };
  const { wide, high, valid, values } = field;
  const cells = valid.reduce((sum, v) => sum + v, 0);
  const nothing: HotSpots = {
    score: new Float64Array(valid.length).fill(Number.NaN),
    kind: new Int8Array(valid.length),
    threshold: Number.NaN,
    spots: [],
    cells,
  };
  if (cells < fewestCells) return nothing;
  const normal = normalScores(field);
  if (!normal) return nothing;
  const { scores, valueAt } = normal;
  const disc = discOffsets(options.radiusCells);
  const neighbours = countNeighbours(field, disc);
  // What lies beyond three standard deviations may be a spot; its size must not enter what chance is taken to do.
  const moderate = scores.map((score) => Math.max(-3, Math.min(3, score)));
  const source = new CorrelatedFields({ ...field, values: moderate }, options.seed);

  // First what the local mean varies by, for each number of valid neighbours; then the largest of each draw.
  const classes = disc.length + 1;
  const squares = new Float64Array(classes);
  const counts = new Float64Array(classes);
  // Of a draw, the largest local mean for each number of valid neighbours is enough.
  const draws: Float64Array[] = [];
  for (let b = 0; b < options.draws; b++) {
    // Draws are as skewed as the slide and go through the same scoring, so that what its fit to few independent patches
    // does is part of chance.
    const drawn =
      normalScores({ ...field, values: source.next().map(valueAt) })?.scores ??
      new Float64Array(valid.length);
    const means = localMeans({ ...field, values: drawn }, disc, neighbours);
    const most = new Float64Array(classes);
    for (let i = 0; i < means.length; i++) {
      if (valid[i] === 0) continue;
      const k = neighbours[i];
      squares[k] += means[i] * means[i];
      counts[k]++;
      most[k] = Math.max(most[k], Math.abs(means[i]));
    }
    draws.push(most);
  }
  const sd = smoothClasses(squares, counts);
  const largest = Float64Array.from(draws, (most) =>
    most.reduce((all, mean, k) => (counts[k] > 0 ? Math.max(all, mean / sd[k]) : all), 0),
  ).sort();
  // A score is a spot where its p, (1 + draws at least as large) / (draws + 1), is at most the level.
  const allowed = Math.floor(options.level * (options.draws + 1) + 1e-9) - 1;
  const threshold = allowed >= 0 ? largest[largest.length - 1 - allowed] : Infinity;
  const observed = localMeans({ ...field, values: scores }, disc, neighbours);
  const score = new Float64Array(valid.length).fill(Number.NaN);
  const kind = new Int8Array(valid.length);
  for (let i = 0; i < score.length; i++) {
    if (valid[i] === 0) continue;
    score[i] = observed[i] / sd[neighbours[i]];
    if (Math.abs(score[i]) > threshold) kind[i] = score[i] > 0 ? 1 : -1;
  }
  const pOf = (peak: number): number =>
    (1 + largest.reduce((sum, each) => sum + (each >= peak ? 1 : 0), 0)) / (options.draws + 1);
  const spots = (['hot', 'cold'] as const).flatMap((name) =>
    listSpots(name, kind, score, { wide, high, valid, values }, pOf),
  );
  return { score, kind, threshold, spots, cells };
}

function listSpots(
  name: 'hot' | 'cold',
  kind: Int8Array,
  score: Float64Array,
  { wide, high, values }: GridField,
  pOf: (peak: number) => number,
): Spot[] {
  const wanted = name === 'hot' ? 1 : -1;
  const objects = findComponents(spotMask(kind, wide, high, wanted), 8);
  const found = Array.from({ length: objects.count }, () => ({
    cells: 0,
    left: wide,
    top: high,
    right: 0,
    bottom: 0,
    peak: 0,
    sum: 0,
  }));
  for (let y = 0; y < high; y++)
    for (let r = objects.firstRun[y]; r < objects.firstRun[y + 1]; r++) {
      const spot = found[objects.label[r]];
      for (let x = objects.startX[r]; x < objects.endX[r]; x++) {
        spot.cells++;
        spot.sum += values[y * wide + x];
        spot.peak = Math.max(spot.peak, Math.abs(score[y * wide + x]));
        spot.left = Math.min(spot.left, x);
        spot.right = Math.max(spot.right, x);
        spot.top = Math.min(spot.top, y);
        spot.bottom = Math.max(spot.bottom, y);
      }
    }
  return found.map(({ cells, left, top, right, bottom, peak, sum }) => ({
    kind: name,
    cells,
    x: left,
    y: top,
    wide: right - left + 1,
    high: bottom - top + 1,
    peakScore: wanted * peak,
    p: pOf(peak),
    mean: sum / cells,
  }));
}

/** The cells of one kind as a mask on the grid. */
export function spotMask(kind: Int8Array, wide: number, high: number, wanted: 1 | -1): BitMask {
  return Mask.fromBytes(
    Uint8Array.from(kind, (k) => (k === wanted ? 1 : 0)),
    wide,
    high,
  );
}

function discOffsets(radius: number): [number, number][] {
  const offsets: [number, number][] = [];
  const reach = Math.floor(radius);
  for (let y = -reach; y <= reach; y++)
    for (let x = -reach; x <= reach; x++) if (x * x + y * y <= radius * radius + 1e-9) offsets.push([x, y]);
  return offsets;
}

function countNeighbours({ wide, high, valid }: GridField, disc: readonly [number, number][]): Uint16Array {
  const counts = new Uint16Array(valid.length);
  for (let y = 0; y < high; y++)
    for (let x = 0; x < wide; x++) {
      if (valid[y * wide + x] === 0) continue;
      for (const [dx, dy] of disc) {
        const [u, v] = [x + dx, y + dy];
        if (u >= 0 && v >= 0 && u < wide && v < high) counts[y * wide + x] += valid[v * wide + u];
      }
    }
  return counts;
}

function localMeans(
  { wide, high, valid, values }: GridField,
  disc: readonly [number, number][],
  neighbours: Uint16Array,
): Float64Array {
  const means = new Float64Array(valid.length);
  for (let y = 0; y < high; y++)
    for (let x = 0; x < wide; x++) {
      const at = y * wide + x;
      if (valid[at] === 0) continue;
      let sum = 0;
      for (const [dx, dy] of disc) {
        const [u, v] = [x + dx, y + dy];
        if (u >= 0 && v >= 0 && u < wide && v < high && valid[v * wide + u]) sum += values[v * wide + u];
      }
      means[at] = sum / neighbours[at];
    }
  return means;
}

/** Standard deviation by number of neighbours; classes that never occur take that of the next one that does. */
function smoothClasses(squares: Float64Array, counts: Float64Array): Float64Array {
  const sd = new Float64Array(squares.length).fill(1);
  let last = 1;
  for (let k = squares.length - 1; k >= 0; k--) {
    if (counts[k] > 0) last = Math.sqrt(squares[k] / counts[k]) || 1;
    sd[k] = last;
  }
  return sd;
}

/** Scores are cut off here (1 of 16,000 normal ones is beyond), so that no single cell makes a spot. */
const mostScore = 4;

interface NormalScores {
  /** Median 0, and the distance between the 10th and the 90th percentile that of a standard normal. */
  readonly scores: Float64Array;
  /** The value that has a score. */
  readonly valueAt: (score: number) => number;
}

function standardised(values: Float64Array, valid: Uint8Array): NormalScores {
  const [low, middle, high] = centralQuantiles(values, valid);
  const sd = (high - low) / (2 * upperTenth) || 1;
  return {
    scores: values.map((value) => Math.max(-mostScore, Math.min(mostScore, (value - middle) / sd))),
    valueAt: (score) => middle + sd * score,
  };
}

/** The 90th percentile of a standard normal. */
const upperTenth = 1.2815515655446004;

function centralQuantiles(values: Float64Array, valid: Uint8Array): [number, number, number] {
  const sorted = values.filter((_, i) => valid[i] === 1).sort();
  const at = (q: number): number => sorted[Math.round(q * (sorted.length - 1))];
  return [at(0.1), at(0.5), at(0.9)];
}

/**
 * Scores that are standard normal where the values are normal or, as brightness is, log-normal on a pedestal: a
 * logarithm shifted so that the 10th and 90th percentile lie symmetric about the median. Only the middle of the
 * distribution sets the scale, so that hot spots stand out from it. Undefined where that is constant.
 */
function normalScores({ valid, values }: GridField): NormalScores | undefined {
  const [low, middle, high] = centralQuantiles(values, valid);
  if (!(high > middle && middle > low)) return undefined;
  const ratio = (high - middle) / (middle - low);
  if (Math.abs(ratio - 1) < 0.02) return standardised(values, valid);
  // values = shift + sign * exp(...): solved from the three quantiles.
  const sign = ratio > 1 ? 1 : -1;
  const steep = ratio > 1 ? ratio : 1 / ratio;
  const [near, far] = ratio > 1 ? [middle - low, high - middle] : [high - middle, middle - low];
  const base = near / (1 - 1 / steep);
  const floor = 1e-3 * (near + far);
  const logarithms = values.map((value) => sign * Math.log(Math.max(floor, base + sign * (value - middle))));
  const { scores, valueAt } = standardised(logarithms, valid);
  return { scores, valueAt: (score) => middle + sign * (Math.exp(sign * valueAt(score)) - base) };
}
