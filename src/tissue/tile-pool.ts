// Tiles of slides made by several threads; what comes out does not depend on how many.
import { Worker } from 'node:worker_threads';
import { assert } from '../core/errors.ts';
import type { SlideModel } from './slide-model.ts';
import type { Tile } from './tile.ts';

export interface TileRequest {
  readonly modelId: number;
  readonly model: SlideModel;
  readonly tileX: number;
  readonly tileY: number;
}

export interface TileReply {
  readonly tile?: Tile;
  readonly failure?: string;
}

export interface TilePlace {
  readonly tileX: number;
  readonly tileY: number;
}

export class TilePool {
  readonly #workers: Worker[];
  #models = 0;

  constructor(threads: number) {
    const file = import.meta.url.endsWith('.ts') ? './tile-worker.ts' : './tile-worker.js';
    this.#workers = Array.from({ length: threads }, () => new Worker(new URL(file, import.meta.url)));
  }

  /**
   * Makes tiles of one slide and hands each to `use`, in any order; a thread works on its next tile while its last
   * one is being used. Throws what `use` throws; stops when `isStopped` says so.
   */
  async make(
    model: SlideModel,
    places: readonly TilePlace[],
    use: (tile: Tile, place: TilePlace) => Promise<void>,
    isStopped: () => boolean = () => false,
  ): Promise<void> {
    const modelId = ++this.#models;
    let next = 0;
    let hasFailed = false;
    const work = async (worker: Worker): Promise<void> => {
      let using: Promise<void> = Promise.resolve();
      try {
        while (next < places.length && !hasFailed && !isStopped()) {
          const place = places[next++];
          const tile = await ask(worker, { modelId, model, ...place });
          await using;
          using = use(tile, place);
          // Not awaited until the next tile is there; its failure is not lost.
          using.catch(() => {
            hasFailed = true;
          });
        }
        await using;
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    };
    const ends = await Promise.allSettled(this.#workers.map(work));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

function ask(worker: Worker, request: TileRequest): Promise<Tile> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      worker.off('message', answered);
      worker.off('error', reject);
      worker.off('exit', exited);
    };
    const answered = ({ tile, failure }: TileReply): void => {
      done();
      try {
        assert(tile !== undefined, `a tile could not be made: ${failure}`);
        resolve(tile);
      } catch (error) {
        reject(error);
      }
    };
    const exited = (): void => answered({ failure: 'its thread ended' });
    worker.once('message', answered);
    worker.once('error', reject);
    worker.once('exit', exited);
    worker.postMessage(request);
  });
}
