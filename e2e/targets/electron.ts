import { _electron } from '@playwright/test'
import type { ElectronApplication } from '@playwright/test'
import { findElectron, hasDisplay } from '../../scripts/lib/electron-runtime.mjs'
import { repository } from '../../scripts/lib/folders.mjs'

/** The Electron runtime where it can be used, else the reason why the Electron target is skipped. */
export function electronTarget(): { executable: string } | { reason: string } {
  const executable = findElectron()
  if (!executable) return { reason: 'the Electron runtime is not installed' }
  if (!hasDisplay()) return { reason: 'there is no display' }
  return { executable }
}

/** Starts the built program in Electron. */
export async function launchElectron(
  executable: string,
  argumentList: string[],
  environment: Record<string, string>,
): Promise<ElectronApplication> {
  const unprivileged = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return _electron.launch({
    executablePath: executable,
    args: [...unprivileged, repository, ...argumentList],
    env: environment,
  })
}
