import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

// Else a build that a test starts would hold React's slow development form.
process.env.NODE_ENV = 'production';

export default defineConfig({
  base: '/',
  // Viv's readers are bundled once, in the version that Viv was written for.
  resolve: {
    dedupe: ['geotiff', 'zarrita', 'react', 'react-dom', '@deck.gl/core', '@luma.gl/core'],
    // Only for WebGPU, which Viv does not draw with; a quarter of the viewer's size.
    alias: { wgsl_reflect: fileURLToPath(new URL('src/viewer/no-webgpu.ts', import.meta.url)) },
  },
  build: {
    outDir: '../dist/studio',
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 2500,
    // The viewer is loaded beside the page, so that lists and forms need not wait for it.
    modulePreload: { polyfill: false },
  },
});
