import { describe, expect, it } from 'vitest';
import { formatSeconds, ProgressLine } from './progress-line.ts';

function screen(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, columns: 200, written, write: (text: string) => written.push(text) };
}

describe('ProgressLine', () => {
  it('writes a line every five seconds where there is no terminal, with rate and time left', () => {
    let now = 0;
    const out = screen(false);
    const line = new ProgressLine(out, () => now);
    for (; now <= 12_000; now += 1000) line.update({ stage: 'training', done: now / 100, total: 1200 });
    expect(out.written).toEqual([
      'training 0% (0 of 1200)\n',
      'training 4% (50 of 1200, 10/s), 1 min 55 s left\n',
      'training 8% (100 of 1200, 10/s), 1 min 50 s left\n',
    ]);
  });

  it('counts rate and time left anew where the same work begins again', () => {
    let now = 0;
    const out = screen(false);
    const line = new ProgressLine(out, () => now);
    for (const done of [0, 600, 0, 50, 100]) {
      line.update({ stage: 'training', done, total: 1200 });
      now += 5000;
    }
    expect(out.written.slice(2)).toEqual([
      'training 0% (0 of 1200)\n',
      'training 4% (50 of 1200, 10/s), 1 min 55 s left\n',
      'training 8% (100 of 1200, 10/s), 1 min 50 s left\n',
    ]);
  });

  it('repaints one line on a terminal and removes it', () => {
    let now = 0;
    const out = screen(true);
    const line = new ProgressLine(out, () => now);
    line.update({ stage: 'reading', done: 0, total: 4e6 });
    now = 2000;
    line.update({ stage: 'reading', done: 2e6, total: 4e6, note: 'field-03' });
    line.clear();
    expect(out.written[1]).toBe(
      `\r\x1b[2Kreading ${'█'.repeat(12)}${'░'.repeat(12)} 50% (2M of 4M, 1M/s), 2 s left  field-03`,
    );
    expect(out.written[2]).toBe('\r\x1b[2K');
  });
});

it('formatSeconds', () => {
  expect([8, 200, 7500].map(formatSeconds)).toEqual(['8 s', '3 min 20 s', '2 h 5 min']);
});
