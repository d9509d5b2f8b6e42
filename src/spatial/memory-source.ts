// A slide in memory behind the PixelSource interface, for computed images and for tests.
import { assert, throwIfCancelled } from '../core/errors.ts';
import type { ChannelInfo, PixelSource, ReadOptions, SampleType } from '../core/pixel-source.ts';
import { createRaster, type Raster, type Region } from '../core/raster.ts';

export interface MemorySlide {
  readonly raster: Raster;
  readonly channelNames: readonly string[];
  readonly sampleType?: SampleType;
  readonly pixelSizeUm?: number;
  readonly path?: string;
}

/** One level, no file behind it; `raster` is not copied. */
export function memorySource(slide: MemorySlide): PixelSource {
  const { raster } = slide;
  assert(slide.channelNames.length === raster.channels, 'one name a channel');
  const channels: ChannelInfo[] = slide.channelNames.map((name) => ({
    name,
    sampleType: slide.sampleType ?? 'float32',
  }));
  return {
    path: slide.path ?? 'memory',
    format: 'memory',
    width: raster.width,
    height: raster.height,
    channels,
    pixelSizeUm: slide.pixelSizeUm,
    levels: [{ width: raster.width, height: raster.height }],
    async read(region: Region, wanted: readonly number[], options?: ReadOptions): Promise<Raster> {
      throwIfCancelled(options?.signal, 'reading');
      const out = createRaster(wanted.length, region.height, region.width);
      wanted.forEach((channel, c) => {
        for (let y = 0; y < region.height; y++) {
          const from = (channel * raster.height + region.y + y) * raster.width + region.x;
          out.data.set(
            raster.data.subarray(from, from + region.width),
            (c * region.height + y) * region.width,
          );
        }
      });
      return out;
    },
    async close(): Promise<void> {},
  };
}
