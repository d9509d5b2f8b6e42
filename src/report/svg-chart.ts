// Two small charts as SVG text: lines over a common axis, and one row of dots a name.
import { formatTick, roundDown, ticks } from './nice-scale.ts';

/** Colours that stay apart for most kinds of colour vision (Okabe and Ito 2008), then the same dashed. */
const palette = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];
const font = 'font-family="system-ui, sans-serif" font-size="12" fill="currentColor"';

export interface Series {
  readonly name: string;
  /** x and y; drawn in this order. */
  readonly points: readonly (readonly [number, number])[];
}

export interface LineChart {
  readonly series: readonly Series[];
  readonly xLabel: string;
  readonly yLabel: string;
  /** Values of y below are cut off. */
  readonly yFloor?: number;
}

/** Colour of the nth of several series, the same in all charts. */
function seriesColour(index: number): string {
  return palette[index % palette.length];
}

/** Lines with a legend; an empty string where there is nothing to draw. */
export function lineChart({ series, xLabel, yLabel, yFloor = Number.NEGATIVE_INFINITY }: LineChart): string {
  const all = series.flatMap(({ points }) => points);
  if (all.length === 0) return '';
  const [width, height, left, top, bottom] = [720, 320, 60, 12, 44];
  const right = 190;
  const [xLow, xHigh] = spread(all.map(([x]) => x));
  const [yLow, yHigh] = spread(all.map(([, y]) => Math.max(y, yFloor)));
  const x = (v: number): number => left + ((v - xLow) / (xHigh - xLow)) * (width - left - right);
  const y = (v: number): number =>
    height - bottom - ((Math.max(v, yFloor) - yLow) / (yHigh - yLow)) * (height - bottom - top);
  const parts = [frame(width, height)];
  for (const [value, text] of labels(yLow, yHigh, 5)) {
    parts.push(
      `<line x1="${left}" x2="${width - right}" y1="${round(y(value))}" y2="${round(y(value))}" stroke="#8884"/>`,
    );
    parts.push(`<text x="${left - 6}" y="${round(y(value) + 4)}" text-anchor="end" ${font}>${text}</text>`);
  }
  for (const [value, text] of labels(xLow, xHigh, 6)) {
    parts.push(
      `<text x="${round(x(value))}" y="${height - bottom + 18}" text-anchor="middle" ${font}>${text}</text>`,
    );
  }
  parts.push(
    `<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle" ${font}>${escapeText(xLabel)}</text>`,
  );
  parts.push(
    `<text transform="translate(14 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle" ${font}>${escapeText(yLabel)}</text>`,
  );
  series.forEach(({ name, points }, i) => {
    const path = points.map(([px, py]) => `${round(x(px))},${round(y(py))}`).join(' ');
    const dash = i >= palette.length ? ' stroke-dasharray="5 3"' : '';
    parts.push(
      `<polyline points="${path}" fill="none" stroke="${seriesColour(i)}" stroke-width="2"${dash}/>`,
    );
    for (const [px, py] of points.slice(0, 1)) {
      parts.push(`<circle cx="${round(x(px))}" cy="${round(y(py))}" r="2.5" fill="${seriesColour(i)}"/>`);
    }
    const row = top + 14 + 18 * i;
    parts.push(
      `<line x1="${width - right + 12}" x2="${width - right + 32}" y1="${row - 4}" y2="${row - 4}" stroke="${seriesColour(i)}" stroke-width="2"${dash}/>`,
    );
    parts.push(`<text x="${width - right + 38}" y="${row}" ${font}>${escapeText(name)}</text>`);
  });
  return `${parts.join('')}</svg>`;
}

export interface DotChart {
  readonly rows: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly label: string;
  /** A vertical line, such as a floor or a ceiling. */
  readonly marks?: readonly { readonly value: number; readonly name: string }[];
  /** Values below are drawn at it, with an open circle. */
  readonly floor?: number;
}

/** One row a name: its values as dots and their mean as a bar; empty where there is nothing to draw. */
export function dotChart({ rows, label, marks = [], floor = Number.NEGATIVE_INFINITY }: DotChart): string {
  const finite = [...rows.flatMap(({ values }) => values), ...marks.map(({ value }) => value)]
    .filter(Number.isFinite)
    .map((v) => Math.max(v, floor));
  if (finite.length === 0) return '';
  const [left, right, top, step] = [190, 24, 26, 26];
  const [width, height] = [720, top + step * rows.length + 44];
  const [low, high] = spread(finite);
  const x = (v: number): number =>
    left + ((Math.max(v, floor) - low) / (high - low)) * (width - left - right);
  const end = top + step * rows.length;
  const parts = [frame(width, height)];
  for (const [value, text] of labels(low, high, 6)) {
    parts.push(
      `<line x1="${round(x(value))}" x2="${round(x(value))}" y1="${top}" y2="${end}" stroke="#8884"/>`,
    );
    parts.push(`<text x="${round(x(value))}" y="${end + 18}" text-anchor="middle" ${font}>${text}</text>`);
  }
  for (const { value, name } of marks) {
    if (!Number.isFinite(value)) continue;
    parts.push(
      `<line x1="${round(x(value))}" x2="${round(x(value))}" y1="${top}" y2="${end}" stroke="currentColor" stroke-dasharray="4 3"/>`,
    );
    parts.push(
      `<text x="${round(x(value))}" y="${top - 8}" text-anchor="middle" ${font}>${escapeText(value < floor ? `${name}: ${value.toFixed(2)}` : name)}</text>`,
    );
  }
  rows.forEach(({ name, values }, i) => {
    const y = top + step * (i + 0.5);
    parts.push(`<text x="${left - 10}" y="${y + 4}" text-anchor="end" ${font}>${escapeText(name)}</text>`);
    const known = values.filter(Number.isFinite);
    for (const value of known) {
      const fill = value < floor ? 'none' : seriesColour(i);
      parts.push(
        `<circle cx="${round(x(value))}" cy="${y}" r="4" fill="${fill}" fill-opacity="0.55" stroke="${seriesColour(i)}"/>`,
      );
    }
    if (known.length > 1) {
      const mean = known.reduce((a, b) => a + b) / known.length;
      parts.push(
        `<line x1="${round(x(mean))}" x2="${round(x(mean))}" y1="${y - 9}" y2="${y + 9}" stroke="${seriesColour(i)}" stroke-width="3"/>`,
      );
    }
  });
  parts.push(
    `<text x="${(left + width - right) / 2}" y="${height - 6}" text-anchor="middle" ${font}>${escapeText(label)}</text>`,
  );
  return `${parts.join('')}</svg>`;
}

function frame(width: number, height: number): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`;
}

function labels(low: number, high: number, count: number): [number, string][] {
  const step = roundDown(((high - low) / count) * 1.5);
  return ticks(low, high, count).map((value) => [value, formatTick(value, step)]);
}

/** Least and greatest, with room around a single value. */
function spread(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = high > low ? 0.04 * (high - low) : Math.abs(low) * 0.1 + 0.1;
  return [low - room, high + room];
}

const round = (v: number): number => Math.round(v * 10) / 10;

export function escapeText(text: string): string {
  return text.replace(
    /[&<>"]/g,
    (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] as string,
  );
}
