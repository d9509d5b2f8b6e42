// Blosc's own codec, its default.
import type { DecodeFailure } from '../unzip.ts';

/** Matches further back than this are written with two more bytes. */
const nearDistance = 8191;

/**
 * Decodes BloscLZ (c-blosc 1.21, after FastLZ) into `output`, which it must fill exactly.
 * @throws what `fail` makes, for a stream that is damaged
 */
export function decodeBloscLz(input: Uint8Array, output: Uint8Array, fail: DecodeFailure): void {
  const damaged = (): Error => fail('its BloscLZ stream is damaged');
  let at = 0;
  let written = 0;
  const next = (): number => {
    if (at >= input.length) throw damaged();
    return input[at++];
  };
  // The first command is a literal run, whatever its upper bits say.
  for (let isFirst = true; at < input.length; isFirst = false) {
    const control = next() & (isFirst ? 31 : 255);
    if (control < 32) {
      const length = control + 1;
      if (at + length > input.length || written + length > output.length) throw damaged();
      output.set(input.subarray(at, at + length), written);
      at += length;
      written += length;
      continue;
    }
    let length = (control >>> 5) - 1;
    let distance = (control & 31) << 8;
    if (length === 6) {
      let code: number;
      do {
        code = next();
        length += code;
      } while (code === 255);
    }
    const code = next();
    const isFar = code === 255 && distance === 31 << 8;
    distance += code;
    if (isFar) distance = ((next() << 8) | next()) + nearDistance;
    distance += 1;
    length += 3;
    if (distance > written || written + length > output.length) throw damaged();
    for (const end = written + length; written < end; written++) output[written] = output[written - distance];
  }
  if (written !== output.length) throw damaged();
}
