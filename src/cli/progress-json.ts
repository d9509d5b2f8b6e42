// Progress for programs: one JSON object a line on stderr, wanted by HRPN_PROGRESS=json.
import type { Progress } from '../core/progress.ts';
import type { Screen } from './progress-line.ts';

const lineEveryMs = 100;

export class ProgressJson {
  readonly #screen: Screen;
  readonly #now: () => number;
  #stage = '';
  #written = Number.NEGATIVE_INFINITY;

  /** @param now milliseconds */
  constructor(screen: Screen, now: () => number = () => performance.now()) {
    this.#screen = screen;
    this.#now = now;
  }

  /** Writes at most ten lines a second, but always the first and the last of a stage. */
  update(progress: Progress): void {
    const now = this.#now();
    const isEdge = progress.stage !== this.#stage || progress.done >= progress.total;
    if (!isEdge && now - this.#written < lineEveryMs) return;
    this.#stage = progress.stage;
    this.#written = now;
    this.#screen.write(`${JSON.stringify({ progress })}\n`);
  }

  clear(): void {}
}
