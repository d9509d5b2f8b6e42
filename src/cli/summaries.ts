// What people read at the end of a command; programs read --json.

import type { EvaluateResult } from '../contract/evaluate.ts';
import type { InspectResult } from '../contract/inspect.ts';
import type { PredictResult } from '../contract/predict.ts';
import type { PrepareResult } from '../contract/prepare.ts';
import type { SimulateResult } from '../contract/simulate.ts';
import type { TrainResult } from '../contract/train.ts';
import { formatSeconds } from './progress-line.ts';

export function summariseInspect(result: InspectResult): string {
  const [full, ...smaller] = result.levels.map(({ width, height }) => `${width} x ${height}`);
  const size =
    result.pixelSizeUm === null
      ? 'no pixel size in the file; give it with --pixel-size-um'
      : `${result.pixelSizeUm} um a pixel`;
  const roles = [...new Set(result.channels.flatMap(({ role }) => role ?? []))];
  const shared = roles
    .map((role) => [role, result.channels.filter((channel) => channel.role === role)] as const)
    .filter(([, channels]) => channels.length > 1);
  return [
    `${result.path}: ${result.format}, ${full} px, ${size}, ${plural(result.channels.length, 'channel')}:`,
    ...table(
      result.channels.map(({ name, role, dtype }) => [
        name,
        dtype,
        role === undefined ? 'no role known; give it with --role ROLE=CHANNEL' : `read as ${role}`,
      ]),
    ),
    ...shared.map(
      ([role, channels]) =>
        `${channels.map(({ name }) => `'${name}'`).join(' and ')} are read as ${role}; what needs one asks for --role ${role}=CHANNEL.`,
    ),
    smaller.length === 0 ? 'No smaller levels.' : `Smaller levels: ${smaller.join(', ')} px.`,
  ].join('\n');
}

export function summarisePrepare(result: PrepareResult): string {
  const { patches } = result;
  const counts = Object.entries(patches).map(([split, count]) => `${count} ${split}`);
  const rows = result.slides.map((slide) => [
    slide.name,
    slide.split,
    slide.group === slide.name ? '' : slide.group,
    `${slide.width} x ${slide.height} px`,
    `scanned at ${slide.pixelSizeUm} um`,
    `${slide.tissueAreaMm2.toPrecision(3)} mm2 tissue`,
    plural(slide.patches, 'patch', 'patches'),
  ]);
  return [
    `Dataset of ${plural(result.slides.length, 'slide')}, split by ${result.splitBy}; patches: ${counts.join(', ')}.`,
    ...table(rows),
    ...result.excluded.map(
      ({ slide, reason }) => `Left out: ${reason.includes(slide) ? '' : `${slide}: `}${reason}`,
    ),
    ...result.warnings.map(({ slide, message }) => `Warning: ${slide ? `${slide}: ` : ''}${message}`),
    ...result.notes.map((note) => `Note: ${note}`),
    ...filesWritten(result.files),
  ].join('\n');
}

export function summariseSimulate(result: SimulateResult): string {
  const rows = result.slides.map(({ path, ceilings }) => [
    path,
    `noise ${Number(ceilings.noise).toFixed(3)}`,
    `visible ${Number(ceilings.visible).toFixed(3)}`,
    `outside vessels ${Number(ceilings.visibleExtravascular).toFixed(3)}`,
  ]);
  return [
    `Simulated ${plural(result.slides.length, 'slide')} in ${formatSeconds(result.seconds)}. Best R2 that any prediction can reach:`,
    ...table(rows),
    ...filesWritten(result.files),
  ].join('\n');
}

export function summariseTrain(result: TrainResult): string {
  const { validation } = result;
  const isFitted = result.stoppedBecause === 'fitted';
  // A finished run that is resumed takes no step.
  const pace = Number.isFinite(Number(result.secondsPerPatch))
    ? ` (${Number(result.secondsPerPatch).toPrecision(3)} s a patch)`
    : '';
  return [
    isFitted
      ? `Fitted ${plural(result.parameters, 'parameter')} in ${formatSeconds(result.seconds)}.`
      : `Trained ${plural(result.parameters, 'parameter')} in ${plural(result.steps, 'step')} and ${formatSeconds(result.seconds)}${pace}; stopped: ${result.stoppedBecause}.`,
    validation
      ? `Validation${isFitted ? '' : `, best epoch ${result.bestEpoch} of ${result.epochs}`}: MSE ${validation.mse.toPrecision(4)}, R2 ${Number(validation.r2).toFixed(3)}.`
      : `No validation${isFitted ? '' : `; the model is that of the last epoch (${result.epochs})`}.`,
    ...result.notes.map((note) => `Note: ${note}`),
    ...filesWritten(result.files),
  ].join('\n');
}

export function summarisePredict(result: PredictResult): string {
  return [
    `Predicted ${result.width} x ${result.height} px in ${formatSeconds(result.seconds)}, ` +
      `${result.megapixelsPerSecond.toPrecision(3)} megapixels a second, ${plural(result.tiles, 'tile')}.`,
    ...result.notes.map((note) => `Note: ${note}`),
    ...filesWritten(result.files),
  ].join('\n');
}

export function summariseEvaluate(result: EvaluateResult): string {
  type Block = EvaluateResult['pooled'];
  const row = (
    name: string,
    { pooled, extravascular }: { pooled: Block; extravascular: Block },
  ): string[] => [
    name,
    ...[pooled.r2, extravascular.r2, pooled.pearson, pooled.ssim].map((value) => value.toFixed(3)),
    ...[pooled.mse, pooled.rmse, pooled.mae, pooled.psnr].map((value) => value.toPrecision(4)),
  ];
  return [
    `Scored against the ${result.target} probe${result.withinSlide ? '; fields of one slide, so the result is within-slide' : ''}.`,
    ...table([
      ['', 'R2', 'R2 extravascular', 'Pearson', 'SSIM', 'MSE', 'RMSE', 'MAE', 'PSNR (dB)'],
      ...(result.perSlide.length > 1 ? result.perSlide.map((slide) => row(slide.slide, slide)) : []),
      row(result.perSlide.length > 1 ? 'all, pooled' : result.perSlide[0].slide, result),
      row(`constant (${result.floor.constant})`, result.floor),
    ]),
    ...(result.coverage
      ? [
          `The ${100 * result.coverage.nominal}% interval holds ${(100 * result.coverage.pooled).toFixed(1)}% of the pixels.`,
        ]
      : []),
    ...result.notes.map((note) => `Note: ${note}`),
    ...filesWritten(result.files),
  ].join('\n');
}

function filesWritten(files: readonly string[]): string[] {
  return files.length === 0 ? [] : ['Written:', ...files.map((file) => `  ${file}`)];
}

function plural(count: number, noun: string, several = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : several}`;
}

/** Columns padded to the same width, indented; empty columns left out. */
function table(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    `  ${row
      .map((cell, column) => cell.padEnd(widths[column]))
      .filter((_, column) => widths[column] > 0)
      .join('  ')}`.trimEnd(),
  );
}
