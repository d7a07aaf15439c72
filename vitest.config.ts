import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

/**
 * Two projects: `node` for everything that runs in Node, `page` for what needs a document.
 * Renderer tests end in `.test.ts` like all others; those under src/renderer get happy-dom.
 */
export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 30_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          environment: 'node',
          include: ['src/**/*.test.ts', 'scripts/**/*.test.ts', 'tests/**/*.test.ts', 'native/**/*.test.ts'],
          exclude: ['src/renderer/**'],
        },
      },
      {
        extends: true,
        plugins: [vue()],
        test: {
          name: 'page',
          environment: 'happy-dom',
          include: ['src/renderer/**/*.test.ts'],
          // Style sheets are left out, but for one that a test reads as text.
          css: { include: /\?raw$/ },
        },
      },
    ],
  },
})
