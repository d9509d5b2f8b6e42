// Reads the part of OME-XML (2016-06 and older) that says what the pixels are.
import { XMLParser } from 'fast-xml-parser';
import { FormatError } from '../core/errors.ts';
import { toMicrometres } from '../core/units.ts';

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

type Node = { readonly [key: string]: unknown };

const parser = new XMLParser({
  ignoreAttributes: false,
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
  // Entities are decoded below: only the five of XML and numbered characters, so that nothing can expand.
  processEntities: false,
  isArray: (name) => ['Image', 'Channel', 'TiffData', 'M', 'MapAnnotation'].includes(name),
});

/** @throws FormatError for text that is no OME-XML, or that says what cannot be */
export function parseOmeXml(text: string, path: string): OmeXml {
  const refuse = (what: string, cause?: unknown): FormatError =>
    new FormatError(path, `its OME-XML is damaged: ${what}.`, { cause });
  if (text.length > maxLength) throw refuse(`${text.length} characters are too many`);
  if (text.includes('<!DOCTYPE') || text.includes('<!ENTITY')) {
    throw refuse('it defines entities, which OME-XML does not');
  }
  let root: Node;
  try {
    root = child(parser.parse(text) as Node, 'OME');
  } catch (cause) {
    throw refuse((cause as Error).message, cause);
  }
  const images = children(root, 'Image').map((image) => readImage(image, refuse));
  if (images.length === 0) throw refuse('it names no image');
  const annotations = new Map<string, string>();
  for (const map of children(child(root, 'StructuredAnnotations'), 'MapAnnotation')) {
    for (const entry of children(child(map, 'Value'), 'M')) {
      const key = attribute(entry, 'K');
      if (key !== undefined) annotations.set(key, decodeEntities(String(entry['#text'] ?? '')));
    }
  }
  return { uuid: attribute(root, 'UUID'), images, annotations };
}

function readImage(image: Node, refuse: (what: string) => FormatError): OmeImage {
  const pixels = child(image, 'Pixels');
  const size = (name: string): number => {
    const value = Number(attribute(pixels, name));
    if (Number.isInteger(value) && value >= 1 && value <= 2 ** 26) return value;
    throw refuse(`${name} is '${attribute(pixels, name)}'`);
  };
  const count = (node: Node, name: string): number | undefined => {
    const given = attribute(node, name);
    if (given === undefined) return undefined;
    const value = Number(given);
    if (Number.isInteger(value) && value >= 0 && value <= 2 ** 26) return value;
    throw refuse(`${name} is '${given}'`);
  };
  const order = attribute(pixels, 'DimensionOrder') ?? 'XYCZT';
  if (!/^XY(CZT|CTZ|ZCT|ZTC|TCZ|TZC)$/.test(order)) throw refuse(`DimensionOrder is '${order}'`);
  return {
    name: attribute(image, 'Name') ?? attribute(image, 'ID') ?? '',
    sizeX: size('SizeX'),
    sizeY: size('SizeY'),
    sizeC: size('SizeC'),
    sizeZ: size('SizeZ'),
    sizeT: size('SizeT'),
    dimensionOrder: order,
    pixelWidthUm: length(pixels, 'PhysicalSizeX'),
    pixelHeightUm: length(pixels, 'PhysicalSizeY'),
    channels: children(pixels, 'Channel').map((channel) => ({
      name: attribute(channel, 'Name') || attribute(channel, 'Fluor') || undefined,
      samplesPerPixel: Math.max(1, count(channel, 'SamplesPerPixel') ?? 1),
      color: readColor(attribute(channel, 'Color')),
    })),
    tiffData: children(pixels, 'TiffData').map((data) => {
      const uuid = data.UUID as Node | string | undefined;
      return {
        ifd: count(data, 'IFD'),
        firstC: count(data, 'FirstC') ?? 0,
        firstZ: count(data, 'FirstZ') ?? 0,
        firstT: count(data, 'FirstT') ?? 0,
        planeCount: count(data, 'PlaneCount'),
        uuid: typeof uuid === 'string' ? uuid : (uuid?.['#text'] as string | undefined),
        fileName: typeof uuid === 'object' ? attribute(uuid, 'FileName') : undefined,
      };
    }),
  };
}

/** A signed 32-bit RGBA number as 0xRRGGBB. */
function readColor(text: string | undefined): number | undefined {
  const value = Number(text ?? Number.NaN);
  return Number.isInteger(value) ? (value >>> 8) & 0xffffff : undefined;
}

function length(pixels: Node, name: string): number | undefined {
  const value = Number(attribute(pixels, name) ?? Number.NaN);
  if (!Number.isFinite(value) || value <= 0) return undefined;
  return toMicrometres(value, attribute(pixels, `${name}Unit`) ?? 'µm');
}

function child(node: Node, name: string): Node {
  const found = node[name];
  const first = Array.isArray(found) ? found[0] : found;
  return typeof first === 'object' && first !== null ? (first as Node) : {};
}

function children(node: Node, name: string): Node[] {
  const found = node[name];
  const all = Array.isArray(found) ? found : found === undefined ? [] : [found];
  return all.map((item) => (typeof item === 'object' && item !== null ? item : { '#text': item }));
}

function attribute(node: Node, name: string): string | undefined {
  const value = node[`@_${name}`];
  return typeof value === 'string' ? decodeEntities(value) : undefined;
}

const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(lt|gt|amp|quot|apos));/gi,
    (whole, hex, decimal, name) => {
      if (name !== undefined) return named[name.toLowerCase()];
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}
