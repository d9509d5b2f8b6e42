// LZ4 as Blosc and the codec of its name hold it: bare blocks, without the frame format.
import type { DecodeFailure } from '../unzip.ts';

/**
 * Decodes one LZ4 block (LZ4 block format 1.6) into `output`, which it must fill exactly.
 * @throws what `fail` makes, for a stream that is damaged
 */
export function decodeLz4(input: Uint8Array, output: Uint8Array, fail: DecodeFailure): void {
  const damaged = (): Error => fail('its LZ4 stream is damaged');
  let at = 0;
  let written = 0;
  /** A length of 15 goes on in the next bytes, up to one that is not 255. */
  const longer = (length: number): number => {
    let total = length;
    for (let byte = 255; length === 15 && byte === 255; ) {
      if (at >= input.length) throw damaged();
      byte = input[at++];
      total += byte;
    }
    return total;
  };
  while (at < input.length) {
    const token = input[at++];
    const literals = longer(token >>> 4);
    if (at + literals > input.length || written + literals > output.length) throw damaged();
    output.set(input.subarray(at, at + literals), written);
    at += literals;
    written += literals;
    if (at === input.length) break; // the last sequence has literals only
    if (at + 2 > input.length) throw damaged();
    const distance = input[at] | (input[at + 1] << 8);
    at += 2;
    const length = longer(token & 15) + 4;
    if (distance === 0 || distance > written || written + length > output.length) throw damaged();
    for (const end = written + length; written < end; written++) output[written] = output[written - distance];
  }
  if (written !== output.length) throw damaged();
}
