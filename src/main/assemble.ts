/** What every shell is made of: an open project, the services on it, and the contract and files that are served from them. */
import { join } from 'node:path'
import type { EngineWish } from '../shared/engines.ts'
import type { ContentHandler } from './http/content.ts'
import { createContentHandler } from './http/content.ts'
import { startLocalEndpoint } from './http/local-endpoint.ts'
import { cacheFolder } from './platform/folders.ts'
import { createLogger } from './platform/logger.ts'
import { openProject } from './project/project.ts'
import type { RequestHandler } from './rpc/handler.ts'
import { createRequestHandler } from './rpc/handler.ts'
import { createServices } from './services/index.ts'
import { programFolder } from './services/program-folder.ts'
import type { Shell } from './services/services.ts'

export interface WorkstationOptions {
  /** Created where it is absent. */
  projectFolder: string
  shell: Exclude<Shell, 'command'>
  /** Goes before the settings. */
  engine?: EngineWish
  threads?: number
  /** The bundle of the worker, or its source. */
  workerPath?: string
  /** The built page. */
  pageFolder?: string
}

export interface Workstation {
  readonly rpc: RequestHandler
  readonly content: ContentHandler
  /** Lets whoever wants to open the project a second time find the page. */
  announcePage(address: string): Promise<void>
  /**
   * The end of the quit sequence, after the shell has stopped accepting: commands beside are cut off, the job under way gives
   * up with its checkpoint kept, the worker is stopped, the database closed. Every part is tried, and given at most `PART_MS`.
   */
  close(): Promise<void>
}

const PART_MS = 15_000
const log = createLogger('workstation')

/**
 * Opens the project and everything on it. The session starts in the background: page and window need not wait for it.
 * @throws ProjectInUseError where another process has the project open, and whatever `openProject` throws
 */
export async function openWorkstation(options: WorkstationOptions): Promise<Workstation> {
  const closers: [part: string, close: () => Promise<void>][] = []
  const close = () => closeAll(closers)
  try {
    const out = join(programFolder(), 'out')
    const project = await openProject(options.projectFolder, { create: true })
    closers.unshift(['project', () => project.close()])
    const services = await createServices({
      project,
      workerPath: options.workerPath ?? join(out, 'main', 'worker.js'),
      cacheFolder: cacheFolder(),
      engineWish: options.engine,
      threads: options.threads,
      shell: options.shell,
    })
    closers.unshift(['services', () => services.close()])
    const { artifacts } = project
    const { endpoint, token } = project.lock.holder
    const rpc = createRequestHandler(services, createLogger('rpc'))
    const pageFolder = options.pageFolder ?? join(out, 'renderer')
    const content = createContentHandler({ pageFolder, artifacts, log: createLogger('http') })
    const local = await startLocalEndpoint({
      endpoint,
      token,
      rpc,
      content: createContentHandler({ artifacts, log: createLogger('local') }),
      log: createLogger('local'),
    })
    closers.unshift(['local endpoint', () => local.close()])
    return { rpc, content, announcePage: (address) => project.lock.announcePage(address), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function closeAll(closers: readonly [part: string, close: () => Promise<void>][]): Promise<void> {
  for (const [part, close] of closers) {
    const { promise: late, resolve } = Promise.withResolvers<'late'>()
    const timer = setTimeout(resolve, PART_MS, 'late')
    try {
      const outcome = await Promise.race([close(), late])
      if (outcome === 'late') log.error(`the ${part} did not close in time`)
    } catch (error) {
      log.error(`the ${part} did not close well`, { error })
    } finally {
      clearTimeout(timer)
    }
  }
}
