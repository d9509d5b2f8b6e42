// Runs one command: options through the contract, the use case, then its result or one sentence of what went wrong.
import type { Command } from 'commander';
import { type CommandContract, parseOptions } from '../contract/command.ts';
import { CancelledError, HrpnError } from '../core/errors.ts';
import type { WorkOptions } from '../core/progress.ts';
import { collectOptions } from './options.ts';
import { ProgressJson } from './progress-json.ts';
import { ProgressLine } from './progress-line.ts';

/** A use case of src/experiment behind a command, loaded only when it is run. */
export interface CommandEntry {
  readonly contract: CommandContract;
  readonly load: () => Promise<(options: never, work: WorkOptions) => Promise<unknown>>;
  /** The result for people, a few lines. */
  readonly summarise: (result: never) => string;
}

type StopSignal = 'SIGINT' | 'SIGTERM';

/** Exit codes: done; failed while running; wrong use or bad input; stopped by Ctrl-C or by a TERM signal. */
const exitCodes = { done: 0, failed: 1, input: 2, SIGINT: 130, SIGTERM: 143 } as const;

/** @returns the exit code; stdout and stderr are written */
export async function runCommand(
  entry: CommandEntry,
  positional: readonly unknown[],
  command: Command,
): Promise<number> {
  const progress =
    process.env.HRPN_PROGRESS === 'json'
      ? new ProgressJson(process.stderr)
      : new ProgressLine(process.stderr);
  const say = (text: string): void => {
    progress.clear();
    process.stderr.write(`${text}\n`);
  };
  const controller = new AbortController();
  const isWatched = process.env.HRPN_PARENT === 'stdin';
  let stoppedBy: StopSignal | undefined;
  const stop = (signal: StopSignal): void => {
    if (stoppedBy !== undefined) {
      // Ctrl-C in the studio's terminal comes here too, before the studio's own request; it forces when it must.
      if (!isWatched) endAtOnce(signal);
      return;
    }
    stoppedBy = signal;
    if (process.stderr.isTTY) say('Stopping; press Ctrl-C again to stop at once.');
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  if (isWatched) stopWithParent(stop);
  // What was read of the output was enough for whoever read it, and a checkpoint must still be written.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreClosed);
  try {
    const options = parseOptions(entry.contract, collectOptions(entry.contract, positional, command));
    const work = await entry.load();
    const result = await work(options as never, {
      signal: controller.signal,
      onProgress: (report) => progress.update(report),
    });
    progress.clear();
    const text = command.opts().json ? JSON.stringify(result) : entry.summarise(result as never);
    await new Promise((resolve) => process.stdout.write(`${text}\n`, resolve));
    return exitCodes.done;
  } catch (error) {
    if (stoppedBy !== undefined && !(error instanceof CancelledError)) {
      say(
        `hrpn: ${entry.contract.name} was stopped before it was done, and failed at that: ${messageOf(error)}`,
      );
      return exitCodes[stoppedBy];
    }
    if (stoppedBy !== undefined) {
      const hint = 'resume' in entry.contract.options.shape ? ' Add --resume to go on.' : '';
      say(`hrpn: ${entry.contract.name} was stopped before it was done.${hint}`);
      return exitCodes[stoppedBy];
    }
    say(`hrpn: ${messageOf(error)}`);
    if (process.env.HRPN_DEBUG === '1') say(String((error as Error)?.stack ?? error));
    return error instanceof HrpnError && error.fault === 'input' ? exitCodes.input : exitCodes.failed;
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
    for (const stream of [process.stdout, process.stderr]) stream.off('error', ignoreClosed);
  }
}

/**
 * Ends as if the signal had never been caught, which for a shell is exit code 130 or 143. An exit of its own would tear
 * down the runtime's thread in the middle of a run, and that aborts.
 */
function endAtOnce(signal: StopSignal): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // Only the first process of a container outlives that.
  process.exit(exitCodes[signal]);
}

/** Under a program that holds our stdin open: when it goes, by whatever death, the work stops as if by TERM. */
function stopWithParent(stop: (signal: 'SIGTERM') => void): void {
  process.stdin.once('end', () => stop('SIGTERM')).resume();
}

function ignoreClosed(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

function messageOf(error: unknown): string {
  const text = String((error as Error)?.message ?? error).replace(/\s*\n\s*/g, ' ');
  if (error instanceof HrpnError) return text;
  return `an unexpected error: ${text}. It is a fault of hrpn, not of its input; run again with HRPN_DEBUG=1 to see where.`;
}
