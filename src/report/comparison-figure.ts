// The picture of a prediction: measured, predicted and error side by side, to the same scale.
import sharp from 'sharp';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { assert } from '../core/errors.ts';
import type { ColormapName } from './colormap.ts';
import { colormap, cssColor } from './colormap.ts';
import { colorField, fieldQuantile, type ImageField, resample } from './image-field.ts';
import { label } from './label.ts';
import { formatTick, roundDown, ticks } from './nice-scale.ts';

export interface ComparisonFigure {
  /** The same region at the same resolution; [height, width], stored units of the target. */
  readonly measured: ImageField;
  readonly predicted: ImageField;
  /** Edge of a pixel of these images, after any reduction. */
  readonly pixelSizeUm: number;
  readonly title: string;
  /** A line below the title, e.g. the metrics. */
  readonly subtitle?: string;
  /** What the colours mean, e.g. 'dextran, grey levels'. */
  readonly quantity: string;
}

const panelWidth = 640;
const largestPanelHeight = 760;
const gap = 28;
const margin = 32;
const headHeight = 96;
const barHeight = 14;
const footHeight = 74;

/**
 * Writes a PNG of three panels with colour bars and a scale bar. Measured and predicted share one colour scale,
 * from the 0.5th to the 99.5th percentile of the measured pixels; the error scale is symmetric about 0.
 * Colours end where the bars end; brighter pixels take the last colour.
 */
export async function writeComparisonFigure(path: string, figure: ComparisonFigure): Promise<void> {
  const { svg } = await comparisonSvg(figure);
  await writeFileAtomic(path, await sharp(Buffer.from(svg)).png().toBuffer());
}

async function comparisonSvg(figure: ComparisonFigure): Promise<{ svg: string }> {
  const { measured, predicted } = figure;
  assert(
    measured.width === predicted.width && measured.height === predicted.height,
    'measured and predicted differ in size',
  );
  const scale = Math.min(panelWidth / measured.width, largestPanelHeight / measured.height);
  const width = Math.max(1, Math.round(measured.width * scale));
  const height = Math.max(1, Math.round(measured.height * scale));
  const a = resample(measured, width, height);
  const b = resample(predicted, width, height);
  const error: ImageField = { ...a, data: a.data.map((value, i) => b.data[i] - value) };
  const low = finiteOr(fieldQuantile(a, 0.005), 0);
  const high = Math.max(
    finiteOr(fieldQuantile(a, 0.995), 1),
    low + Number.EPSILON * 1e6 * (1 + Math.abs(low)),
  );
  const spread = Math.max(
    finiteOr(fieldQuantile({ ...error, data: error.data.map(Math.abs) }, 0.995), 0),
    (high - low) * 0.02,
  );
  const panels: Panel[] = [
    { name: 'measured', image: await colorField(a, low, high, 'inferno'), low, high, map: 'inferno' },
    { name: 'predicted', image: await colorField(b, low, high, 'inferno'), low, high, map: 'inferno' },
    {
      name: 'predicted − measured',
      image: await colorField(error, -spread, spread, 'difference'),
      low: -spread,
      high: spread,
      map: 'difference',
    },
  ];
  const columnWidth = Math.max(width, 300);
  const totalWidth = 2 * margin + 3 * columnWidth + 2 * gap;
  const totalHeight = headHeight + height + footHeight;
  const umPerPanelPixel = figure.pixelSizeUm / scale;
  const body = panels.map((panel, i) => {
    const x = margin + i * (columnWidth + gap) + (columnWidth - width) / 2;
    return (
      drawPanel(panel, x, width, height, figure.quantity) +
      (i === 0 ? scaleBar(x, width, height, umPerPanelPixel) : '')
    );
  });
  const head =
    label(figure.title, margin, 38, { size: 20, bold: true }) +
    (figure.subtitle ? label(figure.subtitle, margin, 62, { size: 14, color: '#555' }) : '');
  return {
    svg:
      `<svg xmlns="http://www.w3.org/2000/svg" width="${totalWidth}" height="${totalHeight}">` +
      `<rect width="100%" height="100%" fill="#fff"/>${head}${body.join('')}</svg>`,
  };
}

interface Panel {
  readonly name: string;
  readonly image: string;
  readonly low: number;
  readonly high: number;
  readonly map: ColormapName;
}

function drawPanel(panel: Panel, x: number, width: number, height: number, quantity: string): string {
  const top = headHeight;
  const name = label(panel.name, x, top - 9, { size: 15, bold: true });
  const image = `<image x="${x}" y="${top}" width="${width}" height="${height}" href="${panel.image}"/>`;
  const barTop = top + height + 14;
  const table = colormap(panel.map);
  const steps = 128;
  let bar = '';
  for (let i = 0; i < steps; i++) {
    const value = panel.low + ((i + 0.5) / steps) * (panel.high - panel.low);
    const from = x + Math.floor((i * width) / steps);
    const to = x + Math.floor(((i + 1) * width) / steps);
    bar += `<rect x="${from}" y="${barTop}" width="${to - from}" height="${barHeight}" fill="${cssColor(table, value, panel.low, panel.high)}"/>`;
  }
  const marks = ticks(panel.low, panel.high, 5);
  const step = marks.length > 1 ? marks[1] - marks[0] : Math.abs(panel.high - panel.low);
  for (const mark of marks) {
    const at = x + ((mark - panel.low) / (panel.high - panel.low)) * width;
    bar += `<path d="M${at} ${barTop + barHeight}v4" stroke="#555"/>`;
    bar += label(formatTick(mark, step), at, barTop + barHeight + 17, {
      size: 12,
      color: '#444',
      anchor: 'middle',
    });
  }
  const caption = label(quantity, x + width / 2, barTop + barHeight + 36, {
    size: 12,
    color: '#444',
    anchor: 'middle',
  });
  return name + image + bar + caption;
}

/** A white bar of a round length on a dark plate, in the lower right corner. */
function scaleBar(x: number, width: number, height: number, umPerPixel: number): string {
  const um = roundDown(width * 0.28 * umPerPixel);
  const length = um / umPerPixel;
  const text = um >= 1000 ? `${um / 1000} mm` : `${um} µm`;
  const right = x + width - 14;
  const bottom = headHeight + height - 14;
  return (
    `<rect x="${right - length - 10}" y="${bottom - 30}" width="${length + 20}" height="40" rx="4" fill="#000" fill-opacity="0.55"/>` +
    `<rect x="${right - length}" y="${bottom - 4}" width="${length}" height="5" fill="#fff"/>` +
    label(text, right - length / 2, bottom - 11, { size: 14, color: '#fff', anchor: 'middle' })
  );
}

function finiteOr(value: number, otherwise: number): number {
  return Number.isFinite(value) ? value : otherwise;
}
