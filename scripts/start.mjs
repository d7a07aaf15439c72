import { openWorkstation, prepare } from './lib/bootstrap.mjs'
import { printFailure } from './lib/failure.mjs'
import { createProgress } from './lib/progress.mjs'

/**
 * `npm start -- [PROJECT] [--project P] [--port N] …`: installs and builds what is missing, then opens the workstation.
 * Needs Node 20; the program itself runs on the bundled Node 24. The native engine is fetched by the program, in the
 * background, while it can already be used.
 */
const progress = createProgress()
try {
  const { node } = await prepare({ progress })
  process.exitCode = await openWorkstation(node, process.argv.slice(2), { progress })
} catch (error) {
  progress.clear()
  printFailure(error)
  process.exitCode = 1
}
