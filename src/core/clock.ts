/** What time budgets are counted by. */

/** Seconds since some moment. */
export type Clock = () => number;

export const wallClock: Clock = () => performance.now() / 1000;

/**
 * Processor time of this process, divided by the threads that work: the same as the wall clock on an idle machine, and
 * still a fair measure of a run's share when other work takes cores.
 */
export function processorClock(threads: number): Clock {
  return () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6 / threads;
  };
}
