// Brings the other programs that tests compare with (Debian packages). Without them, tests that need one skip and
// say so; nothing of the product needs them.
import { spawnSync } from 'node:child_process';

const packages = ['chromium', 'libtiff-tools', 'libvips-tools', 'python3-tifffile', 'python3-zarr'];

const isInstalled = (name: string): boolean =>
  spawnSync('dpkg-query', ['-W', `-f=\${db:Status-Status}`, name], { encoding: 'utf8' }).stdout ===
  'installed';

const apt = (...args: string[]): boolean =>
  spawnSync('apt-get', ['-y', '-qq', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  }).status === 0;

const missing = packages.filter((name) => !isInstalled(name));
if (missing.length > 0) {
  const wanted = missing.join(' ');
  const isDebian = spawnSync('apt-get', ['--version']).status === 0;
  if (!isDebian || process.getuid?.() !== 0) {
    const how = isDebian ? ` (sudo apt-get install ${wanted})` : '';
    console.error(`Not installed: ${wanted}${how}. Tests that compare with them will skip.`);
  } else {
    console.error(`Installing what tests compare with: ${wanted}`);
    const install = () => apt('install', '--no-install-recommends', ...missing);
    if (!install() && !(apt('update') && install())) {
      console.error(`Could not install ${wanted}. Tests that compare with them will skip.`);
    }
  }
}
