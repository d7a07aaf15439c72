import { join } from 'node:path'
import { ensureBuilt, noNode } from './build.mjs'
import { repository } from './folders.mjs'
import { ensureInstalled } from './install.mjs'
import { nodeForProgram } from './node24.mjs'
import { obtainElectron } from './electron-runtime.mjs'
import { createProgress } from './progress.mjs'
import { runForeground } from './run.mjs'

/**
 * Installs and builds what is missing or out of date.
 * @returns {Promise<{ node: string }>} the Node that the program runs on
 */
export async function prepare({ root = repository, progress = createProgress() } = {}) {
  await ensureInstalled({ root, progress })
  const node = nodeForProgram({ root })
  if (!node) throw noNode()
  await ensureBuilt({ root, progress, node })
  return { node }
}

/** Runs the command line with the given arguments in the foreground. @returns {Promise<number>} its exit code */
export function runCommandLine(node, argumentList, { root = repository } = {}) {
  return runForeground(node, [join(root, 'out', 'main', 'cli.js'), ...argumentList])
}

/**
 * Opens the workstation: the window where there is a display and a runtime for it, else the page, with the reason.
 * @param {string} node
 * @param {string[]} argumentList of `convscope open`
 * @returns {Promise<number>} the exit code
 */
export async function openWorkstation(node, argumentList, { root = repository, progress = createProgress() } = {}) {
  if (argumentList.includes('--help') || argumentList.includes('-h'))
    return runCommandLine(node, ['open', ...argumentList], { root })
  const electron = await obtainElectron({ root, progress })
  if (electron.executable) return runForeground(electron.executable, [root, ...argumentList])
  progress.say(`Opening the page instead of a window: ${electron.reason}.`)
  return runCommandLine(node, ['serve', ...argumentList], { root })
}
