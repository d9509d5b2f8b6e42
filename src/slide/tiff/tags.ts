// Numbers of the TIFF 6.0 and BigTIFF specifications that are used here.

export const tag = {
  newSubfileType: 254,
  imageWidth: 256,
  imageLength: 257,
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  imageDescription: 270,
  stripOffsets: 273,
  samplesPerPixel: 277,
  rowsPerStrip: 278,
  stripByteCounts: 279,
  xResolution: 282,
  yResolution: 283,
  planarConfiguration: 284,
  resolutionUnit: 296,
  software: 305,
  predictor: 317,
  colorMap: 320,
  tileWidth: 322,
  tileLength: 323,
  tileOffsets: 324,
  tileByteCounts: 325,
  subIfds: 330,
  extraSamples: 338,
  sampleFormat: 339,
  jpegTables: 347,
  imageJMetadataByteCounts: 50838,
  imageJMetadata: 50839,
} as const;

export const photometric = { whiteIsZero: 0, blackIsZero: 1, rgb: 2, palette: 3, yCbCr: 6 } as const;

export const compression = {
  none: 1,
  lzw: 5,
  oldJpeg: 6,
  jpeg: 7,
  deflate: 8,
  packBits: 32773,
  oldDeflate: 32946,
  zstd: 50000,
} as const;

/** Field type: bytes of one value, and how it is read. Types that are not listed are skipped, as TIFF 6.0 asks. */
export const fieldType: Readonly<
  Record<
    number,
    { readonly bytes: number; readonly kind: 'uint' | 'int' | 'float' | 'rational' | 'srational' }
  >
> = {
  1: { bytes: 1, kind: 'uint' },
  2: { bytes: 1, kind: 'uint' },
  3: { bytes: 2, kind: 'uint' },
  4: { bytes: 4, kind: 'uint' },
  5: { bytes: 8, kind: 'rational' },
  6: { bytes: 1, kind: 'int' },
  7: { bytes: 1, kind: 'uint' },
  8: { bytes: 2, kind: 'int' },
  9: { bytes: 4, kind: 'int' },
  10: { bytes: 8, kind: 'srational' },
  11: { bytes: 4, kind: 'float' },
  12: { bytes: 8, kind: 'float' },
  13: { bytes: 4, kind: 'uint' },
  16: { bytes: 8, kind: 'uint' },
  17: { bytes: 8, kind: 'int' },
  18: { bytes: 8, kind: 'uint' },
};
