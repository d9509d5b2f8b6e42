// One level of a slide as the server reads it, whatever the format.
import type { SlideView } from '../../../src/contract/studio.ts';
import { api } from '../api.ts';
import type { LevelReader } from './tile-source.ts';

/** @param tileSize at most 2048, the largest that the server gives */
export function serverReader(view: SlideView, level: number, tileSize: number): LevelReader {
  const { width, height } = view.levels[level];
  return {
    width,
    height,
    tileSize,
    dtype: 'Float32',
    readTile: async (tileX, tileY, channel) => {
      const [x, y] = [tileX * tileSize, tileY * tileSize];
      const size = { width: Math.min(tileSize, width - x), height: Math.min(tileSize, height - y) };
      const data = await api.tile({ path: view.path, level, x, y, ...size, channel });
      return { data, ...size };
    },
  };
}
