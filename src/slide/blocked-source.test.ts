// How often blocks are decoded.
import { expect, it } from 'vitest';
import { BlockedSource, type BlockPlane } from './blocked-source.ts';

it('strips of a wide slide are decoded once for a row of regions, however many there are', async () => {
  const [width, height, blockHeight, region] = [40_000, 1024, 64, 2000];
  let decoded = 0;
  const plane: BlockPlane = {
    width,
    height,
    blockWidth: width,
    blockHeight,
    columnStride: 1,
    rowStride: width,
    blockBytes: 2 * width * blockHeight,
    async decode(_, row) {
      decoded++;
      return new Uint16Array(width * blockHeight).fill(row);
    },
  };
  const source = new BlockedSource({
    path: 'strips.tif',
    format: 'TIFF',
    channels: [{ name: 'DAPI', sampleType: 'uint16' }],
    pixelSizeUm: 0.5,
    levels: [[{ plane, offset: 0 }]],
    async close() {},
  });
  for (let x = 0; x < width; x += region) {
    const { data } = await source.read({ x, y: 0, width: region, height }, [0]);
    expect([data[0], data[data.length - 1]]).toEqual([0, height / blockHeight - 1]);
  }
  expect(decoded).toBe(height / blockHeight);
  await source.close();
});
