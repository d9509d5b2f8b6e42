// The command `inspect`: a slide, and what its file says of it.
import { z } from 'zod';
import type { CommandContract } from './command.ts';
import { focalPlane, path, pixelSizeUm, roles, timePoint } from './fields.ts';

const options = z.strictObject({
  slide: path.describe('slide: a file, a folder with one file a channel, or a .zarr'),
  roles,
  pixelSizeUm,
  z: focalPlane,
  t: timePoint,
});

const result = z.strictObject({
  path,
  format: z.string(),
  width: z.int().positive(),
  height: z.int().positive(),
  pixelSizeUm: z.number().positive().nullable().describe('null where the file does not say'),
  channels: z.array(
    z.strictObject({
      name: z.string(),
      role: z.string().optional().describe('what prepare and predict would take it for'),
      dtype: z.string(),
    }),
  ),
  levels: z.array(z.strictObject({ width: z.int().positive(), height: z.int().positive() })),
});

export const inspectCommand = {
  name: 'inspect',
  summary: 'say what a slide file holds',
  positional: ['slide'],
  options,
  result,
} as const satisfies CommandContract;

/** With defaults filled in. */
export type InspectOptions = z.output<typeof options>;
export type InspectResult = z.output<typeof result>;
