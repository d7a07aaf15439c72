import { resolve } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'electron-vite'

const source = (path: string): string => resolve(import.meta.dirname, 'src', path)

/**
 * Three bundles:
 * - `out/main/*.js`: everything that runs in Node. Six entries share chunks; npm dependencies stay in node_modules.
 * - `out/preload/index.cjs`: one CommonJS file, because Electron's sandbox loads nothing else.
 * - `out/renderer/`: the page. Its Content-Security-Policy allows only files of its own origin, so nothing may be
 *   inlined into the document: no data: assets, no module-preload polyfill script.
 */
export default defineConfig({
  main: {
    build: {
      outDir: 'out/main',
      // The optional package is not in `dependencies`, and its native library lies beside its own files.
      externalizeDeps: { include: ['webgpu'] },
      sourcemap: true,
      rolldownOptions: {
        input: {
          index: source('main/index.ts'),
          server: source('main/server.ts'),
          cli: source('main/cli.ts'),
          worker: source('compute/worker/main.ts'),
          'engine-thread': source('compute/worker/engine-thread.ts'),
          'engine-probe': source('compute/engines/engine-probe.ts'),
        },
        output: {
          format: 'es',
          entryFileNames: '[name].js',
          chunkFileNames: 'chunks/[name]-[hash].js',
        },
      },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      externalizeDeps: false,
      rolldownOptions: {
        input: { index: source('preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: source('renderer'),
    // The page has addresses of its own below the root; electron-vite's preset sets './' for production.
    plugins: [vue(), { name: 'base-at-the-root', config: () => ({ base: '/' }) }],
    build: {
      outDir: resolve(import.meta.dirname, 'out/renderer'),
      emptyOutDir: true,
      assetsInlineLimit: 0,
      minify: true,
      modulePreload: { polyfill: false },
      rolldownOptions: { input: source('renderer/index.html') },
    },
  },
})
