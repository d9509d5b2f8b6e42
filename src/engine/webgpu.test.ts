/**
 * Training on WebGPU against the CPU. Without a GPU it runs on SwiftShader, the software Vulkan that Debian's package
 * chromium carries (slow: for results, not for speed). The runtime finds Vulkan when its process starts, so every
 * device runs in a process of its own.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const folder = '/usr/lib/chromium';
const icd = join(folder, 'vk_swiftshader_icd.json');
const loaders = [folder, '/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu'];
const loader = loaders.find((path) => existsSync(join(path, 'libvulkan.so.1')));
const missing = !existsSync(icd)
  ? `${icd} is absent: install Debian's chromium`
  : loader === undefined
    ? 'libvulkan.so.1 is absent: install libvulkan1'
    : undefined;

async function losses(device: string): Promise<number[]> {
  const script = fileURLToPath(new URL('../../fixtures/webgpu-losses.ts', import.meta.url));
  const environment = {
    ...process.env,
    VK_ICD_FILENAMES: icd,
    LD_LIBRARY_PATH: loader,
    XDG_RUNTIME_DIR: mkdtempSync(join(tmpdir(), 'hrpn-webgpu-')),
  };
  const { stdout } = await promisify(execFile)(process.execPath, [script, device], { env: environment });
  return JSON.parse(stdout);
}

it.skipIf(missing !== undefined)(
  `ten training steps have the CPU's losses${missing ? ` (skipped: ${missing})` : ''}`,
  async () => {
    const [cpu, gpu] = await Promise.all([losses('cpu'), losses('webgpu')]);
    expect(cpu[9]).toBeLessThan(0.9 * cpu[0]);
    gpu.forEach((loss, i) => {
      expect(Math.abs(loss / cpu[i] - 1), `step ${i + 1}`).toBeLessThan(1e-3);
    });
  },
);
