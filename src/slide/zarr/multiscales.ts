// The metadata of OME-Zarr 0.1 to 0.5: which arrays are levels, what their axes mean, what the channels are called.
import { z } from 'zod';
import { FormatError } from '../../core/errors.ts';
import { toMicrometres } from '../../core/units.ts';
import { describeIssue } from './describe-issue.ts';

export interface Axis {
  readonly name: string;
  readonly unit: string | undefined;
}

export interface Multiscale {
  /** e.g. '0.5'. */
  readonly version: string;
  /** undefined where the metadata give none (0.1 and 0.2: t, c, z, y, x). */
  readonly axes: readonly Axis[] | undefined;
  readonly datasets: readonly {
    readonly path: string;
    /** Size of a step along each axis in the axis' unit; undefined where not given. */
    readonly scale: readonly number[] | undefined;
  }[];
  readonly channels: readonly { readonly label: string | undefined; readonly color: number | undefined }[];
  readonly annotations: Readonly<Record<string, string>>;
}

const transform = z.object({ type: z.string(), scale: z.array(z.number()).optional() });

const image = z.object({
  version: z.string().optional(),
  multiscales: z
    .array(
      z.object({
        version: z.string().optional(),
        axes: z
          .array(z.union([z.string(), z.object({ name: z.string(), unit: z.string().optional() })]))
          .max(8)
          .optional(),
        datasets: z
          .array(
            z.object({ path: z.string().min(1), coordinateTransformations: z.array(transform).optional() }),
          )
          .min(1)
          .max(32),
        coordinateTransformations: z.array(transform).optional(),
      }),
    )
    .min(1),
  omero: z
    .object({
      channels: z.array(z.object({ label: z.string().optional(), color: z.string().optional() })).optional(),
    })
    .optional()
    .catch(undefined), // only names and colours; a reader of pixels does without
});

const annotated = z.object({ hrpn: z.record(z.string(), z.string()).optional() }).catch({});

/**
 * @param attributes of the group: those of .zattrs, or of zarr.json with 'ome' inside
 * @returns undefined when they describe no image
 * @throws FormatError when the description is wrong
 */
export function parseMultiscale(path: string, attributes: unknown): Multiscale | undefined {
  const inside = (attributes as { ome?: unknown })?.ome ?? attributes;
  if ((inside as { multiscales?: unknown })?.multiscales === undefined) return undefined;
  const result = image.safeParse(inside, { reportInput: true });
  if (!result.success) {
    throw new FormatError(path, `its OME metadata are damaged: ${describeIssue(result.error.issues[0])}.`);
  }
  const [scales] = result.data.multiscales;
  const outer = scaleOf(scales.coordinateTransformations);
  return {
    version: result.data.version ?? scales.version ?? '0.4',
    axes: scales.axes?.map((axis) =>
      typeof axis === 'string' ? { name: axis, unit: undefined } : { name: axis.name, unit: axis.unit },
    ),
    datasets: scales.datasets.map((dataset) => ({
      path: dataset.path,
      scale: scaleOf(dataset.coordinateTransformations)?.map((step, axis) => step * (outer?.[axis] ?? 1)),
    })),
    channels: (result.data.omero?.channels ?? []).map(({ label, color }) => ({
      label: label || undefined,
      color:
        color !== undefined && /^[0-9a-f]{6}/i.test(color)
          ? Number.parseInt(color.slice(0, 6), 16)
          : undefined,
    })),
    annotations: annotated.parse(attributes ?? {}).hrpn ?? {},
  };
}

function scaleOf(transforms: readonly z.output<typeof transform>[] | undefined): number[] | undefined {
  return transforms?.find(({ type }) => type === 'scale')?.scale;
}

/** Units of OME-Zarr by the symbols of `core/units`. */
const symbols: Readonly<Record<string, string>> = {
  nanometer: 'nm',
  micrometer: 'µm',
  millimeter: 'mm',
  centimeter: 'cm',
  meter: 'm',
  inch: 'inch',
};

/** A step along an axis in micrometres; undefined without a unit of length. */
export function stepUm(axis: Axis, step: number | undefined): number | undefined {
  if (axis.unit === undefined || step === undefined || !(step > 0)) return undefined;
  return toMicrometres(step, symbols[axis.unit] ?? axis.unit);
}
