// Builds small TIFFs entry by entry, so that each can lie in one place.

/** Tag, type and values of an entry; `count` overrules how many values the entry claims. */
export interface Entry {
  readonly tag: number;
  readonly type: number;
  readonly values: readonly number[] | string;
  readonly count?: number;
}

export interface TinyTiff {
  readonly width?: number;
  readonly height?: number;
  /** Stored bytes of the only strip or tile. */
  readonly data?: Uint8Array;
  /** Replace or add entries by their tag. */
  readonly entries?: readonly Entry[];
  readonly without?: readonly number[];
  /** Offset of the next directory; `self` is this one. */
  readonly next?: number | 'self';
}

const bytes: Readonly<Record<number, number>> = { 1: 1, 2: 1, 3: 2, 4: 4, 13: 4, 16: 8 };

/** A classic little-endian TIFF with one uint8 image. */
export function tinyTiff(tiff: TinyTiff = {}): Buffer {
  const { width = 16, height = 16 } = tiff;
  const data = tiff.data ?? new Uint8Array(width * height).fill(7);
  const short = (tag: number, value: number): Entry => ({ tag, type: 3, values: [value] });
  const long = (tag: number, value: number): Entry => ({ tag, type: 4, values: [value] });
  const standard = [
    long(256, width),
    long(257, height),
    short(258, 8),
    short(259, 1),
    short(262, 1),
    long(273, 8),
    short(277, 1),
    long(278, height),
    long(279, data.length),
  ];
  const replaced = new Set([...(tiff.entries ?? []).map(({ tag }) => tag), ...(tiff.without ?? [])]);
  const entries = [...standard.filter(({ tag }) => !replaced.has(tag)), ...(tiff.entries ?? [])].sort(
    (a, b) => a.tag - b.tag,
  );
  const directoryAt = 8 + data.length;
  const head = Buffer.alloc(8);
  head.write('II*\0', 'latin1');
  head.writeUInt32LE(directoryAt, 4);
  const directory = Buffer.alloc(2 + entries.length * 12 + 4);
  directory.writeUInt16LE(entries.length, 0);
  const outside: Buffer[] = [];
  let free = directoryAt + directory.length;
  entries.forEach(({ tag, type, values, count }, i) => {
    const at = 2 + i * 12;
    const content = contentOf(type, values);
    directory.writeUInt16LE(tag, at);
    directory.writeUInt16LE(type, at + 2);
    directory.writeUInt32LE(count ?? values.length, at + 4);
    if (content.length <= 4) {
      content.copy(directory, at + 8);
    } else {
      directory.writeUInt32LE(free, at + 8);
      outside.push(content);
      free += content.length;
    }
  });
  directory.writeUInt32LE(tiff.next === 'self' ? directoryAt : (tiff.next ?? 0), directory.length - 4);
  return Buffer.concat([head, data, directory, ...outside]);
}

function contentOf(type: number, values: readonly number[] | string): Buffer {
  if (typeof values === 'string') return Buffer.from(values);
  const content = Buffer.alloc(values.length * bytes[type]);
  values.forEach((value, i) => {
    if (bytes[type] === 1) content.writeUInt8(value, i);
    else if (bytes[type] === 2) content.writeUInt16LE(value, i * 2);
    else if (bytes[type] === 4) content.writeUInt32LE(value, i * 4);
    else content.writeBigUInt64LE(BigInt(value), i * 8);
  });
  return content;
}

/** An OME-TIFF of one 16 x 16 image with this OME-XML. */
export function tinyOme(xml: string): Buffer {
  return tinyTiff({ entries: [{ tag: 270, type: 2, values: `${xml}\0` }] });
}
