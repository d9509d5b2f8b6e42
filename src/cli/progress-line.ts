// Shows progress on stderr: a live line on a terminal, a line every few seconds elsewhere.
import type { Progress } from '../core/progress.ts';

/** Between two lines where there is no terminal, and between two repaints where there is, in milliseconds. */
const lineEveryMs = 5000;
const repaintEveryMs = 100;
const barWidth = 24;

export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export class ProgressLine {
  readonly #screen: Screen;
  readonly #now: () => number;
  #stage = '';
  #started = 0;
  #shown = Number.NEGATIVE_INFINITY;
  #firstDone = 0;
  #lastDone = 0;
  #isOpen = false;

  /** @param now milliseconds, for the rate */
  constructor(screen: Screen, now: () => number = () => performance.now()) {
    this.#screen = screen;
    this.#now = now;
  }

  update(progress: Progress): void {
    const now = this.#now();
    if (progress.stage !== this.#stage) {
      this.clear();
      this.#stage = progress.stage;
      this.#shown = Number.NEGATIVE_INFINITY;
      this.#lastDone = Number.POSITIVE_INFINITY;
    }
    // The same work may begin again, as training does from one fold to the next.
    if (progress.done < this.#lastDone) {
      this.#started = now;
      this.#firstDone = progress.done;
    }
    this.#lastDone = progress.done;
    const isLast = progress.done >= progress.total;
    if (now - this.#shown < (this.#screen.isTTY ? repaintEveryMs : lineEveryMs) && !(isLast && this.#isOpen))
      return;
    // Elsewhere than on a terminal, work that is done at its first report leaves no line.
    this.#shown = now;
    const text = this.#text(progress, (now - this.#started) / 1000);
    if (this.#screen.isTTY) {
      this.#screen.write(`\r\x1b[2K${text.slice(0, (this.#screen.columns ?? 80) - 1)}`);
      this.#isOpen = true;
    } else {
      this.#screen.write(`${text}\n`);
    }
  }

  /** Removes the live line, so that other text can follow. */
  clear(): void {
    if (this.#isOpen) this.#screen.write('\r\x1b[2K');
    this.#isOpen = false;
  }

  #text({ stage, done, total, note }: Progress, seconds: number): string {
    const share = total > 0 ? Math.min(1, done / total) : 0;
    const bar = this.#screen.isTTY
      ? ` ${'█'.repeat(Math.round(share * barWidth)).padEnd(barWidth, '░')}`
      : '';
    const rate = seconds > 0 ? (done - this.#firstDone) / seconds : 0;
    const timeLeft = rate > 0 && done < total ? `, ${formatSeconds((total - done) / rate)} left` : '';
    const speed = rate > 0 ? `, ${formatCount(rate)}/s` : '';
    const percent = `${Math.floor(share * 100)}%`;
    return `${stage}${bar} ${percent} (${formatCount(done)} of ${formatCount(total)}${speed})${timeLeft}${note ? `  ${note}` : ''}`;
  }
}

/** 950, 12.3k, 4.56M: three figures. */
function formatCount(value: number): string {
  const [scaled, unit] =
    value >= 1e9
      ? [value / 1e9, 'G']
      : value >= 1e6
        ? [value / 1e6, 'M']
        : value >= 1e4
          ? [value / 1e3, 'k']
          : [value, ''];
  return unit === '' && Number.isInteger(scaled) ? `${scaled}` : `${Number(scaled.toPrecision(3))}${unit}`;
}

/** 8 s, 3 min 20 s, 2 h 5 min. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
