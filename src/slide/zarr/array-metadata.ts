// What .zarray (Zarr v2) and zarr.json (Zarr v3) say of an array, in one form.
import { z } from 'zod';
import { FormatError } from '../../core/errors.ts';
import type { SampleType } from '../../core/pixel-source.ts';
import { bytesOf } from '../sample-type.ts';
import { type ByteCodec, byteCodecs } from './codecs.ts';
import { describeIssue } from './describe-issue.ts';

/** Largest chunk that is decoded: 8192 x 4096 float32. */
const maxChunkBytes = 128 * 2 ** 20;

/** How the samples of a chunk are encoded. */
export interface ChunkCoding {
  readonly sampleType: SampleType;
  readonly littleEndian: boolean;
  /** Samples between neighbours along each axis of a decoded chunk. */
  readonly strides: readonly number[];
  /** In the order in which they were applied. */
  readonly codecs: readonly ByteCodec[];
  readonly chunkBytes: number;
}

export interface ZarrArrayInfo extends ChunkCoding {
  readonly shape: readonly number[];
  readonly chunkShape: readonly number[];
  readonly fill: number;
  /** The keys that a chunk (a shard, where there are shards) may have within the array. */
  readonly keysOf: (coordinates: readonly number[]) => readonly string[];
  readonly sharding: Sharding | undefined;
}

/** Chunks that lie together in larger files, with an index of where each is. */
export interface Sharding {
  /** Chunks of a shard along each axis. */
  readonly chunksPerShard: readonly number[];
  readonly indexAtEnd: boolean;
  readonly indexLittleEndian: boolean;
  readonly indexHasChecksum: boolean;
}

const size = z
  .int()
  .min(1)
  .max(2 ** 40);
const shape = z.array(size).min(2).max(8);
const separator = z.enum(['.', '/']);
const configured = z.object({
  name: z.string(),
  configuration: z.record(z.string(), z.unknown()).optional(),
});
const scalar = z.union([z.number(), z.string(), z.boolean(), z.null()]);

const v2 = z.object({
  zarr_format: z.literal(2),
  shape,
  chunks: shape,
  dtype: z.string(),
  compressor: z.record(z.string(), z.unknown()).nullable(),
  filters: z.array(z.unknown()).nullable().optional(),
  fill_value: scalar,
  order: z.enum(['C', 'F']),
  dimension_separator: separator.optional(),
});

const v3 = z.object({
  zarr_format: z.literal(3),
  node_type: z.literal('array'),
  shape,
  data_type: z.string(),
  chunk_grid: z.object({ name: z.literal('regular'), configuration: z.object({ chunk_shape: shape }) }),
  chunk_key_encoding: z.object({
    name: z.enum(['default', 'v2']),
    configuration: z.object({ separator: separator.optional() }).optional(),
  }),
  fill_value: scalar,
  codecs: z.array(configured).min(1).max(8),
});

const shardingConfiguration = z.object({
  chunk_shape: shape,
  codecs: z.array(configured).min(1).max(8),
  index_codecs: z.array(configured).min(1).max(2),
  index_location: z.enum(['start', 'end']).default('end'),
});

/** @throws FormatError naming what is wrong in the metadata, or what is not read */
export function parseArray(path: string, name: string, json: unknown): ZarrArrayInfo {
  const refuse = (what: string): FormatError => new FormatError(path, `its array '${name}': ${what}.`);
  const isV2 = (json as { zarr_format?: unknown })?.zarr_format === 2;
  const info = isV2 ? fromV2(check(v2, json, refuse), refuse) : fromV3(check(v3, json, refuse), refuse);
  if (info.chunkShape.length !== info.shape.length) {
    throw refuse(`chunks have ${info.chunkShape.length} dimensions but the array ${info.shape.length}`);
  }
  if (info.chunkBytes > maxChunkBytes) {
    throw refuse(
      `chunks of ${info.chunkBytes} bytes are more than the ${maxChunkBytes} that are read at once`,
    );
  }
  return info;
}

type Refuse = (what: string) => FormatError;

function check<T extends z.ZodType>(schema: T, json: unknown, refuse: Refuse): z.output<T> {
  const result = schema.safeParse(json, { reportInput: true });
  if (result.success) return result.data;
  throw refuse(describeIssue(result.error.issues[0]));
}

const v2Types: Readonly<Record<string, SampleType>> = {
  u1: 'uint8',
  i1: 'int8',
  u2: 'uint16',
  i2: 'int16',
  u4: 'uint32',
  i4: 'int32',
  f4: 'float32',
  f8: 'float64',
  b1: 'uint8',
};

function fromV2(given: z.output<typeof v2>, refuse: Refuse): ZarrArrayInfo {
  const dtype = /^([<>|])([a-z]\d)$/.exec(given.dtype);
  const sampleType = v2Types[dtype?.[2] ?? ''];
  if (dtype === null || sampleType === undefined) throw refuse(`samples of type ${given.dtype} are not read`);
  if (given.filters != null && given.filters.length > 0) {
    throw refuse(`filters (${JSON.stringify(given.filters).slice(0, 100)}) are not read`);
  }
  const { compressor } = given;
  const codecs = compressor === null ? [] : [{ name: String(compressor.id), configuration: compressor }];
  const axes = given.chunks.map((_, axis) => axis);
  return {
    shape: given.shape,
    chunkShape: given.chunks,
    fill: parseFill(given.fill_value, refuse),
    // Writers of the first OME-Zarr files nested their chunks without saying so.
    keysOf: (coordinates) =>
      (given.dimension_separator === undefined ? ['.', '/'] : [given.dimension_separator]).map((join) =>
        coordinates.join(join),
      ),
    sharding: undefined,
    sampleType,
    littleEndian: dtype[1] !== '>',
    strides: stridesOf(given.chunks, given.order === 'C' ? axes : axes.reverse()),
    codecs: byteCodecs(codecs, refuse),
    chunkBytes: productOf(given.chunks) * bytesOf(sampleType),
  };
}

const v3Types: Readonly<Record<string, SampleType>> = {
  uint8: 'uint8',
  int8: 'int8',
  uint16: 'uint16',
  int16: 'int16',
  uint32: 'uint32',
  int32: 'int32',
  float32: 'float32',
  float64: 'float64',
  bool: 'uint8',
};

function fromV3(given: z.output<typeof v3>, refuse: Refuse): ZarrArrayInfo {
  const sampleType = v3Types[given.data_type];
  if (sampleType === undefined) throw refuse(`samples of type ${given.data_type} are not read`);
  const { name, configuration } = given.chunk_key_encoding;
  const join = configuration?.separator ?? (name === 'default' ? '/' : '.');
  const keysOf = (coordinates: readonly number[]): string[] => [
    (name === 'default' ? ['c', ...coordinates] : coordinates).join(join),
  ];
  const outer = given.chunk_grid.configuration.chunk_shape;
  const fill = parseFill(given.fill_value, refuse);
  const common = { shape: given.shape, fill, keysOf };
  if (given.codecs[0].name !== 'sharding_indexed') {
    return {
      ...common,
      chunkShape: outer,
      sharding: undefined,
      ...coding(given.codecs, outer, sampleType, refuse),
    };
  }
  if (given.codecs.length !== 1) throw refuse('codecs around shards are not read');
  const shard = check(shardingConfiguration, given.codecs[0].configuration, refuse);
  const inner = shard.chunk_shape;
  const chunksPerShard = outer.map((edge, axis) => edge / inner[axis]);
  if (inner.length !== outer.length || !chunksPerShard.every(Number.isInteger)) {
    throw refuse(`chunks of ${inner.join(' x ')} do not fill shards of ${outer.join(' x ')}`);
  }
  if (productOf(chunksPerShard) > 2 ** 20) throw refuse('shards of more than a million chunks are not read');
  const [order, checksum] = shard.index_codecs;
  if (order.name !== 'bytes' || (checksum !== undefined && checksum.name !== 'crc32c')) {
    throw refuse('the index of its shards is coded in a way that is not read');
  }
  return {
    ...common,
    chunkShape: inner,
    sharding: {
      chunksPerShard,
      indexAtEnd: shard.index_location === 'end',
      indexLittleEndian: order.configuration?.endian !== 'big',
      indexHasChecksum: checksum !== undefined,
    },
    ...coding(shard.codecs, inner, sampleType, refuse),
  };
}

function coding(
  codecs: readonly z.output<typeof configured>[],
  chunkShape: readonly number[],
  sampleType: SampleType,
  refuse: Refuse,
): ChunkCoding {
  const at = codecs.findIndex(({ name }) => name === 'bytes');
  if (at < 0) throw refuse(`the codecs ${codecs.map(({ name }) => name).join(', ')} are not read`);
  let order = chunkShape.map((_, axis) => axis);
  for (const { name, configuration } of codecs.slice(0, at)) {
    const permutation = configuration?.order;
    if (name !== 'transpose' || !isPermutation(permutation, chunkShape.length)) {
      throw refuse(`the codec ${name} with ${JSON.stringify(configuration)} is not read`);
    }
    order = permutation.map((axis) => order[axis]);
  }
  return {
    sampleType,
    littleEndian: codecs[at].configuration?.endian !== 'big',
    strides: stridesOf(chunkShape, order),
    codecs: byteCodecs(codecs.slice(at + 1), refuse),
    chunkBytes: productOf(chunkShape) * bytesOf(sampleType),
  };
}

function isPermutation(order: unknown, length: number): order is number[] {
  return (
    Array.isArray(order) &&
    order.length === length &&
    new Set(order).size === length &&
    order.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < length)
  );
}

/** @param order axes as they lie in memory, the slowest first */
function stridesOf(shape: readonly number[], order: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (const axis of [...order].reverse()) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}

function parseFill(value: z.output<typeof scalar>, refuse: Refuse): number {
  if (value === null || value === false) return 0;
  if (value === true) return 1;
  if (typeof value === 'number') return value;
  if (/^0x([0-9a-f]{8}|[0-9a-f]{16})$/i.test(value)) {
    const bytes = Buffer.from(value.slice(2), 'hex');
    return bytes.length === 4 ? bytes.readFloatBE() : bytes.readDoubleBE();
  }
  const words: Readonly<Record<string, number>> = {
    NaN: Number.NaN,
    Infinity: Infinity,
    '-Infinity': -Infinity,
  };
  if (Object.hasOwn(words, value)) return words[value];
  throw refuse(`fill value '${value}' is not read`);
}

function productOf(values: readonly number[]): number {
  return values.reduce((product, value) => product * value, 1);
}
