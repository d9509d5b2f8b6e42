// Figures of the spatial analysis as SVG text: the profile over distance, sub-areas, agreement.
import { percentText } from '../core/units.ts';
import { formatTick, roundDown, ticks } from './nice-scale.ts';
import { escapeText } from './svg-chart.ts';

/** Measured, predicted: apart for most kinds of colour vision (Okabe and Ito 2008). */
const probeColours = ['#0072b2', '#d55e00'] as const;
const font = 'font-family="system-ui, -apple-system, Segoe UI, sans-serif"';
const ink = '#1b2430';
const faint = '#66707c';

export interface ProfileLine {
  readonly name: string;
  readonly bins: readonly {
    readonly fromUm: number;
    readonly toUm: number;
    readonly mean: number;
    readonly low: number;
    readonly high: number;
    readonly share: number;
  }[];
  readonly meanUm: number;
}

export interface ProfileFigure {
  readonly lines: readonly ProfileLine[];
  /** Thin lines of single slides, by the line that they belong to. */
  readonly singles?: readonly {
    readonly line: number;
    readonly bins: readonly { readonly fromUm: number; readonly toUm: number; readonly mean: number }[];
  }[];
  /** NaN for none. */
  readonly uniformMeanUm: number;
  readonly unit: string;
  readonly level: number;
}

/** Share of the tissue that the axis reaches to: beyond, single pixels make the profile jump. */
const shownShare = 0.99;

/** Mean of the probe at each distance with its interval; below, how much tissue lies there. */
export function profileFigure({ lines, singles = [], uniformMeanUm, unit, level }: ProfileFigure): string {
  const [width, height, left, right, top, bottom] = [760, 400, 70, 24, 44, 92];
  const shown = lines.map((line) => ({ ...line, bins: upTo(line.bins, shownShare) }));
  const all = shown.flatMap(({ bins }) => bins);
  if (all.length === 0) return '';
  const xHigh = Math.max(...all.map(({ toUm }) => toUm));
  const within = singles.map(({ line, bins }) => ({ line, bins: bins.filter(({ toUm }) => toUm <= xHigh) }));
  const finite = [
    ...all.flatMap(({ mean, low, high }) => [mean, low, high]),
    ...within.flatMap(({ bins }) => bins.map(({ mean }) => mean)),
  ].filter(Number.isFinite);
  const yLow = Math.min(0, ...finite);
  const highest = Math.max(0, ...finite);
  const yHigh = highest + 0.05 * (highest - yLow || 1e-9);
  const x = (um: number): number => left + (um / xHigh) * (width - left - right);
  const y = (v: number): number => top + ((yHigh - v) / (yHigh - yLow)) * (height - top - bottom);
  const parts = [open(width, height)];
  parts.push(...yAxis(y, yLow, yHigh, left, width - right));
  const floor = height - bottom;
  for (const um of ticks(0, xHigh, 8)) {
    parts.push(`<path d="M${r(x(um))} ${floor}v5" stroke="${faint}"/>`);
    parts.push(text(formatTick(um, roundDown(xHigh / 8)), x(um), floor + 19, { anchor: 'middle' }));
  }
  parts.push(
    text('distance to the nearest vessel wall, µm', (left + width - right) / 2, floor + 38, {
      anchor: 'middle',
      size: 13,
    }),
  );
  parts.push(turned(`probe above background, ${unit}`, 18, (top + floor) / 2));
  // How much tissue there is at each distance.
  const shares = shown[0].bins;
  const most = Math.max(...shares.map(({ share }) => share));
  const strip = height - 12;
  for (const { fromUm, toUm, share } of shares) {
    const h = (28 * share) / most;
    parts.push(
      `<rect x="${r(x(fromUm))}" y="${r(strip - h)}" width="${r(x(toUm) - x(fromUm) + 0.3)}" height="${r(h)}" fill="#c9d2dc"/>`,
    );
  }
  parts.push(text('tissue', left - 8, strip - 8, { anchor: 'end', colour: faint }));
  // The nearest of the dashed lines has its label on the left, if there is room, the others on the right.
  const means = shown.map(({ meanUm }) => meanUm).filter(Number.isFinite);
  const least = Math.min(...[uniformMeanUm, ...means].filter(Number.isFinite));
  const sideOf = (um: number): 'start' | 'end' =>
    means.length > 0 && um === least && x(um) - left > 120 ? 'end' : 'start';
  if (Number.isFinite(uniformMeanUm))
    parts.push(
      marker(
        x(uniformMeanUm),
        top,
        floor,
        '#7a8490',
        `even spread ${uniformMeanUm.toFixed(1)}`,
        sideOf(uniformMeanUm),
        12,
      ),
    );
  const centre = (bin: { fromUm: number; toUm: number }): number => x((bin.fromUm + bin.toUm) / 2);
  for (const { line, bins } of within) {
    const points = bins.map((bin) => `${r(centre(bin))},${r(y(bin.mean))}`).join(' ');
    parts.push(
      `<polyline points="${points}" fill="none" stroke="${probeColours[line]}" stroke-width="0.9" stroke-opacity="0.5"/>`,
    );
  }
  shown.forEach(({ bins, meanUm }, i) => {
    const colour = probeColours[i % probeColours.length];
    const known = bins.filter(({ low, high }) => Number.isFinite(low + high));
    const upper = known.map((bin) => `${r(centre(bin))},${r(y(bin.high))}`);
    const lower = known.map((bin) => `${r(centre(bin))},${r(y(bin.low))}`).reverse();
    parts.push(`<polygon points="${[...upper, ...lower].join(' ')}" fill="${colour}" fill-opacity="0.16"/>`);
    const line = bins.map((bin) => `${r(centre(bin))},${r(y(bin.mean))}`).join(' ');
    parts.push(
      `<polyline points="${line}" fill="none" stroke="${colour}" stroke-width="2.4" stroke-linejoin="round"/>`,
    );
    if (Number.isFinite(meanUm)) {
      parts.push(
        marker(
          x(meanUm),
          top,
          floor,
          colour,
          `${lines.length > 1 ? shown[i].name : 'probe'} ${meanUm.toFixed(1)}`,
          sideOf(meanUm),
          28 + 16 * i,
        ),
      );
    }
  });
  const isShaded = shown.some(({ bins }) => bins.some(({ low, high }) => Number.isFinite(low + high)));
  const isDashed = Number.isFinite(uniformMeanUm) || means.length > 0;
  const meanings = [
    ...(isShaded ? [`shaded: ${percentText(level)} interval`] : []),
    ...(singles.length > 0 ? ['thin: single slides'] : []),
    ...(isDashed ? ['dashed: mean distances, µm'] : []),
  ];
  parts.push(text(meanings.join('; '), left, 16, { colour: faint }));
  if (lines.length > 1)
    lines.forEach(({ name }, i) => {
      const at = width - right - 110 * (lines.length - i);
      parts.push(`<rect x="${at}" y="7" width="18" height="4" fill="${probeColours[i]}"/>`);
      parts.push(text(name, at + 24, 15, {}));
    });
  return `${parts.join('')}</svg>`;
}

export interface SubareaBar {
  readonly name: string;
  readonly areaShare: number;
  readonly signalShares: readonly number[];
  readonly enrichments: readonly number[];
}

/** Share of the tissue beside share of the probe, one row a sub-area. */
export function subareaFigure(bars: readonly SubareaBar[], names: readonly string[]): string {
  const kinds = names.length;
  const step = 20 + 15 * (kinds + 1);
  const [width, left, right, top] = [760, 150, 120, 34];
  const height = top + step * bars.length + 44;
  const most = Math.max(
    0.05,
    ...bars.flatMap(({ areaShare, signalShares }) => [areaShare, ...signalShares]).filter(Number.isFinite),
  );
  const least = Math.min(0, ...bars.flatMap(({ signalShares }) => signalShares).filter(Number.isFinite));
  const x = (share: number): number => left + ((share - least) / (most - least)) * (width - left - right);
  const parts = [open(width, height)];
  const end = top + step * bars.length;
  for (const share of ticks(least, most, 6)) {
    parts.push(`<path d="M${r(x(share))} ${top}V${end}" stroke="#e3e8ee"/>`);
    parts.push(text(`${Math.round(share * 100)}%`, x(share), end + 18, { anchor: 'middle' }));
  }
  ['tissue', ...names.map((name) => (kinds > 1 ? `probe, ${name}` : 'probe'))].forEach((name, i) => {
    const at = left + 130 * i;
    parts.push(
      `<rect x="${at}" y="10" width="12" height="10" fill="${i === 0 ? '#b4bfcb' : probeColours[i - 1]}"/>`,
    );
    parts.push(text(name, at + 18, 19, {}));
  });
  parts.push(text('enrichment', width - right + 14, 19, { colour: faint }));
  bars.forEach(({ name, areaShare, signalShares, enrichments }, i) => {
    const y = top + step * i + 8;
    parts.push(text(name.replace(/ um$/, ' µm'), left - 12, y + 12 + 7 * kinds, { anchor: 'end', size: 13 }));
    [areaShare, ...signalShares].forEach((share, k) => {
      if (!Number.isFinite(share)) return;
      const [from, to] = [Math.min(x(0), x(share)), Math.max(x(0), x(share))];
      parts.push(
        `<rect x="${r(from)}" y="${y + 15 * k}" width="${r(Math.max(0.5, to - from))}" height="13" fill="${k === 0 ? '#b4bfcb' : probeColours[k - 1]}"/>`,
      );
    });
    enrichments.forEach((value, k) => {
      if (Number.isFinite(value))
        parts.push(text(`${value.toFixed(2)} ×`, width - right + 14, y + 26 + 15 * k, { colour: ink }));
    });
  });
  parts.push(
    text('share of the whole', (left + width - right) / 2, end + 38, { anchor: 'middle', size: 13 }),
  );
  return `${parts.join('')}</svg>`;
}

export interface AgreementFigure {
  readonly measured: Float64Array;
  readonly predicted: Float64Array;
  readonly bias: number;
  readonly low: number;
  readonly high: number;
  readonly unit: string;
}

const mostPoints = 2500;

/** Bland and Altman's plot: difference against mean, with the limits of agreement. */
export function agreementFigure({ measured, predicted, bias, low, high, unit }: AgreementFigure): string {
  const points: [number, number][] = [];
  const known: number[] = [];
  for (let i = 0; i < measured.length; i++) if (Number.isFinite(measured[i] + predicted[i])) known.push(i);
  // A regular choice, so that the same data always give the same picture.
  const every = Math.max(1, Math.ceil(known.length / mostPoints));
  for (let k = 0; k < known.length; k += every) {
    const i = known[k];
    points.push([(measured[i] + predicted[i]) / 2, predicted[i] - measured[i]]);
  }
  if (points.length === 0) return '';
  const [width, height, left, right, top, bottom] = [590, 380, 70, 126, 16, 50];
  const xs = points.map(([a]) => a).sort((a, b) => a - b);
  const around = (least: number, most: number): [number, number] => {
    const room = 0.03 * (most - least) || 1e-9;
    return [least - room, most + room];
  };
  const [xLow, xHigh] = around(xs[0], xs[xs.length - 1]);
  const ys = points.map(([, d]) => d);
  const [yLow, yHigh] = around(Math.min(...ys, low), Math.max(...ys, high));
  const x = (v: number): number => left + ((v - xLow) / (xHigh - xLow)) * (width - left - right);
  const y = (v: number): number => top + ((yHigh - v) / (yHigh - yLow || 1)) * (height - top - bottom);
  const parts = [open(width, height), ...yAxis(y, yLow, yHigh, left, width - right)];
  for (const [a, d] of points)
    parts.push(
      `<circle cx="${r(x(a))}" cy="${r(y(d))}" r="2.2" fill="${probeColours[0]}" fill-opacity="0.45"/>`,
    );
  for (const [value, name] of [
    [bias, 'bias'],
    [low, '−1.96 SD'],
    [high, '+1.96 SD'],
  ] as const) {
    parts.push(
      `<path d="M${left} ${r(y(value))}H${width - right}" stroke="${ink}" stroke-dasharray="${name === 'bias' ? 'none' : '5 4'}"/>`,
    );
    parts.push(text(`${name} ${Number(value.toPrecision(3))}`, width - right + 6, y(value) + 4, {}));
  }
  for (const value of ticks(xLow, xHigh, 6))
    parts.push(
      text(formatTick(value, roundDown((xHigh - xLow) / 6)), x(value), height - bottom + 18, {
        anchor: 'middle',
      }),
    );
  parts.push(
    text(`mean of measured and predicted, ${unit}`, (left + width - right) / 2, height - 10, {
      anchor: 'middle',
      size: 13,
    }),
  );
  parts.push(turned('predicted less measured', 18, (top + height - bottom) / 2));
  return `${parts.join('')}</svg>`;
}

function upTo<T extends { readonly share: number }>(bins: readonly T[], share: number): T[] {
  let sum = 0;
  const shown: T[] = [];
  for (const bin of bins) {
    shown.push(bin);
    sum += bin.share;
    if (sum >= share) break;
  }
  return shown;
}

function yAxis(y: (v: number) => number, low: number, high: number, left: number, right: number): string[] {
  const values = ticks(low, high, 5);
  const step = roundDown(((high - low) / 5) * 1.5);
  return values.flatMap((value) => [
    `<path d="M${left} ${r(y(value))}H${right}" stroke="${Math.abs(value) < step * 1e-6 ? '#9aa5b1' : '#e3e8ee'}"/>`,
    text(formatTick(value, step), left - 8, y(value) + 4, { anchor: 'end' }),
  ]);
}

function marker(
  x: number,
  top: number,
  floor: number,
  colour: string,
  name: string,
  side: 'start' | 'end',
  drop: number,
): string {
  return (
    `<path d="M${r(x)} ${top - 6}V${floor}" stroke="${colour}" stroke-width="1.6" stroke-dasharray="5 4"/>` +
    `<text x="${r(x + (side === 'start' ? 6 : -6))}" y="${top + drop}" text-anchor="${side}" ${font} font-size="13" font-weight="600" fill="${colour}" stroke="#fff" stroke-width="4" paint-order="stroke">${escapeText(name)}</text>`
  );
}

function open(width: number, height: number): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img"><rect width="100%" height="100%" fill="#fff"/>`;
}

interface TextStyle {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly size?: number;
  readonly colour?: string;
}

function text(
  value: string,
  x: number,
  y: number,
  { anchor = 'start', size = 12, colour = ink }: TextStyle,
): string {
  return `<text x="${r(x)}" y="${r(y)}" text-anchor="${anchor}" ${font} font-size="${size}" fill="${colour}">${escapeText(value)}</text>`;
}

function turned(value: string, x: number, y: number): string {
  return `<text transform="translate(${x} ${r(y)}) rotate(-90)" text-anchor="middle" ${font} font-size="13" fill="${ink}">${escapeText(value)}</text>`;
}

const r = (v: number): number => Math.round(v * 10) / 10;
