import { chromium } from '@playwright/test'
import type { Browser } from '@playwright/test'
import { chromiumFiles } from './chromium-files.ts'

const quiet = [
  // A camera that needs no one: frames are drawn, and who asks for it is answered at once.
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
]

/** Starts the packaged Chromium without a window. It needs nothing installed on the machine, and no ordinary user. */
export async function launchBrowser(): Promise<Browser> {
  const { executable, environment } = await chromiumFiles()
  return chromium.launch({
    executablePath: executable,
    args: quiet,
    env: { ...(process.env as Record<string, string>), ...environment },
  })
}
