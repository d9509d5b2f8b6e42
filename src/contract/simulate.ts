import { z } from 'zod';
import type { CommandContract } from './command.ts';
import { figure, files, path, seed } from './fields.ts';

const options = z.strictObject({
  out: path.describe('folder for the slides').meta({ value: 'DIR' }),
  slides: z.int().positive().default(1).describe('how many slides').meta({ value: 'N' }),
  size: z.int().min(64).default(1024).describe('edge of a slide in pixels').meta({ value: 'PX' }),
  preset: z
    .string()
    .min(1)
    .default('default')
    .describe('kind of tissue and microscope')
    .meta({ value: 'NAME' }),
  seed,
});

const result = z.strictObject({
  slides: z.array(
    z.strictObject({
      path,
      truthPath: path,
      ceilings: z.record(z.string(), figure).describe('best R2 that any model can reach, by region'),
    }),
  ),
  files,
});

export const simulateCommand = {
  name: 'simulate',
  summary: 'make slides with known truth',
  positional: [],
  options,
  result,
} as const satisfies CommandContract;

/** With defaults filled in. */
export type SimulateOptions = z.output<typeof options>;
export type SimulateResult = z.output<typeof result>;
