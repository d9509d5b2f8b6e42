/**
 * The model file: plain ONNX that any runtime opens. Inputs `pixels` [batch, roles, height, width] in stored
 * units, `offset` and `scale` [roles] of the slide's input maps, and, with the training data's values unless
 * fed, `target_offset` and `target_scale` [1]; output `probe` [batch, 1, height, width] in the units of the
 * training slides' target channel, and, where quantile heads were trained, `spread` [batch, 2, height, width]: how far
 * measured values may lie below and above it. A manifest in the file's metadata says what it is.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { FileAccessError, ModelError } from '../core/errors.ts';
import { atLeast } from '../engine/at-least.ts';
import { Graph, type Value } from '../engine/graph.ts';
import { openModel, parametersOf } from '../engine/onnx/decode.ts';
import { encodeModel, replaceMetadata } from '../engine/onnx/encode.ts';
import { add } from '../engine/ops/add.ts';
import { div } from '../engine/ops/div.ts';
import { mul } from '../engine/ops/mul.ts';
import { reshape } from '../engine/ops/reshape.ts';
import { sub } from '../engine/ops/sub.ts';
import { peakActivationBytes } from '../engine/peak-memory.ts';
import { receptiveRadius } from '../engine/receptive-field.ts';
import { derivedInputs } from './derived-input.ts';
import { intervalSchema } from './interval.ts';
import { PredictionBuilder } from './network.ts';
import type { NetworkModel } from './registry.ts';
import { spreadOf, spreadTensors } from './spread.ts';
import { meanOverTurns, turnCounts } from './turns.ts';

const manifestKey = 'hrpn.manifest';
/** SHA-256 of the graph's bytes and the manifest, hexadecimal. */
const checksumKey = 'hrpn.sha256';

const affineMap = z.strictObject({ offset: z.number(), scale: z.number().positive() });

const bounds = z.strictObject({ low: z.number(), high: z.number() });

/**
 * Half-widths of the intervals of what is derived from a predicted slide, by name (with its unit where it has one) and
 * level; from the calibration slides.
 */
export const derivedIntervalsSchema = z.record(
  z.string(),
  z.array(
    z.strictObject({
      level: z.number().gt(0).lt(1),
      radius: z.number().nonnegative(),
      slides: z.int().positive(),
      basis: z.enum(['slides', 'within-cohort']),
    }),
  ),
);

const formatVersion = 4;

const manifestSchema = z.strictObject({
  formatVersion: z.literal(formatVersion),
  model: z.string(),
  /** Version of the program that wrote the file. */
  writtenBy: z.string(),
  /** Input roles in the order of the channels of `pixels`. */
  roles: z.array(z.string()).min(1),
  targetRole: z.string(),
  pixelSizeUm: z.number().positive(),
  /**
   * Reaches and spectra, one a role: fitted on every slide's own tissue (`fitInputs`), which is brought to the focus of the
   * spectra (`FocusSpectrum`; null where it is left as it is); else the maps to use on any slide, one a role
   * (identity, or those of the one slide whose fields the model was trained on).
   */
  inputMaps: z.union([
    z.strictObject({
      reaches: z.array(z.number().positive()),
      spectra: z.array(z.array(z.number()).nullable()),
    }),
    z.array(affineMap),
  ]),
  targetMap: affineMap,
  /** Mean and standard deviation of the training slides' target; `targetMap` unless given. */
  targetStatistics: affineMap.optional(),
  /** Smallest value that the target's samples can hold, where they are integers: nothing less is predicted. */
  targetMin: z.number().optional(),
  /** Set where `pixels` is an image computed from the vessels of the whole slide (deriveInput) and not the stain. */
  derived: z.enum(derivedInputs).optional(),
  /**
   * Least and greatest over the training slides, by role: where the median of the tissue lies between its 1st and
   * 99th percentile, and how fine its structure is.
   */
  trainedOn: z
    .record(z.string(), z.strictObject({ median: bounds, sharpness: bounds.nullable() }))
    .optional(),
  /** Set where the model has the output `spread`. */
  spread: z.literal(true).optional(),
  /** Set where the dataset had calibration slides. */
  intervals: z.array(intervalSchema).optional(),
  derivedIntervals: derivedIntervalsSchema.optional(),
  /** Tissue of the smallest calibration slide: what is derived of a smaller one varies more than on any of them. */
  calibrationTissueMm2: z.number().positive().optional(),
  /** Over how many turns and mirrorings of the image the prediction is the mean; the image as it is unless given. */
  turns: z.literal(turnCounts).optional(),
  /** What a fit found, by name with its unit, e.g. lengthUm. */
  fitted: z.record(z.string(), z.number()).optional(),
  /** Tile origins are multiples of it. */
  stride: z.int().positive(),
  /** Pixels needed around a tile. */
  halo: z.int().nonnegative(),
  /** Bytes of activations alive at once for each pixel of a window. */
  activationBytesPerPixel: z.number().positive(),
  /** Edge of the tiles that the model must run on, where it depends on it. */
  fixedTile: z.int().positive().optional(),
  training: z.strictObject({
    /** Fingerprint of the dataset. */
    dataset: z.string(),
    splitBy: z.string(),
    slides: z.int(),
    seed: z.number(),
    steps: z.int(),
    epoch: z.int(),
  }),
});

export type ModelManifest = z.infer<typeof manifestSchema>;
export type AffineMap = z.infer<typeof affineMap>;

/** What a model knows of itself before it is written: the rest of the manifest follows from the network. */
export type ManifestFacts = Omit<
  ModelManifest,
  'formatVersion' | 'model' | 'spread' | 'stride' | 'halo' | 'activationBytesPerPixel' | 'fixedTile'
>;

/** @param tensors values of all parameters and statistics by name; with those of quantile heads, the model has them */
export function encodeModelFile(
  model: NetworkModel,
  tensors: ReadonlyMap<string, Float32Array>,
  facts: ManifestFacts,
): Uint8Array {
  const roles = facts.roles.length;
  const graph = new Graph();
  // Large enough for spans of the receptive field to keep clear of the borders; the file does not keep it.
  const extent = model.fixedTile ?? 1024;
  const pixels = graph.input('pixels', [1, roles, extent, extent]);
  const perRole = (name: string): Value => reshape(graph, graph.input(name, [roles]), [1, roles, 1, 1]);
  const input = div(graph, sub(graph, pixels, perRole('offset')), perRole('scale'));
  const builder = new PredictionBuilder(graph, tensors);
  const output = meanOverTurns(model.network, facts.turns ?? 1)(builder, input);
  const inUnits = mul(graph, output, graph.input('target_scale', [1]));
  const unbounded = add(graph, inUnits, graph.input('target_offset', [1]));
  const probe = facts.targetMin === undefined ? unbounded : atLeast(graph, unbounded, facts.targetMin);
  graph.output('probe', probe);
  if (tensors.has(spreadTensors.unit)) graph.output('spread', spreadOf(builder, input, probe));
  const radius =
    model.fixedTile === undefined
      ? Math.max(
          ...[...graph.outputs.values()].map((value) => receptiveRadius(graph, value, pixels, model.stride)),
        )
      : 0;
  const manifest: ModelManifest = {
    formatVersion,
    model: model.name,
    ...facts,
    ...(graph.outputs.has('spread') && { spread: true }),
    stride: model.stride,
    halo: Math.ceil(radius / model.stride) * model.stride,
    activationBytesPerPixel: peakActivationBytes(graph) / extent ** 2,
    ...(model.fixedTile === undefined ? {} : { fixedTile: model.fixedTile }),
  };
  const bytes = encodeModel(graph, {
    symbolicShapes: {
      pixels: ['batch', roles, 'height', 'width'],
      ...Object.fromEntries(
        [...graph.outputs].map(([name, { shape }]) => [name, ['batch', shape[1], 'height', 'width']]),
      ),
    },
    inputDefaults: {
      target_offset: Float32Array.of(facts.targetMap.offset),
      target_scale: Float32Array.of(facts.targetMap.scale),
    },
  });
  return sealed(bytes, manifest);
}

const checksumOf = (graph: Uint8Array, manifest: string): string =>
  createHash('sha256').update(graph).update(manifest).digest('hex');

function sealed(bytes: Uint8Array, manifest: ModelManifest): Uint8Array {
  // In the schema's order: the same model has the same bytes, however its manifest came about.
  const text = JSON.stringify(manifestSchema.parse(manifest));
  return replaceMetadata(bytes, (graph) => ({
    [manifestKey]: text,
    [checksumKey]: checksumOf(graph, text),
  }));
}

/** The bytes of the same model with another manifest. */
export function withManifest({ bytes }: ModelFile, manifest: ModelManifest): Uint8Array {
  return sealed(bytes, manifest);
}

export interface ModelFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly manifest: ModelManifest;
  /** Parameters and statistics by name. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

/** SHA-256 of the file's bytes, hexadecimal: which model it is, wherever it lies. */
export function modelSha256({ bytes }: ModelFile): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** @throws FileAccessError when there is no such file, ModelError when it is no model of ours */
export async function readModelFile(path: string): Promise<ModelFile> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EISDIR') {
      throw new FileAccessError(path, `${path} is a folder; expected a model file, RUN/best.onnx.`, {
        cause,
      });
    }
    throw new FileAccessError(
      path,
      `Expected a model file (RUN/best.onnx, written by train) at ${path}, but it cannot be read (${(cause as NodeJS.ErrnoException).code}).`,
      { cause },
    );
  }
  return parseModelFile(bytes, path);
}

/**
 * @param path for messages
 * @throws ModelError when the bytes are no model of ours
 */
export function parseModelFile(bytes: Uint8Array, path: string): ModelFile {
  const { metadata, graph } = openModel(bytes, path);
  const text = metadata[manifestKey];
  if (text === undefined) {
    throw new ModelError(
      `${path} is an ONNX file without an hrpn manifest: it was not written by train. Give RUN/best.onnx.`,
    );
  }
  const manifest = parseManifest(text, path);
  // What is wrong in a weight would be seen in no prediction, but for those that are all NaN.
  if (metadata[checksumKey] !== checksumOf(graph, text)) {
    throw new ModelError(
      `${path} is not as train wrote it: its check sum differs, so it was damaged on its way or changed by another program. Copy it anew, or train again.`,
    );
  }
  return { path, bytes, manifest, tensors: parametersOf(graph) };
}

function parseManifest(text: string, path: string): ModelManifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ModelError(`${path}: the manifest in the model file is damaged. Train again or copy it anew.`, {
      cause,
    });
  }
  const found = (json as { formatVersion?: unknown } | null)?.formatVersion;
  if (found !== formatVersion) {
    throw new ModelError(
      `${path} is a model file of format ${found}; this version of hrpn reads and writes format ${formatVersion}. Train it again, or use the version that wrote it.`,
    );
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ModelError(
      `${path}: the model's manifest does not fit this version of hrpn (${issue.path.join('.')}: ${issue.message}). Train it again, or use the version that wrote it.`,
    );
  }
  return parsed.data;
}
