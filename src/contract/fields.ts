// Options and figures that several commands share.
import { z } from 'zod';

/** A file or folder. The mark lets the studio find every path among the options of a command, to confine it. */
export const path = z.string().min(1).meta({ kind: 'path' });

export const seed = z
  .int()
  .nonnegative()
  .default(0)
  .describe('seed of everything drawn at random')
  .meta({ value: 'S' });

export const roles = z
  .record(z.string().min(1), z.string().min(1))
  .default({})
  .describe(
    'which channel has a role, where its name does not say so (vessel, nuclei, probe, ...); repeatable',
  )
  .meta({ flag: 'role', value: 'ROLE=CHANNEL', syntax: 'pairs' });

export const pixelSizeUm = z
  .number()
  .min(0.01)
  .max(20)
  .optional()
  .describe('edge of a pixel in micrometres, for files that do not say or say it wrongly')
  .meta({ value: 'UM' });

export const focalPlane = z
  .int()
  .nonnegative()
  .optional()
  .describe('focal plane to read of a stack, counted from 0')
  .meta({ value: 'PLANE' });

export const timePoint = z
  .int()
  .nonnegative()
  .optional()
  .describe('time point to read of a series, counted from 0')
  .meta({ value: 'TIME' });

export const threads = z
  .int()
  .positive()
  .optional()
  .describe('threads for the network; all cores unless given')
  .meta({ value: 'N' });

export const devices = z.enum(['cpu', 'webgpu']);

export const device = devices
  .default('cpu')
  .describe('where the network trains; webgpu fails rather than fall back to the CPU');

export const files = z.array(path).describe('every file and folder written, in the order to look at them');

/** A measured figure; NaN (null in JSON) where it is not defined. */
export const figure = z.union([z.number(), z.nan()]);
