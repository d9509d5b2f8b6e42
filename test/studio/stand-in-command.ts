// Stands in for the command line in tests of the queue: obeys the same signals, takes as long as `--epochs` says.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const args = process.argv.slice(2);
const option = (name: string): string | undefined =>
  args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
const out = option('out') ?? '';
const total = Number(option('epochs') ?? 1);
const stop = (): never => process.exit(143);
process.on('SIGTERM', stop);
process.stdin.once('end', stop).resume();

if (args[0] === 'simulate') {
  process.stderr.write('hrpn: --out: the disk said no.\n');
  process.exit(1);
}
mkdirSync(out, { recursive: true });
const history = join(out, 'history.jsonl');
const isResumed = args.includes('--resume');
let rows = isResumed ? readFileSync(history, 'utf8').trimEnd().split('\n') : [];
writeFileSync(join(out, 'run.json'), '{}');
writeFileSync(join(out, 'pid'), String(process.pid));
const timer = setInterval(() => {
  rows = [
    ...rows,
    JSON.stringify({ epoch: rows.length + 1, trainLoss: 1 / (rows.length + 1), validation: null }),
  ];
  writeFileSync(history, `${rows.join('\n')}\n`);
  const progress = { stage: 'training', done: rows.length, total };
  process.stderr.write(`${JSON.stringify({ progress })}\n`);
  if (rows.length < total) return;
  clearInterval(timer);
  process.stdout.write(JSON.stringify({ run: out, epochs: rows.length, isResumed }));
  process.exit(0);
}, 20);
