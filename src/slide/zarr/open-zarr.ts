// OME-Zarr slides, in a folder or on a web server.
import { FormatError } from '../../core/errors.ts';
import type { BlockedImage, BlockPlane, ChannelPlane } from '../blocked-source.ts';
import { channelNames } from '../channel-names.ts';
import { type OmeImage, parseOmeXml } from '../ome-xml.ts';
import { squarePixel } from '../pixel-size.ts';
import { choosePlane, type OpenSlideOptions } from '../source-options.ts';
import { recordedScale } from '../value-scale.ts';
import { type Axis, type Multiscale, parseMultiscale, stepUm } from './multiscales.ts';
import { joinKey, type ZarrStore } from './store.ts';
import { readJson, ZarrArray } from './zarr-array.ts';

const maxChannels = 512;
const maxEdgePx = 2 ** 26;
/** Metadata of an instrument may be kept in it; the parser has its own limit. */
const maxOmeXmlBytes = 64 * 2 ** 20;

/**
 * @returns undefined when nothing here is Zarr
 * @throws FormatError for a Zarr that is no OME-Zarr image, is damaged or lies about itself; DataError for a stack
 * without a chosen plane and for pixels that are not square; UsageError; FileAccessError
 */
export async function openZarr(
  store: ZarrStore,
  options: OpenSlideOptions,
): Promise<BlockedImage | undefined> {
  const root = await readAttributes(store, '');
  if (root === undefined) return undefined;
  const { prefix, image, xml } = await findImage(store, root);
  const arrays: ZarrArray[] = [];
  for (const { path } of image.datasets) {
    arrays.push(await ZarrArray.open(store, joinKey(store.path, prefix, path)));
  }
  const layout = layOut(store.path, image, arrays, options);
  const { channels: count, axes, x, y } = layout;
  if (count > maxChannels) {
    throw new FormatError(store.path, `${count} channels; more than ${maxChannels} are not read.`);
  }
  const names = Array.from({ length: count }, (_, c) => image.channels[c]?.label ?? xml?.channels[c]?.name);
  const [scale] = image.datasets.map((dataset) => dataset.scale);
  const { sampleType } = arrays[0].info;
  const annotations = new Map(Object.entries(image.annotations));
  const valueScale = recordedScale(annotations, sampleType);
  return {
    path: store.path,
    format: `OME-Zarr ${image.version}`,
    channels: channelNames(names).map((name, c) => ({
      name,
      sampleType,
      ...(image.channels[c]?.color === undefined ? {} : { color: image.channels[c].color }),
      ...(annotations.has(`role: ${name}`) && { role: annotations.get(`role: ${name}`) }),
    })),
    pixelSizeUm:
      options.pixelSizeUm ??
      squarePixel(store.path, stepUm(axes[x], scale?.[x]), stepUm(axes[y], scale?.[y])) ??
      squarePixel(store.path, xml?.pixelWidthUm, xml?.pixelHeightUm),
    ...(valueScale === undefined ? {} : { valueScale }),
    annotations,
    levels: layout.levels,
    close: async () => {},
  };
}

/** The attributes of a group; an empty object where it has none; undefined where there is no group. */
async function readAttributes(store: ZarrStore, group: string): Promise<unknown> {
  const v3 = await readJson(store, joinKey(store.path, group, 'zarr.json'));
  if (v3 !== undefined) return (v3 as { attributes?: unknown })?.attributes ?? {};
  const v2 = await readJson(store, joinKey(store.path, group, '.zattrs'));
  if (v2 !== undefined) return v2 ?? {};
  return (await readJson(store, joinKey(store.path, group, '.zgroup'))) === undefined ? undefined : {};
}

/** The image itself, or the only large one that bioformats2raw laid out below. */
async function findImage(
  store: ZarrStore,
  root: unknown,
): Promise<{ prefix: string; image: Multiscale; xml: OmeImage | undefined }> {
  const direct = parseMultiscale(store.path, root);
  if (direct !== undefined) return { prefix: '', image: direct, xml: undefined };
  const inside = (root as { ome?: unknown })?.ome ?? root;
  if ((inside as Record<string, unknown>)['bioformats2raw.layout'] === undefined) {
    throw new FormatError(
      store.path,
      'it is a Zarr hierarchy but no OME-Zarr image (its attributes name no multiscales). Give the group that holds the image.',
    );
  }
  const text = await store.get('OME/METADATA.ome.xml', maxOmeXmlBytes);
  const xml = text === undefined ? undefined : parseOmeXml(new TextDecoder().decode(text), store.path);
  const found =
    xml?.images.map(({ name, sizeX, sizeY }, i) => ({ name: `${i} ('${name}')`, area: sizeX * sizeY })) ??
    (await findImages(store));
  const areas = found.map(({ area }) => area);
  const index = Math.max(0, areas.indexOf(Math.max(...areas)));
  if (areas.some((area, i) => i !== index && area * 2 > areas[index])) {
    const names = found.map(({ name }) => name).join(', ');
    throw new FormatError(
      store.path,
      `it holds ${areas.length} images of similar size: ${names}. Give the one that is meant, such as ${store.path}/0.`,
    );
  }
  const image = parseMultiscale(store.path, await readAttributes(store, String(index)));
  if (image === undefined) {
    throw new FormatError(store.path, `its image ${index} is missing; the slide is incomplete.`);
  }
  return { prefix: String(index), image, xml: xml?.images[index] };
}

/** Names and areas in pixels of the images that bioformats2raw numbered, where no OME-XML lists them. */
async function findImages(store: ZarrStore): Promise<{ name: string; area: number }[]> {
  const found: { name: string; area: number }[] = [];
  for (;;) {
    const name = String(found.length);
    const image = parseMultiscale(store.path, await readAttributes(store, name));
    if (image === undefined) return found;
    const { info } = await ZarrArray.open(store, joinKey(store.path, name, image.datasets[0].path));
    const [height, width] = info.shape.slice(-2);
    found.push({ name, area: width * height });
  }
}

interface Layout {
  readonly axes: readonly Axis[];
  readonly x: number;
  readonly y: number;
  readonly channels: number;
  readonly levels: ChannelPlane[][];
}

function layOut(
  path: string,
  image: Multiscale,
  arrays: readonly ZarrArray[],
  options: OpenSlideOptions,
): Layout {
  const { shape, sampleType } = arrays[0].info;
  const axes = image.axes ?? ['t', 'c', 'z', 'y', 'x'].map((name) => ({ name, unit: undefined }));
  const refuse = (what: string): FormatError => new FormatError(path, `${what}; the file is damaged.`);
  if (axes.length !== shape.length) {
    throw refuse(`its metadata name ${axes.length} axes but the array has ${shape.length}`);
  }
  const axisOf = (name: string): number => axes.findIndex((axis) => axis.name === name);
  const [x, y, c] = [axisOf('x'), axisOf('y'), axisOf('c')];
  if (x < 0 || y < 0)
    throw refuse(`its axes are ${axes.map(({ name }) => name).join(', ')}; expected x and y among them`);
  if (shape[x] > maxEdgePx || shape[y] > maxEdgePx)
    throw refuse(`an image of ${shape[x]} x ${shape[y]} pixels cannot be`);
  for (const axis of ['z', 't'] as const) {
    if (axisOf(axis) < 0) choosePlane(path, axis, 1, options.plane?.[axis]);
  }
  // The index along every axis but x, y and the channel's.
  const fixed = axes.map(({ name }, axis) => {
    if (axis === x || axis === y || axis === c) return 0;
    if (name === 'z' || name === 't') return choosePlane(path, name, shape[axis], options.plane?.[name]);
    if (shape[axis] === 1) return 0;
    throw new FormatError(
      path,
      `the axis '${name}' has ${shape[axis]} steps; only channels, z and t may have several.`,
    );
  });
  const channels = c < 0 ? 1 : shape[c];
  const levels: ChannelPlane[][] = [];
  for (const array of arrays) {
    const { info } = array;
    if (info.shape.length !== shape.length || info.sampleType !== sampleType) {
      throw refuse('a level of its pyramid has other dimensions or samples than the full resolution');
    }
    // A level that was reduced along Z or T as well holds no such plane.
    if (info.shape.some((edge, axis) => axis !== x && axis !== y && edge !== shape[axis])) continue;
    const above = levels.at(-1)?.[0].plane;
    if (above !== undefined && (info.shape[x] > above.width || info.shape[y] > above.height)) {
      throw refuse('the levels of its pyramid do not become smaller');
    }
    const planes = new Map<number, BlockPlane>();
    const level: ChannelPlane[] = [];
    for (let channel = 0; channel < Math.min(channels, maxChannels); channel++) {
      const at = fixed.map((index, axis) => (axis === c ? channel : index));
      const column = c < 0 ? 0 : Math.floor(channel / info.chunkShape[c]);
      let plane = planes.get(column);
      if (plane === undefined) {
        plane = planeOf(array, at, x, y);
        planes.set(column, plane);
      }
      const offset = at.reduce(
        (sum, index, axis) =>
          axis === x || axis === y ? sum : sum + (index % info.chunkShape[axis]) * info.strides[axis],
        0,
      );
      level.push({ plane, offset });
    }
    levels.push(level);
  }
  return { axes, x, y, channels, levels };
}

/** The chunks at fixed places of all axes but x and y. */
function planeOf(array: ZarrArray, at: readonly number[], x: number, y: number): BlockPlane {
  const { shape, chunkShape, strides } = array.info;
  return {
    width: shape[x],
    height: shape[y],
    blockWidth: chunkShape[x],
    blockHeight: chunkShape[y],
    columnStride: strides[x],
    rowStride: strides[y],
    blockBytes: array.info.chunkBytes,
    decode: (column, row) =>
      array.chunk(
        at.map((index, axis) =>
          axis === x ? column : axis === y ? row : Math.floor(index / chunkShape[axis]),
        ),
      ),
  };
}
