#!/usr/bin/env node
import { openWorkstation, prepare, runCommandLine } from '../scripts/lib/bootstrap.mjs'
import { printFailure } from '../scripts/lib/failure.mjs'
import { createProgress } from '../scripts/lib/progress.mjs'

/**
 * The command `convscope`. Runs on Node 20 or newer; installs and builds first where that is needed (messages on
 * stderr), then hands over to the program under its own Node 24: same stdin, stdout, stderr, signals and exit code.
 */
const argumentList = process.argv.slice(2)
const progress = createProgress()
try {
  const { node } = await prepare({ progress })
  const opens = argumentList.length === 0 || argumentList[0] === 'open'
  process.exitCode = await (opens
    ? openWorkstation(node, argumentList.slice(1), { progress })
    : runCommandLine(node, argumentList))
} catch (error) {
  progress.clear()
  printFailure(error)
  process.exitCode = 1
}
