/**
 * Every error the program raises on purpose. A message says what must be expected, what was found, where, and
 * what to do. `fault` decides the exit code: 'input' is wrong use or bad input (2), 'run' is a failure while
 * running (1).
 */
export abstract class HrpnError extends Error {
  abstract readonly fault: 'input' | 'run';
  override get name(): string {
    return this.constructor.name;
  }
}

/** A wrong option or argument: unknown model, impossible value, missing role. */
export class UsageError extends HrpnError {
  readonly fault = 'input';
}

/** A file or folder that is absent or may not be read or written. */
export class FileAccessError extends HrpnError {
  readonly fault = 'input';
  readonly path: string;
  constructor(path: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.path = path;
  }
}

/** A file that is there but is damaged, contradicts itself, or is of a kind that cannot be read. */
export class FormatError extends HrpnError {
  readonly fault = 'input';
  readonly path: string;
  constructor(path: string, message: string, options?: ErrorOptions) {
    super(`${path}: ${message}`, options);
    this.path = path;
  }
}

/** Data that reads well but cannot be used: no tissue, too small, wrong pixel size, no such channel. */
export class DataError extends HrpnError {
  readonly fault = 'input';
}

/** A model file that does not fit: other roles, other version, not made by this program. */
export class ModelError extends HrpnError {
  readonly fault = 'input';
}

/** The runtime refused a graph or failed while running it. */
export class EngineError extends HrpnError {
  readonly fault = 'run';
}

/** Training went astray: a loss or a validation error that is not a finite number. */
export class DivergenceError extends HrpnError {
  readonly fault = 'run';
}

/** Writing failed: full disk, lost connection, no permission half-way. */
export class WriteError extends HrpnError {
  readonly fault = 'run';
  readonly path: string;
  constructor(path: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.path = path;
  }
}

/** The user or the caller's AbortSignal stopped the work. */
export class CancelledError extends HrpnError {
  readonly fault = 'run';
  constructor(what = 'the work') {
    super(`${what} was cancelled before it was done.`);
  }
}

/** A broken promise inside the program itself. */
class InternalError extends HrpnError {
  readonly fault = 'run';
}

/** Throws when a condition that the program's own logic guarantees does not hold. Not for user input. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition)
    throw new InternalError(`internal error: ${message}. It is a fault of hrpn, not of its input.`);
}

/** @throws CancelledError when the signal has fired. */
export function throwIfCancelled(signal: AbortSignal | undefined, what?: string): void {
  if (signal?.aborted) throw new CancelledError(what);
}
