/** Puts the comparison into docs/performance.md, between its markers, and draws it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isMachineBusy } from './side.ts';
import type { What } from './workload.ts';

/** Both sides at one task. */
export interface Pair {
  readonly network: string;
  readonly what: What;
  /** This engine's throughput over PyTorch's: the median over turns. */
  readonly ratio: number;
  /** Quartiles of the ratio over turns. */
  readonly spread: readonly [number, number];
  /** The same from CPU time, which waiting for a core does not change, but spinning does. */
  readonly cpuRatio: number;
  readonly seconds: { readonly engine: number; readonly pytorch: number };
  readonly peakBytes: { readonly engine: number; readonly pytorch: number };
  readonly format: string;
  readonly batch: number;
  readonly patch: number;
}

const docs = (file: string): string => fileURLToPath(new URL(`../docs/${file}`, import.meta.url));
const picture = '![Throughput over that of PyTorch](performance.svg)';
const [begin, end] = ['<!-- table: npm run -s bench -- --write -->', '<!-- end of table -->'];

export function writeReport(pairs: readonly Pair[], threads: number): void {
  const text = readFileSync(docs('performance.md'), 'utf8');
  const from = text.indexOf(begin) + begin.length;
  const table = [...machine(threads), '', ...rows(pairs), '', ...across(pairs), picture].join('\n');
  writeFileSync(docs('performance.md'), `${text.slice(0, from)}\n${table}\n${text.slice(text.indexOf(end))}`);
  writeFileSync(docs('performance.svg'), figure(pairs));
}

function machine(threads: number): string[] {
  const [{ model }] = cpus();
  const busy = isMachineBusy() ? ' Other work took cores while this ran.' : '';
  return [`${model}, ${cpus().length} cores, ${threads} threads each.${busy}`];
}

/** How much faster our `hrpn` is than the published network in the framework that it was published in. */
function across(pairs: readonly Pair[]): string[] {
  const parts = (['predict', 'train'] as const).flatMap((what) => {
    const pair = (name: string) => pairs.find((p) => p.network === name && p.what === what);
    const [ours, theirs] = [pair('hrpn'), pair('hrpn-published')];
    if (!ours || !theirs || ours.patch !== theirs.patch) return [];
    return [`${what} ${(theirs.seconds.pytorch / ours.seconds.engine).toFixed(1)} times`];
  });
  return parts.length > 0
    ? [`\`hrpn\` here over \`hrpn-published\` in PyTorch, pixels a second: ${parts.join(', ')}.`, '']
    : [];
}

function rows(pairs: readonly Pair[]): string[] {
  const [ms, mb] = [
    (s: number) => `${(s * 1000).toFixed(0)} ms`,
    (b: number) => `${(b / 1e6).toFixed(0)} MB`,
  ];
  return [
    '| network | what | patch | hrpn | PyTorch | ratio (quartiles) | ratio of CPU time | peak memory |',
    '|---|---|---|---|---|---|---|---|',
    ...pairs.map(
      ({ network, what, patch, seconds, format, ratio, spread, cpuRatio, peakBytes }) =>
        `| ${network} | ${what} | ${patch} | ${ms(seconds.engine)} | ${ms(seconds.pytorch)} (${format}) | ` +
        `**${ratio.toFixed(2)}** (${spread.map((r) => r.toFixed(2)).join(' to ')}) | ${cpuRatio.toFixed(2)} | ` +
        `${mb(peakBytes.engine)} against ${mb(peakBytes.pytorch)} |`,
    ),
  ];
}

function figure(pairs: readonly Pair[]): string {
  const [left, perRatio, row] = [190, 110, 30];
  const most = Math.max(2, ...pairs.map(({ spread }) => spread[1]));
  const width = left + perRatio * most + 60;
  const height = row * pairs.length + 40;
  const bars = pairs.map(({ network, what, ratio, spread }, i) => {
    const y = 10 + i * row;
    const at = (value: number): number => left + perRatio * value;
    return [
      `<text x="${left - 8}" y="${y + 15}" text-anchor="end">${network}, ${what}</text>`,
      `<rect x="${left}" y="${y + 2}" width="${perRatio * ratio}" height="18" fill="#3b6ea8"/>`,
      `<path d="M${at(spread[0])} ${y + 11}H${at(spread[1])}" stroke="#111" stroke-width="2"/>`,
      `<text x="${at(Math.max(ratio, spread[1])) + 6}" y="${y + 15}">${ratio.toFixed(2)}</text>`,
    ].join('');
  });
  const one = left + perRatio;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13">`,
    '<title>Throughput over that of PyTorch</title>',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...bars,
    `<path d="M${one} 4V${height - 26}" stroke="#b03030" stroke-dasharray="4 3"/>`,
    `<text x="${one}" y="${height - 10}" text-anchor="middle">PyTorch = 1; line: quartiles over turns</text>`,
    '</svg>\n',
  ].join('\n');
}
