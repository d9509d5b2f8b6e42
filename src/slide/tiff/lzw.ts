// LZW as TIFF has it; GIF's differs in the order of bits and in when codes grow.
import type { DecodeFailure } from '../unzip.ts';

const clearCode = 256;
const endCode = 257;

/**
 * Decodes TIFF's LZW (TIFF 6.0, section 13: codes of 9 to 12 bits, most significant bit first, widened one code
 * early). The string table holds positions in the output, so that no string is ever built.
 * @param expected most bytes wanted; what the stream holds beyond is left undecoded
 * @returns the bytes decoded, at most `expected`
 */
export function decodeLzw(input: Uint8Array, expected: number, fail: DecodeFailure): Uint8Array {
  const output = new Uint8Array(expected);
  // String of code c (from 258): `length[c]` bytes of the output, beginning at `start[c]`.
  const start = new Int32Array(4097);
  const length = new Int32Array(4097);
  let written = 0;
  let next = 258;
  let width = 9;
  let previousStart = -1;
  let previousLength = 0;
  let bits = 0;
  let held = 0;
  let at = 0;
  while (written < expected) {
    while (held < width) {
      if (at >= input.length) return output.subarray(0, written);
      bits = ((bits << 8) | input[at++]) & 0xffffff;
      held += 8;
    }
    const code = (bits >>> (held - width)) & ((1 << width) - 1);
    held -= width;
    if (code === endCode) break;
    if (code === clearCode) {
      next = 258;
      width = 9;
      previousStart = -1;
      continue;
    }
    const from = written;
    if (code < 256) {
      output[written++] = code;
    } else {
      if (previousStart < 0 || code > next) throw fail('its LZW stream is damaged');
      // The code that is being defined just now is the previous string and its own first byte.
      const isNew = code === next;
      const copyFrom = isNew ? previousStart : start[code];
      const count = isNew ? previousLength + 1 : length[code];
      const end = Math.min(expected, written + count);
      for (let i = copyFrom; written < end; ) output[written++] = output[i++];
    }
    if (previousStart >= 0 && next < 4096) {
      // The previous string and the first byte of this one lie side by side in the output.
      start[next] = previousStart;
      length[next] = previousLength + 1;
      next++;
      if (next + 1 >= 1 << width && width < 12) width++;
    }
    previousStart = from;
    previousLength = written - from;
  }
  return output.subarray(0, written);
}
