// Reads the part of OME-XML (2016-06 and older) that says what the pixels are.
import { FormatError } from '../core/errors.ts';
import { toMicrometres } from '../core/units.ts';
import { scanXml } from './scan-xml.ts';

export interface OmeChannel {
  readonly name: string | undefined;
  readonly samplesPerPixel: number;
  /** 0xRRGGBB. */
  readonly color: number | undefined;
}

/** Which image directories hold which planes. */
export interface OmeTiffData {
  readonly ifd: number | undefined;
  readonly firstC: number;
  readonly firstZ: number;
  readonly firstT: number;
  readonly planeCount: number | undefined;
  /** Unique name of the file that holds them, and its file name; undefined for this file. */
  readonly uuid: string | undefined;
  readonly fileName: string | undefined;
}

export interface OmeImage {
  readonly name: string;
  readonly sizeX: number;
  readonly sizeY: number;
  readonly sizeC: number;
  readonly sizeZ: number;
  readonly sizeT: number;
  /** e.g. 'XYCZT': the dimension named third varies fastest from one plane to the next. */
  readonly dimensionOrder: string;
  /** Micrometres; undefined where not given or given in no unit of length. */
  readonly pixelWidthUm: number | undefined;
  readonly pixelHeightUm: number | undefined;
  readonly channels: readonly OmeChannel[];
  readonly tiffData: readonly OmeTiffData[];
}

export interface OmeXml {
  readonly uuid: string | undefined;
  readonly images: readonly OmeImage[];
  /** Key and value pairs of all map annotations. */
  readonly annotations: ReadonlyMap<string, string>;
}

/** Longest OME-XML that is parsed: a stack of some 200,000 planes. */
const maxLength = 32 * 2 ** 20;
/** The end of a sentence about such a slide. */
export const notJoined =
  'slides spread over several OME-TIFF files are not read. Join them: bfconvert IN OUT.ome.tif';
/** Most elements of one kind that are kept; more are damage, not slides. */
const most = { images: 10_000, channels: 10_000, tiffData: 500_000, annotations: 10_000 } as const;

type Attributes = ReadonlyMap<string, string>;

/** An image whose elements are still being read. */
interface OpenImage {
  readonly attributes: Attributes;
  pixels: Attributes;
  readonly channels: OmeChannel[];
  readonly tiffData: OmeTiffData[];
}

/** @throws FormatError for text that is no OME-XML, or that says what cannot be */
export function parseOmeXml(text: string, path: string): OmeXml {
  const refuse = (what: string): FormatError => new FormatError(path, `its OME-XML is damaged: ${what}.`);
  if (text.length > maxLength) throw refuse(`${text.length} characters are too many`);
  const images: OmeImage[] = [];
  const annotations = new Map<string, string>();
  const parents: string[] = [];
  let uuid: string | undefined;
  let image: OpenImage | undefined;
  let content = '';
  let attributes: Attributes = new Map();
  const limit = (count: number, kind: keyof typeof most): void => {
    if (count > most[kind]) throw refuse(`more than ${most[kind]} ${kind}`);
  };
  scanXml(
    text.trimEnd(),
    {
      open(name, given) {
        const parent = parents.at(-1);
        parents.push(name);
        content = '';
        attributes = given;
        if (parent === undefined && name !== 'OME') throw refuse(`it begins with <${name.slice(0, 40)}>`);
        if (name === 'BinaryOnly' && parent === 'OME') {
          throw new FormatError(
            path,
            `its OME-XML lies in another file (${given.get('MetadataFile') ?? 'which it does not name'}); ${notJoined}`,
          );
        }
        if (name === 'OME') uuid = given.get('UUID');
        else if (name === 'Image' && parent === 'OME') {
          limit(images.length, 'images');
          image = { attributes: given, pixels: new Map(), channels: [], tiffData: [] };
        } else if (image !== undefined && name === 'Pixels' && parent === 'Image') image.pixels = given;
        else if (image !== undefined && parent === 'Pixels' && name === 'Channel') {
          limit(image.channels.push(readChannel(given, refuse)), 'channels');
        } else if (image !== undefined && parent === 'Pixels' && name === 'TiffData') {
          limit(image.tiffData.push(readTiffData(given, refuse)), 'tiffData');
        }
      },
      text(piece) {
        if (parents.at(-1) === 'M' || parents.at(-1) === 'UUID') content += piece;
      },
      close(name) {
        parents.pop();
        const parent = parents.at(-1);
        if (name === 'Image' && image !== undefined && parent === 'OME') {
          images.push(readImage(image, refuse));
          image = undefined;
        } else if (name === 'UUID' && parent === 'TiffData' && image !== undefined) {
          const data = image.tiffData.pop()!;
          image.tiffData.push({ ...data, uuid: content.trim(), fileName: attributes.get('FileName') });
        } else if (name === 'M' && parent === 'Value') {
          const key = attributes.get('K');
          if (key !== undefined) annotations.set(key, content);
          limit(annotations.size, 'annotations');
        }
      },
    },
    refuse,
  );
  if (images.length === 0) throw refuse('it names no image');
  return { uuid, images, annotations };
}

type Refuse = (what: string) => FormatError;

function readImage({ attributes, pixels, channels, tiffData }: OpenImage, refuse: Refuse): OmeImage {
  const size = (name: string): number => {
    const value = Number(pixels.get(name));
    if (Number.isInteger(value) && value >= 1 && value <= 2 ** 26) return value;
    throw refuse(pixels.has(name) ? `${name} is '${pixels.get(name)?.slice(0, 40)}'` : `${name} is missing`);
  };
  const order = pixels.get('DimensionOrder') ?? 'XYCZT';
  if (!/^XY(CZT|CTZ|ZCT|ZTC|TCZ|TZC)$/.test(order)) throw refuse(`DimensionOrder is '${order}'`);
  return {
    name: attributes.get('Name') ?? attributes.get('ID') ?? '',
    sizeX: size('SizeX'),
    sizeY: size('SizeY'),
    sizeC: size('SizeC'),
    sizeZ: size('SizeZ'),
    sizeT: size('SizeT'),
    dimensionOrder: order,
    pixelWidthUm: readLength(pixels, 'PhysicalSizeX'),
    pixelHeightUm: readLength(pixels, 'PhysicalSizeY'),
    channels,
    tiffData,
  };
}

function readChannel(attributes: Attributes, refuse: Refuse): OmeChannel {
  return {
    name: attributes.get('Name') || attributes.get('Fluor') || undefined,
    samplesPerPixel: Math.max(1, readCount(attributes, 'SamplesPerPixel', refuse) ?? 1),
    color: readColor(attributes.get('Color')),
  };
}

function readTiffData(attributes: Attributes, refuse: Refuse): OmeTiffData {
  const count = (name: string): number | undefined => readCount(attributes, name, refuse);
  return {
    ifd: count('IFD'),
    firstC: count('FirstC') ?? 0,
    firstZ: count('FirstZ') ?? 0,
    firstT: count('FirstT') ?? 0,
    planeCount: count('PlaneCount'),
    uuid: undefined,
    fileName: undefined,
  };
}

function readCount(attributes: Attributes, name: string, refuse: Refuse): number | undefined {
  const given = attributes.get(name);
  if (given === undefined) return undefined;
  const value = Number(given);
  if (Number.isInteger(value) && value >= 0 && value <= 2 ** 26) return value;
  throw refuse(`${name} is '${given.slice(0, 40)}'`);
}

/** A signed 32-bit RGBA number as 0xRRGGBB. */
function readColor(text: string | undefined): number | undefined {
  const value = Number(text ?? Number.NaN);
  return Number.isInteger(value) ? (value >>> 8) & 0xffffff : undefined;
}

function readLength(pixels: Attributes, name: string): number | undefined {
  const value = Number(pixels.get(name) ?? Number.NaN);
  if (!Number.isFinite(value) || value <= 0) return undefined;
  return toMicrometres(value, pixels.get(`${name}Unit`) ?? 'µm');
}
