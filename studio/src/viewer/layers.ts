// What can be shown of a slide and its prediction, each as a layer with channels, colours and contrast.
import type { OpenSlide } from './open-slide.ts';
import { CachedLevel, type LevelReader } from './tile-source.ts';

export type LayerKind = 'slide' | 'measured' | 'prediction' | 'error' | 'width';
export type Colormap = 'inferno' | 'viridis' | 'rdbu';

export interface ChannelState {
  readonly name: string;
  readonly role: string | undefined;
  /** Index in the layer's levels. */
  readonly index: number;
  readonly color: readonly [number, number, number];
  readonly isVisible: boolean;
  /** Values shown as black and as full colour. */
  readonly limits: readonly [number, number];
  /** Values that occur, for the slider. */
  readonly domain: readonly [number, number];
  /** Counts over `domain`, 64 bins. */
  readonly histogram: readonly number[];
}

export interface ViewLayer {
  readonly kind: LayerKind;
  readonly label: string;
  /** One for every power of two, largest first. */
  readonly levels: Promise<readonly CachedLevel[]>;
  /** For contrast, overview and the first picture, which then need not wait for `levels`. */
  readonly lowest: CachedLevel;
  readonly channels: readonly ChannelState[];
  /** Undefined: each channel in its colour, added up. */
  readonly colormap: Colormap | undefined;
  readonly opacity: number;
}

/** Viv draws at most this many at once. */
export const mostChannels = 6;

/** Hidden ones go along where there is room, so that they are there at once when they are ticked. */
export function drawnChannels(channels: readonly ChannelState[]): readonly ChannelState[] {
  if (channels.length <= mostChannels) return channels;
  const visible = channels.filter(({ isVisible }) => isVisible);
  return visible.length === 0 ? channels.slice(0, 1) : visible.slice(0, mostChannels);
}

const roleColors: Readonly<Record<string, readonly [number, number, number]>> = {
  vessel: [255, 70, 70],
  nuclei: [70, 120, 255],
  probe: [60, 230, 120],
};
/** Of colour images without roles. */
const namedColors: typeof roleColors = { red: [255, 0, 0], green: [0, 255, 0], blue: [0, 0, 255] };
const white = [255, 255, 255] as const;
const furtherColors: readonly (readonly [number, number, number])[] = [
  [255, 200, 40],
  [230, 80, 230],
  [60, 220, 230],
  [255, 255, 255],
  [255, 140, 40],
];

/** @param roles of each channel, as `rolesOf` says */
export async function slideLayer(
  slide: OpenSlide,
  roles: readonly (string | undefined)[],
): Promise<ViewLayer> {
  let further = 0;
  const channels = await Promise.all(
    slide.channels.map(async ({ name }, index) => {
      const role = roles[index];
      const isOnly = slide.channels.length === 1;
      const color =
        (role && roleColors[role]) ||
        namedColors[name] ||
        (isOnly ? white : furtherColors[further++ % furtherColors.length]);
      const range = await rangeOf(slide.lowest, index, 'bright');
      return { name, role, index, color, isVisible: index < mostChannels, ...range };
    }),
  );
  return {
    kind: 'slide',
    label: 'Slide',
    levels: slide.levelsOf,
    lowest: slide.lowest,
    channels,
    colormap: undefined,
    opacity: 1,
  };
}

/** The probe channel alone, in the prediction's colours. */
export function measuredLayer(slide: ViewLayer): ViewLayer | undefined {
  const probe = slide.channels.find(({ role }) => role === 'probe');
  if (probe === undefined) return undefined;
  const channels = [{ ...probe, isVisible: true }];
  return { ...slide, kind: 'measured', label: `Measured ${probe.name}`, channels, colormap: 'inferno' };
}

/**
 * Prediction, error and interval width. Measured and predicted share their contrast, so that colours compare.
 * @param measured undefined where the slide has no probe channel
 */
export async function predictionLayers(
  prediction: OpenSlide,
  measured: ViewLayer | undefined,
): Promise<readonly ViewLayer[]> {
  const at = (pattern: RegExp): number => prediction.channels.findIndex(({ name }) => pattern.test(name));
  const probe = Math.max(
    0,
    prediction.channels.findIndex(({ name }) => !/\b(lower|upper)\b/.test(name)),
  );
  const range = await rangeOf(prediction.lowest, probe, 'bright');
  const own = await prediction.levelsOf;
  const other = await measured?.levels;
  const limits = measured?.channels[0].limits ?? range.limits;
  const common = { role: undefined, color: [255, 255, 255] as const, isVisible: true };
  const layers: ViewLayer[] = [
    {
      kind: 'prediction',
      label: 'Prediction',
      levels: prediction.levelsOf,
      lowest: prediction.lowest,
      channels: [{ ...common, ...range, name: prediction.channels[probe].name, index: probe, limits }],
      colormap: 'inferno',
      opacity: 1,
    },
  ];
  const shared = other === undefined ? 0 : sharedLevels(own, other);
  if (measured !== undefined && other !== undefined && shared > 0) {
    const { index } = measured.channels[0];
    const levels = own.slice(0, shared).map((level, i) => difference(level, probe, other[i], index));
    const lowest = levels[levels.length - 1];
    const error = await rangeOf(lowest, 0, 'signed');
    layers.push({
      kind: 'error',
      label: 'Error (predicted − measured)',
      levels: Promise.resolve(levels),
      lowest,
      channels: [{ ...common, ...error, name: 'predicted − measured', index: 0 }],
      colormap: 'rdbu',
      opacity: 1,
    });
  }
  const lower = at(/\blower\b/);
  const upper = at(/\bupper\b/);
  if (lower >= 0 && upper >= 0) {
    const levels = own.map((level) => difference(level, upper, level, lower));
    const lowest = levels[levels.length - 1];
    const width = await rangeOf(lowest, 0, 'bright');
    layers.push({
      kind: 'width',
      label: 'Interval width',
      levels: Promise.resolve(levels),
      lowest,
      channels: [{ ...common, ...width, name: 'upper − lower', index: 0 }],
      colormap: 'viridis',
      opacity: 1,
    });
  }
  return layers;
}

/** How many levels, from the largest on, have one size; halves may have been rounded up or down. */
function sharedLevels(a: readonly CachedLevel[], b: readonly CachedLevel[]): number {
  const near = (one: number, other: number, slack: number): boolean => Math.abs(one - other) <= slack;
  const end = a.findIndex((level, i) => {
    const slack = i === 0 ? 0 : 1;
    const other = b[i];
    return !other || !near(level.width, other.width, slack) || !near(level.height, other.height, slack);
  });
  return end < 0 ? a.length : end;
}

/** a - b as a level of its own, where both are; the two may be tiled differently. */
function difference(a: CachedLevel, aChannel: number, b: CachedLevel, bChannel: number): CachedLevel {
  const [width, height] = [Math.min(a.width, b.width), Math.min(a.height, b.height)];
  const { tileSize } = a;
  const reader: LevelReader = {
    ...{ width, height, tileSize },
    dtype: 'Float32',
    readTile: async (x, y, _channel) => {
      const [left, top] = [x * tileSize, y * tileSize];
      const size = { width: Math.min(tileSize, width - left), height: Math.min(tileSize, height - top) };
      const [one, other] = await Promise.all([
        a.readPart(aChannel, left, top, size),
        b.readPart(bChannel, left, top, size),
      ]);
      return { data: Float32Array.from(one.data, (value, i) => value - other.data[i]), ...size };
    },
  };
  return new CachedLevel(reader, 1);
}

const bins = 64;
/** Enough for a contrast; the first picture waits for it. */
const mostSamples = 30_000;

/** Contrast and histogram. */
async function rangeOf(
  lowest: CachedLevel,
  index: number,
  shape: 'bright' | 'signed',
): Promise<Pick<ChannelState, 'limits' | 'domain' | 'histogram'>> {
  const { data } = await lowest.sample(index);
  const step = Math.max(1, Math.floor(data.length / mostSamples));
  const picked = new Float64Array(Math.ceil(data.length / step));
  for (let i = 0; i < picked.length; i++) picked[i] = data[i * step];
  const values = picked.filter(Number.isFinite).sort();
  const at = (q: number): number => values[Math.round(q * (values.length - 1))] ?? 0;
  const low = at(0);
  const high = Math.max(at(1), low + 1e-3);
  const spread = Math.max(Math.abs(at(0.005)), Math.abs(at(0.995)), 1e-3);
  const reach = Math.max(Math.abs(low), Math.abs(high));
  const domain: [number, number] = shape === 'signed' ? [-reach, reach] : [Math.min(low, 0), high];
  const limits: [number, number] =
    shape === 'signed' ? [-spread, spread] : [at(0.02), Math.max(at(0.997), at(0.02) + (high - low) * 0.02)];
  const histogram = new Array<number>(bins).fill(0);
  const width = (domain[1] - domain[0]) / bins;
  for (const value of values)
    histogram[Math.min(bins - 1, Math.max(0, Math.floor((value - domain[0]) / width)))]++;
  return { limits, domain, histogram };
}
