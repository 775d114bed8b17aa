// How the page is built: few plain files, nothing inlined as data: URLs, the same bytes on every machine.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: ['chrome123', 'firefox121', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: true,
  },
  server: { proxy: { '/api': { target: process.env['DRYDOCK_URL'] ?? 'http://127.0.0.1:8080', ws: true } } },
});
