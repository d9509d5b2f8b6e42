// A thread that makes tiles, one after another.
import { parentPort } from 'node:worker_threads';
import { TileMaker } from './tile.ts';
import type { TileReply, TileRequest } from './tile-pool.ts';

const port = parentPort!;
let current: { modelId: number; maker: TileMaker } | undefined;

port.on('message', ({ modelId, model, tileX, tileY }: TileRequest) => {
  let reply: TileReply;
  try {
    if (current?.modelId !== modelId) current = { modelId, maker: new TileMaker(model) };
    reply = { tile: current.maker.make(tileX, tileY) };
  } catch (error) {
    reply = { failure: String((error as Error)?.stack ?? error) };
  }
  const { tile } = reply;
  const transfer = tile
    ? [tile.image, tile.expected, tile.vessels, tile.nuclei].map(({ buffer }) => buffer)
    : [];
  port.postMessage(reply, transfer as ArrayBuffer[]);
});
