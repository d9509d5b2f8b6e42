// The other programs that the conformance tests compare with, and the shared images.
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Debian's Python, which has tifffile and zarr; HRPN_PYTHON names another. */
const python = process.env.HRPN_PYTHON ?? '/usr/bin/python3';

/** Why the tests that need other programs skip; undefined when all are there. */
export const missingTools: string | undefined = (() => {
  const hasModules = spawnSync(python, ['-c', 'import numcodecs, numpy, tifffile, zarr']).status === 0;
  const lacking = [
    ...(hasModules ? [] : ['python3-tifffile, python3-zarr']),
    ...Object.entries({ vips: 'libvips-tools', tiffcp: 'libtiff-tools' }).flatMap(
      ([program, debianPackage]) => (spawnSync('which', [program]).status === 0 ? [] : [debianPackage]),
    ),
  ];
  return lacking.length === 0 ? undefined : `not installed: ${lacking.join(', ')}`;
})();

/** Runs one of the scripts beside this file, or code given with '-c'. @returns what it prints */
export async function runPython(...args: readonly string[]): Promise<string> {
  const [script, ...rest] = args;
  const file = script === '-c' ? script : fileURLToPath(new URL(script, import.meta.url));
  return (await run(python, [file, ...rest], { maxBuffer: 2 ** 28 })).stdout;
}

/** @returns what it prints */
export async function runTool(name: string, ...args: readonly string[]): Promise<string> {
  return (await run(name, args)).stdout;
}
