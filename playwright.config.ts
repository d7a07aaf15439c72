import { defineConfig } from '@playwright/test'
import type { Target } from './e2e/fixtures/workstation.ts'
import { electronTarget } from './e2e/targets/electron.ts'

const electron = electronTarget()
const inWorker = process.env['TEST_WORKER_INDEX'] !== undefined

if ('reason' in electron && !inWorker) console.warn(`Electron target skipped: ${electron.reason}.`)

/** One suite, two targets: the page in the packaged Chromium, and the Electron window where the runtime exists. */
export default defineConfig<object, { target: Target }>({
  testDir: 'e2e/specs',
  outputDir: 'test-results/e2e',
  workers: 1,
  fullyParallel: false,
  // A busy machine may need its time; what comes sooner is noticed at once.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  forbidOnly: true,
  reporter: [['list']],
  projects: [
    { name: 'browser', use: { target: 'browser' } },
    ...('executable' in electron ? [{ name: 'electron', use: { target: 'electron' as const } }] : []),
  ],
})
