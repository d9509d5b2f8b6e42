// The process that opens slides and computes on them, so that the server stays quick and outlives a damaged file.
import { HrpnError } from '../core/errors.ts';
import { measureRegion } from '../experiment/measure-region.ts';
import { readTile, viewSlide } from '../experiment/view-slide.ts';
import type { PixelAnswer, PixelJob, PixelReply, PixelRequest } from './pixel-protocol.ts';

process.on('message', (request: PixelRequest) => void reply(request));
process.on('disconnect', () => process.exit(0));

async function reply({ id, job }: PixelRequest): Promise<void> {
  try {
    send({ id, answer: await answer(job) });
  } catch (error) {
    const isOurs = error instanceof HrpnError;
    const message = isOurs ? error.message : `an unexpected error: ${(error as Error)?.message ?? error}.`;
    send({ id, error: message, fault: isOurs ? error.fault : 'run' });
  }
}

function send(message: PixelReply): void {
  process.send?.(message);
}

function answer(job: PixelJob): Promise<PixelAnswer> {
  if (job.kind === 'view') return viewSlide(job.slide);
  if (job.kind === 'tile') return readTile(job.tile);
  return measureRegion(job.region);
}
