/** Shows an address in the user's browser, where there is one to be seen. */
import { spawn } from 'node:child_process'

export interface Surroundings {
  platform: NodeJS.Platform
  environment: Readonly<Record<string, string | undefined>>
}

/** Whether windows can be shown at all. */
export function hasDisplay({ platform, environment }: Surroundings): boolean {
  if (platform === 'darwin' || platform === 'win32') return true
  return Boolean(environment['DISPLAY'] || environment['WAYLAND_DISPLAY'])
}

/** The command that shows an address, or undefined where nobody would see it. */
export function browserCommand(
  address: string,
  surroundings: Surroundings,
): [file: string, ...args: string[]] | undefined {
  if (!hasDisplay(surroundings)) return undefined
  if (surroundings.platform === 'darwin') return ['open', address]
  // Not `start`, which would give the address to a command shell.
  if (surroundings.platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler', address]
  return ['xdg-open', address]
}

/** Tries to show the address. Without a display or a browser nothing happens: the address was printed. */
export function openBrowser(
  address: string,
  surroundings: Surroundings = { platform: process.platform, environment: process.env },
): void {
  const command = browserCommand(address, surroundings)
  if (!command) return
  const [file, ...args] = command
  const child = spawn(file, args, { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}
