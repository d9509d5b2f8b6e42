// The whole job on simulated slides, by the command line as a user would: `npm run demo`. Takes a few minutes.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
/** Trained on other simulated animals; see models/README.md. */
const start = 'models/hrpn-simulated.onnx';
const out = 'out/demo';

function hrpn(...args: string[]): void {
  console.log(`\n$ hrpn ${args.join(' ')}`);
  const { status } = spawnSync(process.execPath, [main, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

rmSync(out, { recursive: true, force: true });
hrpn('simulate', '--preset', 'tiny', '--slides', '8', '--seed', '1', '--out', `${out}/slides`);
const slides = Array.from({ length: 8 }, (_, i) => `${out}/slides/slide-0${i + 1}.ome.tif`);
const [validation, test] = slides.splice(6);
const dataset = `${out}/dataset`;
hrpn('prepare', ...slides, '--validation', validation, '--test', test, '--patch', '256', '--out', dataset);
hrpn('train', dataset, '--from', start, '--learning-rate', '5e-4', '--epochs', '4', '--out', `${out}/run`);
hrpn('predict', `${out}/run/best.onnx`, test, '--out', `${out}/predicted.ome.tif`);
hrpn('evaluate', '--prediction', `${out}/predicted.ome.tif`, '--slide', test, '--out', `${out}/evaluation`);
console.log(`\nPredicted slide: ${out}/predicted.ome.tif
Metrics:         ${out}/evaluation/metrics.json
Picture:         ${out}/evaluation/figures/slide-08.png`);
