import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyze } from '../../src/experiment/analyze.ts';
import { simulate } from '../../src/experiment/simulate.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hrpn-controls-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function analyzed(preset: 'tiny' | 'no-probe' | 'vessel-blind') {
  const out = join(folder, preset);
  const { slides } = await simulate({ preset, slides: 1, size: 1024, seed: 3, truth: 'expected', out });
  const { extravasation } = await analyze({ slide: slides[0].path, out: join(out, 'analysis') });
  return extravasation;
}

describe('what analyze says of simulated slides', () => {
  it('extravasation, where a probe leaves the vessels', async () => {
    const found = await analyzed('tiny');
    expect(found.verdict).toBe('extravasation');
    expect(found.interval.closerUm.low).toBeGreaterThan(0);
    expect(found.backgroundBasis).toMatch(/^1st percentile of the tissue away from glass/);
  }, 120_000);

  for (const preset of ['no-probe', 'vessel-blind'] as const)
    it(`no extravasation signal, and the distance of an even spread, on ${preset}`, async () => {
      const found = await analyzed(preset);
      expect(found.verdict).toBe('no extravasation signal');
      // Of 15 um: the tissue's dark rim, far from vessels, once made it 2 nearer. On 512 px chance alone makes it 1.
      expect(Math.abs(found.meanUm - found.uniformMeanUm)).toBeLessThan(0.6);
      expect(found.interval.closerUm.low).toBeLessThan(0);
    }, 120_000);
});
