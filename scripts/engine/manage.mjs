import { parseArgs } from 'node:util'
import { printFailure } from '../lib/failure.mjs'
import { cacheFolder as defaultCacheFolder } from '../lib/folders.mjs'
import { listEngines, removeEngine, verifyEngine } from './store.mjs'

/**
 * `node scripts/engine/manage.mjs list | verify NAME | remove NAME [--cache FOLDER]`: one JSON value on stdout.
 * list → array of engines; verify → `{name, problems}`; remove → `{name, removed}`.
 * Exit code 0; 1 where verify found problems or the command failed; 2 for wrong usage.
 */
const { values, positionals } = parseArgs({ allowPositionals: true, options: { cache: { type: 'string' } } })
const cacheFolder = values.cache ?? defaultCacheFolder()
const [action, name] = positionals
const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)

try {
  if (action === 'list') {
    answer(listEngines({ cacheFolder }))
  } else if (action === 'verify' && name) {
    const problems = await verifyEngine({ cacheFolder, name })
    answer({ name, problems })
    process.exitCode = problems.length === 0 ? 0 : 1
  } else if (action === 'remove' && name) {
    answer({ name, removed: removeEngine({ cacheFolder, name }) })
  } else {
    console.error('Usage: manage.mjs list | verify NAME | remove NAME [--cache FOLDER]')
    process.exitCode = 2
  }
} catch (error) {
  printFailure(error)
  process.exitCode = 1
}
