// Run as a program of its own: opens and reads the files named on its standard input, one a line, and prints one line
// of JSON for each. A crash, a hang or hunger for memory then shows in the process, not in the test.
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { HrpnError } from '../../src/core/errors.ts';
import { openSlide } from '../../src/slide/open-slide.ts';

/** What became of a file. */
export interface Outcome {
  readonly path: string;
  /** The error's name, or 'read'. */
  readonly result: string;
  /** True for an error that the program raises on purpose about its input. */
  readonly isClear: boolean;
  readonly message: string;
  /** Of the pixels that were read. */
  readonly hash: string;
  /** Processor time, which does not depend on what else runs. */
  readonly seconds: number;
  /** Largest so far, of the whole process. */
  readonly peakBytes: number;
}

const edge = 700;

async function readFile(path: string): Promise<Omit<Outcome, 'path' | 'seconds' | 'peakBytes'>> {
  const hash = createHash('sha1');
  try {
    const source = await openSlide(path, { plane: path.includes('plane') ? { z: 0, t: 0 } : undefined });
    try {
      const channels = source.channels.slice(0, 4).map((_, c) => c);
      for (const [level, { width, height }] of source.levels.entries()) {
        // The upper left corner, and the lower right one where that is another.
        const corners = [[0, 0]];
        if (width > edge || height > edge) {
          corners.push([Math.max(0, width - edge), Math.max(0, height - edge)]);
        }
        for (const [x, y] of corners) {
          const region = { x, y, width: Math.min(edge, width), height: Math.min(edge, height) };
          const { data } = await source.read(region, channels, { level });
          hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
        }
      }
    } finally {
      await source.close();
    }
    return { result: 'read', isClear: true, message: '', hash: hash.digest('hex') };
  } catch (error) {
    const isClear = error instanceof HrpnError && error.fault === 'input';
    return { result: (error as Error).name, isClear, message: String((error as Error).message), hash: '' };
  }
}

for await (const path of createInterface({ input: process.stdin })) {
  const start = process.cpuUsage();
  const outcome = await readFile(path);
  const { user, system } = process.cpuUsage(start);
  const line: Outcome = {
    path,
    ...outcome,
    seconds: (user + system) / 1e6,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
