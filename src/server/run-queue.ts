// The runs: waiting, running as processes of their own, ended; and what becomes of them when the server itself ends.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { commandArguments, shellText } from '../contract/command-line.ts';
import type { HistoryRow, RunState, RunView, StudioEvent } from '../contract/studio.ts';
import { FileAccessError, UsageError } from '../core/errors.ts';
import { checkForm, confineDataset } from './command-line.ts';
import { contractOf } from './commands.ts';
import { readHistory } from './history.ts';
import type { OpenedFolder } from './opened-folder.ts';
import { isRunning, type RunOutcome, RunProcess, type RunProcessOptions } from './run-process.ts';
import type { RunStore, StoredRun } from './run-store.ts';

export interface RunQueueOptions {
  readonly folder: OpenedFolder;
  readonly store: RunStore;
  readonly parallel: number;
  readonly onEvent: (event: StudioEvent) => void;
  /** For tests: stands in for the command line. */
  readonly commandFile?: string;
}

interface Active {
  readonly process: RunProcess;
  isCancelled: boolean;
  historyRows: number;
  /** Newer than in the run list, which is written to disk at every change and cannot keep pace with every tile. */
  news: Partial<Pick<StoredRun, 'progress' | 'log'>>;
  /** Its end is in the run list. */
  ended?: Promise<void>;
}

/** Runs waiting at most; a page gone wild must not fill the disk. */
const mostQueued = 100;
const logLines = 400;
const newsEveryMs = 1000;

const resumable: readonly RunState[] = ['failed', 'cancelled', 'interrupted'];

/** Too many runs are waiting. */
export class QueueFullError extends UsageError {}

/** The run is not in a state for what was asked. */
export class ConflictError extends UsageError {}

export class RunQueue {
  readonly #folder: OpenedFolder;
  readonly #store: RunStore;
  readonly #parallel: number;
  readonly #emit: (event: StudioEvent) => void;
  readonly #commandFile: string | undefined;
  readonly #active = new Map<number, Active>();
  readonly #timer: NodeJS.Timeout;
  #isClosing = false;
  /** Why the run list cannot be written at present. */
  #obstacle: string | undefined;

  constructor(options: RunQueueOptions) {
    this.#folder = options.folder;
    this.#store = options.store;
    this.#parallel = options.parallel;
    this.#emit = options.onEvent;
    this.#commandFile = options.commandFile;
    this.#recover();
    this.#timer = setInterval(() => void this.#takeNews(), newsEveryMs);
    this.#timer.unref();
    this.#startWaiting();
  }

  /** @throws UsageError, FileAccessError for a wrong form; QueueFullError; ConflictError */
  async add(command: string, form: Record<string, unknown>, title?: string): Promise<RunView> {
    const contract = contractOf(command);
    const options = await checkForm(contract, form, this.#folder);
    await confineDataset(options.dataset, this.#folder);
    if (this.#store.inState('queued').length >= mostQueued) {
      throw new QueueFullError(
        `${mostQueued} runs are waiting already. Wait for some to end, or cancel some.`,
      );
    }
    this.#refuseSameOutput(options);
    const run = this.#store.add({ command, options, title: title ?? this.#titleOf(command, options) });
    this.#announce(run.id);
    this.#startWaiting();
    return this.get(run.id);
  }

  list(): RunView[] {
    return this.#store.all().map((run) => this.#view(this.#withNews(run)));
  }

  get(id: number): RunView {
    return this.#view(this.#stored(id));
  }

  log(id: number): string {
    return this.#stored(id).log;
  }

  async history(id: number): Promise<HistoryRow[]> {
    return readHistory(outputOf(this.#stored(id)));
  }

  cancel(id: number): RunView {
    const run = this.#stored(id);
    const active = this.#active.get(id);
    if (active !== undefined) {
      active.isCancelled = true;
      active.process.stop();
    } else if (run.state === 'queued') {
      this.#store.update(id, { state: 'cancelled', endedAt: Date.now() });
    } else {
      throw new ConflictError(`run ${id} has ended already; there is nothing to cancel.`);
    }
    return this.#announce(id);
  }

  /** Starts the same command again: from its checkpoint where it has one, else anew. */
  resume(id: number): RunView {
    const run = this.#stored(id);
    if (!resumable.includes(run.state)) {
      throw new ConflictError(`run ${id} is ${run.state}; only a run that did not end well can be resumed.`);
    }
    if (run.pid !== null && isRunning(run.pid)) {
      throw new ConflictError(`run ${id} is still writing its last checkpoint. Try again in a moment.`);
    }
    this.#refuseSameOutput(run.options);
    const options = { ...run.options, ...(canGoOn(run) ? { resume: true } : {}) };
    this.#store.update(id, {
      state: 'queued',
      options,
      startedAt: null,
      endedAt: null,
      pid: null,
      error: null,
      progress: null,
    });
    this.#announce(id);
    this.#startWaiting();
    return this.get(id);
  }

  /** Takes a run off the list; its files stay. */
  remove(id: number): void {
    const run = this.#stored(id);
    if (run.state === 'running' || run.state === 'queued') {
      throw new ConflictError(`run ${id} is ${run.state}. Cancel it first.`);
    }
    this.#store.remove(id);
    this.#emit({ type: 'removed', id });
  }

  /** Stops what runs; it stays resumable. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#timer);
    const running = [...this.#active.values()];
    for (const { process } of running) process.stop();
    await Promise.all(running.map(({ ended }) => ended));
  }

  /** After a server that was killed: its runs stopped when their stdin ended. What waited still waits. */
  #recover(): void {
    for (const run of this.#store.inState('running')) {
      this.#store.update(run.id, {
        state: 'interrupted',
        endedAt: Date.now(),
        error: 'The studio ended while this was running. Resume it to go on.',
      });
    }
  }

  #startWaiting(): void {
    if (this.#isClosing) return;
    for (const run of this.#store.inState('queued')) {
      if (this.#active.size >= this.#parallel) return;
      // One may run whose start could not be written.
      if (!this.#active.has(run.id)) this.#start(run);
    }
  }

  #start(run: StoredRun): void {
    let log: string[] = [];
    const start = (options: RunProcessOptions): RunProcess | undefined => {
      try {
        return new RunProcess(options);
      } catch (cause) {
        // Arguments that the system does not take; such a run must not keep the others waiting.
        const error = `The command could not be started: ${(cause as Error).message}.`;
        this.#write(run.id, { state: 'failed', endedAt: Date.now(), error });
        this.#announce(run.id);
        return undefined;
      }
    };
    const process = start({
      args: commandArguments(contractOf(run.command), run.options),
      cwd: this.#folder.root,
      commandFile: this.#commandFile,
      onProgress: (progress) => {
        active.news = { ...active.news, progress };
        this.#announce(run.id);
      },
      onLine: (line) => {
        log = [...log, line].slice(-logLines);
        active.news = { ...active.news, log: log.join('\n') };
      },
    });
    if (process === undefined) return;
    const active: Active = { process, isCancelled: false, historyRows: 0, news: {} };
    active.ended = process.ended.then((outcome) => this.#end(run.id, outcome));
    this.#active.set(run.id, active);
    this.#write(run.id, {
      state: 'running',
      startedAt: Date.now(),
      pid: process.pid ?? null,
      log: '',
    });
    this.#announce(run.id);
  }

  async #end(id: number, outcome: RunOutcome): Promise<void> {
    // The last of the curve first: once its state says so, the run may be taken off the list.
    if (!this.#isClosing) await this.#sendHistory(id);
    const { isCancelled = false, news = {} } = this.#active.get(id) ?? {};
    const isDone = outcome.exitCode === 0 && outcome.result !== undefined;
    const state = isDone ? 'done' : isCancelled ? 'cancelled' : this.#isClosing ? 'interrupted' : 'failed';
    const end: Partial<StoredRun> = {
      ...news,
      state,
      endedAt: Date.now(),
      pid: null,
      result: isDone ? outcome.result : null,
      error: state === 'failed' ? reasonOf(outcome) : null,
    };
    // How a run ended must not be lost to a full disk; a studio that closes leaves it to the next one to find out.
    while (!this.#write(id, end) && !this.#isClosing) await setTimeout(newsEveryMs);
    this.#active.delete(id);
    this.#announce(id);
    this.#startWaiting();
  }

  async #takeNews(): Promise<void> {
    for (const [id, active] of this.#active) {
      if (Object.keys(active.news).length > 0 && this.#write(id, active.news)) active.news = {};
      await this.#sendHistory(id);
    }
  }

  /** @returns false where the list cannot be written, of which the pages of the runs then tell: a full disk ends no run */
  #write(id: number, change: Partial<StoredRun>): boolean {
    const before = this.#obstacle;
    try {
      this.#store.update(id, change);
      this.#obstacle = undefined;
    } catch (cause) {
      this.#obstacle = (cause as Error).message;
    }
    if (this.#obstacle !== before) for (const active of this.#active.keys()) this.#announce(active);
    return this.#obstacle === undefined;
  }

  #withNews(run: StoredRun): StoredRun {
    const active = this.#active.get(run.id);
    if (active === undefined) return run;
    const error =
      this.#obstacle &&
      `The list of runs cannot be written (${this.#obstacle}); this is tried again every second.`;
    return { ...run, ...active.news, ...(error && { error }) };
  }

  async #sendHistory(id: number): Promise<void> {
    const active = this.#active.get(id);
    const run = this.#store.get(id);
    if (active === undefined || run?.command !== 'train') return;
    const rows = await readHistory(outputOf(run));
    // A run that starts anew has fewer rows than before.
    const from = rows.length < active.historyRows ? 0 : active.historyRows;
    if (rows.length === from) return;
    active.historyRows = rows.length;
    this.#emit({ type: 'history', id, from, rows: rows.slice(from) });
  }

  #refuseSameOutput(options: Readonly<Record<string, unknown>>): void {
    const other = [...this.#store.inState('running'), ...this.#store.inState('queued')].find(
      (run) => options.out !== undefined && run.options.out === options.out,
    );
    if (other === undefined) return;
    const name = this.#folder.relative(String(options.out));
    throw new ConflictError(`run ${other.id} is writing ${name}. Choose another name, or wait for it.`);
  }

  #stored(id: number): StoredRun {
    const run = this.#store.get(id);
    if (run === undefined) throw new FileAccessError(String(id), `there is no run ${id}.`);
    return this.#withNews(run);
  }

  #announce(id: number): RunView {
    const run = this.get(id);
    this.#emit({ type: 'run', run });
    return run;
  }

  #view({ pid: _, log: __, ...run }: StoredRun): RunView {
    const relative = this.#folder.relativeIn(run.options) as Record<string, unknown>;
    return {
      ...run,
      options: relative,
      commandLine: shellText(commandArguments(contractOf(run.command), relative)),
      error: run.error?.replaceAll(`${this.#folder.root}/`, '') ?? null,
      result: this.#folder.relativeIn(run.result),
    };
  }

  #titleOf(command: string, options: Readonly<Record<string, unknown>>): string {
    return typeof options.out === 'string' ? `${command} → ${this.#folder.relative(options.out)}` : command;
  }
}

/** Whether the command can go on where it stopped; a training run can from its first file on, and never with another's. */
function canGoOn(run: StoredRun): boolean {
  if (!('resume' in contractOf(run.command).options.shape)) return false;
  if (run.command !== 'train' || run.options.resume === true) return true;
  const settings = statSync(join(outputOf(run) ?? '', 'run.json'), { throwIfNoEntry: false });
  return settings !== undefined && run.startedAt !== null && settings.mtimeMs >= run.startedAt;
}

function outputOf(run: StoredRun): string | undefined {
  return typeof run.options.out === 'string' ? run.options.out : undefined;
}

function reasonOf({ lastLine, exitCode, signal }: RunOutcome): string {
  const said = lastLine.replace(/^hrpn: /, '');
  if (exitCode !== null && said !== '') return said;
  if (signal !== null)
    return `The process was ended by ${signal}, perhaps for lack of memory. Resume it to go on.`;
  return said === '' ? `The command ended with exit code ${exitCode}.` : said;
}
