import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from './failure.mjs'
import { repository } from './folders.mjs'
import { hashTree } from './hash.mjs'
import { withLock } from './lock.mjs'
import { nodeForProgram } from './node24.mjs'
import { createProgress } from './progress.mjs'
import { run } from './run.mjs'

const inputs = [
  'src',
  'electron.vite.config.ts',
  'tsconfig.json',
  'tsconfig.web.json',
  'tsconfig.node.json',
  'package.json',
  'package-lock.json',
]
const outputs = [
  'out/main/index.js',
  'out/main/server.js',
  'out/main/cli.js',
  'out/main/worker.js',
  'out/main/engine-thread.js',
  'out/preload/index.cjs',
  'out/renderer/index.html',
]

function isCurrent(root, hash) {
  try {
    return (
      readFileSync(join(root, 'out', '.convscope-build'), 'utf8') === hash &&
      outputs.every((name) => existsSync(join(root, name)))
    )
  } catch {
    return false
  }
}

/**
 * Builds out/ when the sources have changed since the last build that was finished.
 * @param {{ root?: string, progress?: ReturnType<typeof createProgress>, node?: string }} [options]
 * @returns {Promise<'unchanged' | 'built'>}
 * @throws {Failure} no-node, build-failed
 */
export async function ensureBuilt({
  root = repository,
  progress = createProgress(),
  node = nodeForProgram({ root }),
} = {}) {
  const sourceHash = () => hashTree(root, inputs, (path) => !path.endsWith('.test.ts'))
  if (isCurrent(root, sourceHash())) return 'unchanged'
  if (!node) throw noNode()
  const onWait = (pid) => progress.say(`Another process (${pid}) is building; waiting for it.`)
  return withLock(join(root, '.convscope-build.lock'), { onWait }, async () => {
    const hash = sourceHash()
    if (isCurrent(root, hash)) return 'unchanged'
    const stamp = join(root, 'out', '.convscope-build')
    mkdirSync(join(root, 'out'), { recursive: true })
    rmSync(stamp, { force: true })
    progress.update('Building the program …')
    const builder = join(root, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js')
    const result = await run(node, [builder, 'build'], { cwd: root, env: { ...process.env, NODE_ENV: 'production' } })
    progress.clear()
    if (result.code !== 0)
      throw new Failure('build-failed', 'The program could not be built.', result.output.slice(-4000))
    writeFileSync(stamp, hash)
    return 'built'
  })
}

/** There is neither a bundled Node 24 for this system nor a new enough one at hand. */
export function noNode() {
  return new Failure(
    'no-node',
    `There is no bundled Node 24 for ${process.platform}-${process.arch}, and this is Node ${process.versions.node}.`,
    'Install Node.js 24 or newer and run the same command with it.',
  )
}
