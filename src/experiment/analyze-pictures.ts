// The pictures of `analyze`: the slide, measured and predicted probe, error, interval, hot and cold spots.
import type { WorkOptions } from '../core/progress.ts';
import type { Picture } from '../report/analysis-page.ts';
import { fieldQuantile, type ImageField } from '../report/image-field.ts';
import { compositePng, enlarge, mapPng } from '../report/slide-picture.ts';
import type { BitMask } from '../spatial/bit-mask.ts';
import type { Analysis } from './analysis.ts';
import { overviewOf } from './overview.ts';

/** Longest edge of pictures in the report. */
const picturePx = 1100;

export async function picturesOf(analysis: Analysis, work: WorkOptions): Promise<Record<string, Picture>> {
  const { source, roles, predicted, sums, measures, result, vessels } = analysis;
  const order = ['vessel', 'nuclei', 'probe'].filter((role) => role in roles);
  const colours: Readonly<Record<string, readonly [number, number, number]>> = {
    vessel: [255, 60, 60],
    nuclei: [70, 90, 255],
    probe: [60, 235, 90],
  };
  const shown = await overviewOf(
    source,
    order.map((role) => roles[role]),
    picturePx,
    work.signal,
  );
  const { width, height, boxPx } = shown;
  const umPerPixel = boxPx * result.pixelSizeUm;
  const field = (data: Float32Array): ImageField => ({ data, width, height });
  const pictures: Record<string, Picture> = {
    slide: {
      title: 'The slide',
      caption: `${sentenceOf(order)}; each channel from its 2nd to its 99.7th percentile${boxPx > 1 ? `; one pixel of the picture is the mean of ${boxPx} x ${boxPx}` : ''}. White: walls of the vessels found.`,
      png: await compositePng(
        [
          ...order.map((role, i) => ({ field: field(shown.planes[i]), colour: colours[role] })),
          { field: field(wallsOf(vessels.mask, width, height, boxPx)), colour: [150, 150, 150] as const },
        ],
        umPerPixel,
      ),
    },
  };
  const measured = order.includes('probe') ? field(shown.planes[order.indexOf('probe')]) : undefined;
  if (predicted) {
    const { source: image, channel, interval } = predicted;
    const wanted = [channel, ...(interval ? [interval.lower, interval.upper] : [])];
    const planes = (await overviewOf(image, wanted, picturePx, work.signal)).planes;
    const own = field(planes[0]);
    const base = measured ?? own;
    const [low, high] = [fieldQuantile(base, 0.005), fieldQuantile(base, 0.995)];
    const scale = `${Number(low.toPrecision(3))} to ${Number(high.toPrecision(3))} stored units`;
    if (measured)
      pictures.measured = {
        title: 'Measured',
        caption: `Measured probe, ${scale}.`,
        png: await mapPng(measured, low, high, 'inferno', umPerPixel),
      };
    pictures.predicted = {
      title: 'Predicted',
      caption: `Predicted probe, ${scale}.`,
      png: await mapPng(own, low, high, 'inferno', umPerPixel),
    };
    if (measured) {
      const error = field(own.data.map((value, i) => value - measured.data[i]));
      const spread = fieldQuantile(field(error.data.map(Math.abs)), 0.995) || 1;
      pictures.error = {
        title: 'Error',
        caption: `Predicted less measured: blue too low, red too high, ±${Number(spread.toPrecision(3))}.`,
        png: await mapPng(error, -spread, spread, 'difference', umPerPixel),
      };
    }
    if (interval) {
      const widths = field(planes[2].map((value, i) => value - planes[1][i]));
      const most = fieldQuantile(widths, 0.995);
      pictures.interval = {
        title: 'Interval',
        caption: `Width of the ${Math.round(interval.level * 100)}% prediction interval, 0 to ${Number(most.toPrecision(3))}.`,
        png: await mapPng(widths, 0, most, 'viridis', umPerPixel),
      };
    }
  }
  const { wide, high, edgePx } = sums.cells;
  const factor = Math.max(1, Math.floor(picturePx / Math.max(wide, high)));
  for (const { name, found } of measures) {
    const grid = { data: Float32Array.from(found.cellMeans), width: wide, height: high };
    const [from, to] = [fieldQuantile(grid, 0.01), fieldQuantile(grid, 0.99)];
    const range = Number.isFinite(from + to)
      ? `${Number(from.toPrecision(3))} to ${Number(to.toPrecision(3))} stored units`
      : 'of which no mean is known';
    pictures[`spots-${name}`] = {
      title: `Hot and cold spots, ${name}`,
      caption: `Mean of the ${name} probe above background outside vessels, cells of ${Math.round(edgePx * result.pixelSizeUm)} µm, ${range}. Framed white: hot; cyan: cold; grey: no extravascular tissue.`,
      png: await mapPng(enlarge(grid, factor), from, to, 'viridis', (edgePx * result.pixelSizeUm) / factor, {
        kind: found.spots.kind,
        factor,
      }),
    };
  }
  return pictures;
}

/** Which channel has which colour. */
function sentenceOf(order: readonly string[]): string {
  const names: Readonly<Record<string, string>> = {
    vessel: 'vessels red',
    nuclei: 'nuclei blue',
    probe: 'probe green',
  };
  const text = order.map((role) => names[role]).join(', ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** 1 where a box of pixels holds a vessel's wall, else 0. */
function wallsOf(mask: BitMask, width: number, height: number, boxPx: number): Float32Array {
  const out = new Float32Array(width * height);
  const row = new Uint8Array(mask.width);
  for (let y = 0; y < mask.height; y++) {
    mask.readRow(y, row);
    for (let x = row.indexOf(1); x >= 0; x = row.indexOf(1, x + 1))
      if ((mask.around(x, y) & 85) !== 85) out[Math.floor(y / boxPx) * width + Math.floor(x / boxPx)] = 1;
  }
  return out;
}
