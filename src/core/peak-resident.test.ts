import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { peakResidentBytes } from './peak-resident.ts';

test('is at least what is resident now', () => {
  expect(peakResidentBytes()).toBeGreaterThanOrEqual(process.memoryUsage.rss() - 2 ** 22);
});

test.skipIf(process.platform !== 'linux')(
  'knows nothing of the memory of the process that started it',
  () => {
    const module = fileURLToPath(new URL('./peak-resident.ts', import.meta.url));
    const held = new Float64Array(50e6).fill(1);
    const script = `import { peakResidentBytes } from ${JSON.stringify(module)}; console.log(peakResidentBytes());`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    expect(held.at(-1)).toBe(1);
    expect(Number(stdout)).toBeGreaterThan(20e6);
    expect(Number(stdout)).toBeLessThan(200e6);
  },
);
