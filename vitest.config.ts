import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

/**
 * Two projects: `node` for everything that runs in Node, `page` for what needs a document.
 * Renderer tests end in `.test.ts` like all others; those under src/renderer get happy-dom.
 */
export default defineConfig({
  test: {
    pool: 'forks',
    // Many files wait for processes that they start, so two share two cores well; vitest would leave one core to itself.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Programs and workers that tests start need not compile the same sources again; Node itself notices changed ones.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/test-workers') },
    // No test needs as long; on a machine with much else to do some need more than a minute.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    setupFiles: [join(import.meta.dirname, 'tests/patience.ts')],
    expect: { poll: { timeout: 30_000 } },
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
          // Making a document takes ten times as long as most of these tests: they share processes.
          isolate: false,
          include: ['src/renderer/**/*.test.ts'],
          // Style sheets are left out, but for one that a test reads as text.
          css: { include: /\?raw$/ },
        },
      },
    ],
  },
})
