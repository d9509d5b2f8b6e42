// How much memory the process takes while something runs.

export interface MemoryWatch {
  /** Largest resident set since the start. */
  peakBytes(): number;
  stop(): void;
}

const everyMs = 50;

/**
 * Looks at the resident memory twenty times a second: networks run in a worker, so the main thread has time for it. What
 * earlier runs of the process left behind counts too.
 */
export function watchMemory(): MemoryWatch {
  let peak = 0;
  const look = (): number => {
    peak = Math.max(peak, process.memoryUsage.rss());
    return peak;
  };
  const timer = setInterval(look, everyMs);
  return { peakBytes: look, stop: () => clearInterval(timer) };
}
