import type { Pair } from './run.ts';
export async function writeReport(_pairs: readonly Pair[], _threads: number): Promise<void> {}
