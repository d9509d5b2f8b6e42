/** One report of how far a long piece of work is. The library never prints; it calls `onProgress`. */
export interface Progress {
  /** What is being done, e.g. 'training'. */
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  /** Short extra text for people, e.g. 'loss 0.0123, 1.4 patches/s'. */
  readonly note?: string;
}

/** What every long function of the library accepts. */
export interface WorkOptions {
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}
