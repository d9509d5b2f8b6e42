import { defineConfig } from 'vite';

export default defineConfig({
  base: '/',
  // Viv's readers are bundled once, in the version that Viv was written for.
  resolve: { dedupe: ['geotiff', 'zarrita', 'react', 'react-dom', '@deck.gl/core', '@luma.gl/core'] },
  build: {
    outDir: '../dist/studio',
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 2500,
    // The viewer is loaded beside the page, so that lists and forms need not wait for it.
    modulePreload: { polyfill: false },
  },
});
