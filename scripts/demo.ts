// The whole job on simulated slides, by the command line as a user would: `npm run demo`. Takes a few minutes.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';

const main = new URL('../src/cli/main.ts', import.meta.url).pathname;
const out = 'out/demo';

function hrpn(...args: string[]): void {
  console.log(`\n$ hrpn ${args.join(' ')}`);
  const { status } = spawnSync(process.execPath, [main, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

rmSync(out, { recursive: true, force: true });
hrpn('simulate', '--preset', 'tiny', '--slides', '4', '--seed', '1', '--out', `${out}/slides`);
const [first, second, third, fourth] = ['01', '02', '03', '04'].map(
  (n) => `${out}/slides/slide-${n}.ome.tif`,
);
hrpn(
  'prepare',
  first,
  second,
  '--validation',
  third,
  '--test',
  fourth,
  '--patch',
  '256',
  '--out',
  `${out}/dataset`,
);
hrpn(
  'train',
  `${out}/dataset`,
  '--epochs',
  '4',
  '--batch',
  '4',
  '--time-budget',
  '150s',
  '--out',
  `${out}/run`,
);
hrpn('predict', `${out}/run/best.onnx`, fourth, '--out', `${out}/predicted.ome.tif`);
hrpn('evaluate', '--prediction', `${out}/predicted.ome.tif`, '--slide', fourth, '--out', `${out}/evaluation`);
