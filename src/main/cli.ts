/** The command line. Runs under Node alone: nothing here needs a window. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT } from './cli/follow-run.ts'
import { runCommandLine } from './cli/program.ts'
import { createContentHandler } from './http/content.ts'
import { startLocalEndpoint } from './http/local-endpoint.ts'
import { dataFolder } from './platform/folders.ts'
import { configureLogging, createLogger } from './platform/logger.ts'
import type { ShareProject } from './cli/access.ts'
import { createRequestHandler } from './rpc/handler.ts'

/** Beside the bundle; in the sources where they are run directly. */
function workerPath(): string {
  const bundled = join(import.meta.dirname, 'worker.js')
  return existsSync(bundled) ? bundled : join(import.meta.dirname, '..', 'compute', 'worker', 'main.ts')
}

const shareProject: ShareProject = ({ lock, artifacts }, services) => {
  const log = createLogger('local')
  const { endpoint, token } = lock.holder
  return startLocalEndpoint({
    endpoint,
    token,
    rpc: createRequestHandler(services, log),
    content: createContentHandler({ artifacts, log }),
    log,
  })
}

configureLogging({ path: join(dataFolder(), 'logs', 'command.log'), file: 'info' })

const interruption = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // Who asks twice does not want to wait for a clean end.
    if (interruption.signal.aborted) process.exit(EXIT.interrupted)
    interruption.abort()
  })
}

process.exitCode = await runCommandLine(process.argv.slice(2), {
  streams: { out: process.stdout, err: process.stderr },
  workerPath: workerPath(),
  shareProject,
  interruption: interruption.signal,
})
