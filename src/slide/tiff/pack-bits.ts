/**
 * Decodes PackBits run lengths (TIFF 6.0, section 9).
 * @param expected most bytes wanted
 * @returns the bytes decoded, at most `expected`
 */
export function decodePackBits(input: Uint8Array, expected: number): Uint8Array {
  const output = new Uint8Array(expected);
  let written = 0;
  let at = 0;
  while (written < expected && at < input.length) {
    const control = input[at++];
    if (control < 128) {
      const count = Math.min(control + 1, expected - written, input.length - at);
      output.set(input.subarray(at, at + count), written);
      at += control + 1;
      written += count;
    } else if (control > 128 && at < input.length) {
      const count = Math.min(257 - control, expected - written);
      output.fill(input[at++], written, written + count);
      written += count;
    }
  }
  return output.subarray(0, written);
}
