/**
 * This engine against PyTorch, in turns: `npm run -s bench`. Checks first that both compute the same.
 *   --quick   one patch size down and few turns: under 50 s on two cores that are free
 *   --json    one JSON object on stdout instead of a table
 *   --write   puts table and figure into docs/
 *   --networks a,b   --patch PX   --turns N   --threads N
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Pair, writeReport } from './report.ts';
import { isMachineBusy, type Side, startEngine, startPyTorch } from './side.ts';
import { makeWorkload, networks, type What } from './workload.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    networks: { type: 'string' },
    patch: { type: 'string' },
    turns: { type: 'string' },
    threads: { type: 'string', default: '2' },
  },
});
const chosen = values.networks?.split(',') ?? (values.quick ? ['hrpn', 'hrpn-published'] : networks);
const patch = Number(values.patch ?? (values.quick ? 256 : 512));
const turns = Number(values.turns ?? (values.quick ? 3 : 9));
const threads = Number(values.threads);
const allowedGap = 1e-4;
/** When a quick run, all in all limited to 50 s, takes no further turns. */
const quickSeconds = 35;
type Sides = readonly [Side, Side];
const folder = mkdtempSync(join(tmpdir(), 'hrpn-bench-'));
const say = (text: string): void => {
  if (!values.json) process.stdout.write(`${text}\n`);
};

try {
  const pairs: Pair[] = [];
  if (isMachineBusy()) say('Other work takes cores of this machine: ratios are rough, times mean nothing.');
  for (const network of chosen) {
    // Quick: one pair of processes for all; else one each, so that peak memory is that of one kind of work.
    let sides = [startEngine(), startPyTorch()] as const;
    await check(network, sides);
    for (const what of ['train', 'predict'] as const) {
      if (!values.quick) sides = restart(sides);
      pairs.push(await compare(network, what, sides));
    }
    for (const side of sides) side.end();
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ pairs })}\n`);
  if (values.write) writeReport(pairs, threads);
} finally {
  rmSync(folder, { recursive: true });
}

function restart(sides: Sides): Sides {
  for (const side of sides) side.end();
  return [startEngine(), startPyTorch()];
}

/** What the full benchmark found, for quick runs that have no time to try. */
function fasterFormat(network: string, what: What): string {
  return network === 'hrpn' && what === 'train' ? 'contiguous' : 'channels_last';
}

/**
 * Prediction and all gradients of one batch against PyTorch's in double precision: the length of the difference, as a
 * share, at most `allowedGap`.
 */
async function check(network: string, sides: Sides): Promise<void> {
  const given = { network, what: 'check', batch: 1, patch: values.quick ? 128 : 256, threads } as const;
  const work = makeWorkload(folder, given);
  const files = ['engine', 'pytorch'].map((name) => join(folder, `${network}-${name}.bin`));
  const replies = await Promise.all(
    sides.map(async (side, i) => {
      await side.ask({ ...work, kind: 'setup' });
      return side.ask({ kind: 'check', path: files[i] });
    }),
  );
  const [ours, theirs] = files.map((file) => {
    const bytes = readFileSync(file);
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  });
  const pixels = work.batch * work.patch ** 2;
  const gaps = [
    relativeGap(ours.subarray(0, pixels), theirs.subarray(0, pixels)),
    relativeGap(ours.subarray(pixels), theirs.subarray(pixels)),
  ];
  const theirGaps = replies[1].gaps ?? [0, 0];
  const shares = (list: readonly number[]): string => list.map((gap) => gap.toExponential(1)).join(' and ');
  say(`${network}: off by ${shares(gaps)} in prediction and gradients (PyTorch: ${shares(theirGaps)})`);
  if (!gaps.every((gap) => gap < allowedGap)) {
    throw new Error(`${network}: off by ${shares(gaps)}, PyTorch itself by ${shares(theirGaps)}`);
  }
}

function relativeGap(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let length = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i] - expected[i]) ** 2;
    length += expected[i] ** 2;
  }
  return Math.sqrt(difference / length);
}

async function compare(network: string, what: What, [engine, pytorch]: Sides): Promise<Pair> {
  const work = makeWorkload(folder, { network, what, batch: 1, patch, threads });
  await engine.ask({ ...work, kind: 'setup' });
  const formats = values.quick ? [fasterFormat(network, what)] : ['contiguous', 'channels_last'];
  const { format = '' } = await pytorch.ask({ ...work, kind: 'setup', formats });
  const count = what === 'predict' ? 3 : 1;
  const times: { ratio: number; cpuRatio: number; engine: number; pytorch: number }[] = [];
  let peak = { engine: 0, pytorch: 0 };
  for (let turn = 0; turn < turns; turn++) {
    if (turn > 0 && values.quick && performance.now() > quickSeconds * 1000) break;
    const a = await engine.ask({ kind: what, count });
    const b = await pytorch.ask({ kind: what, count });
    const [ours, theirs] = [median(a.seconds), median(b.seconds)];
    const cpuRatio = median(b.cpuSeconds) / median(a.cpuSeconds);
    times.push({ ratio: theirs / ours, cpuRatio, engine: ours, pytorch: theirs });
    peak = { engine: a.peakBytes, pytorch: b.peakBytes };
  }
  const of = (key: keyof (typeof times)[number], share = 0.5): number =>
    quantile(
      times.map((entry) => entry[key]),
      share,
    );
  const pair: Pair = {
    network,
    what,
    ratio: round(of('ratio')),
    spread: [round(of('ratio', 0.25)), round(of('ratio', 0.75))],
    cpuRatio: round(of('cpuRatio')),
    seconds: { engine: of('engine'), pytorch: of('pytorch') },
    peakBytes: peak,
    format,
    batch: work.batch,
    patch,
  };
  const ms = (seconds: number): string => `${(seconds * 1000).toFixed(0)} ms`;
  say(
    `${network} ${what}: ratio ${pair.ratio} (${pair.spread.join(' to ')}; CPU ${pair.cpuRatio}), ` +
      `${ms(pair.seconds.engine)} against ${ms(pair.seconds.pytorch)} (${format}), ` +
      `peak ${(peak.engine / 1e6).toFixed(0)} against ${(peak.pytorch / 1e6).toFixed(0)} MB`,
  );
  return pair;
}

function median(list: readonly number[]): number {
  return quantile(list, 0.5);
}

function quantile(list: readonly number[], share: number): number {
  const sorted = [...list].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}

function round(value: number): number {
  return Number(value.toFixed(3));
}
