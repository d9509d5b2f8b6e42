import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ModelError } from '../core/errors.ts';
import { parseModelFile, withManifest } from './model-file.ts';

const bytes = readFileSync(new URL('../../models/hrpn-simulated.onnx', import.meta.url));

it('refuses what is not as it was written, and keeps all but the manifest when that is replaced', () => {
  const model = parseModelFile(bytes, 'model.onnx');
  const again = parseModelFile(
    withManifest(model, { ...model.manifest, targetRole: 'dextran' }),
    'again.onnx',
  );
  expect(again.manifest).toEqual({ ...model.manifest, targetRole: 'dextran' });
  expect(again.tensors).toEqual(model.tensors);
  for (const [share, bit] of [
    [0.01, 1],
    [0.5, 64],
    [0.95, 2],
  ]) {
    const damaged = Uint8Array.from(bytes);
    damaged[Math.floor(share * bytes.length)] ^= bit;
    expect(() => parseModelFile(damaged, 'damaged.onnx'), `${share}`).toThrow(ModelError);
    expect(() => parseModelFile(damaged, 'damaged.onnx'), `${share}`).toThrow(/^damaged.onnx is not /);
  }
  for (const part of [0, 0.3, 0.999])
    expect(() => parseModelFile(bytes.subarray(0, Math.floor(part * bytes.length)), 'short.onnx')).toThrow(
      /^short.onnx is not an ONNX model file, or it is cut short/,
    );
});
