/** A command's way to a project: it opens the project itself, or asks the process that has it open. */
import { setTimeout } from 'node:timers/promises'
import { resolve } from 'node:path'
import type { EngineWish } from '../../shared/engines.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import { cacheFolder, defaultProjectFolder } from '../platform/folders.ts'
import { openProject, type Project } from '../project/project.ts'
import { ProjectInUseError, type LockHolder } from '../project/lock.ts'
import { connectToHolder } from '../rpc/client.ts'
import { createServices } from '../services/index.ts'
import type { Services } from '../services/services.ts'
import { remoteServices } from './remote-services.ts'

/** Other commands' way to a project that this one holds. */
export interface Sharing {
  readonly isUsed: boolean
  unused(): Promise<void>
  close(): Promise<void>
}
export type ShareProject = (project: Project, services: Services) => Promise<Sharing>

export interface AccessOptions {
  /** The default project when left out. Made where it is missing. */
  readonly project?: string
  readonly engine?: EngineWish
  readonly threads?: number
  readonly workerPath: string
  readonly shareProject: ShareProject
  /** Told when another command has to be waited for. */
  readonly onWait?: (message: string) => void
  /** Aborted when nobody shall be waited for any more. */
  readonly interruption: AbortSignal
}

export interface Access {
  readonly services: Services
  /** The bytes of an artifact, hash checked. */
  artifact(sha256: string): Promise<Uint8Array>
  close(): Promise<void>
}

const WAIT_MS = 250
/** The holder may be starting or ending. */
const WAITS = 40

/**
 * @throws ConvScopeError 'conflict' for a project in use elsewhere, and whatever opening a project throws
 */
export async function openAccess(options: AccessOptions): Promise<Access> {
  const folder = resolve(options.project ?? defaultProjectFolder())
  for (let attempt = 1; ; attempt++) {
    try {
      return await local(await openProject(folder, { create: true }), options)
    } catch (error) {
      if (!(error instanceof ProjectInUseError) || !error.reachable || !error.holder) throw error
      const access = await throughHolder(error.holder)
      if (access) return access
      if (attempt > WAITS) throw error
      if (attempt === 1) options.onWait?.('Another ConvScope is opening or closing the project; waiting for it.')
      await setTimeout(WAIT_MS)
    }
  }
}

async function local(project: Project, options: AccessOptions): Promise<Access> {
  const { engine, threads, workerPath, shareProject } = options
  try {
    const services = await createServices({
      project,
      workerPath,
      cacheFolder: cacheFolder(),
      engineWish: engine,
      threads,
      shell: 'command',
    })
    const sharing = await shareProject(project, services)
    return {
      services,
      artifact: (sha256) => project.artifacts.read(sha256),
      close: async () => {
        await untilUnused(sharing, options)
        await sharing.close()
        await services.close()
        await project.close()
      },
    }
  } catch (error) {
    await project.close()
    throw error
  }
}

/** Commands that go through this one's process would lose their runs with it. */
async function untilUnused(sharing: Sharing, { onWait, interruption }: AccessOptions): Promise<void> {
  if (interruption.aborted) return
  if (sharing.isUsed) onWait?.('Another command still uses the project through this one; waiting for it to end.')
  const { promise: interrupted, resolve: stop } = Promise.withResolvers<undefined>()
  const onAbort = (): void => stop(undefined)
  interruption.addEventListener('abort', onAbort, { once: true })
  await Promise.race([sharing.unused(), interrupted])
  interruption.removeEventListener('abort', onAbort)
}

/** Undefined where the holder does not listen yet or no longer. */
async function throughHolder({ endpoint, token }: LockHolder): Promise<Access | undefined> {
  try {
    const connection = await connectToHolder({ endpoint, token })
    return {
      services: remoteServices(connection.client),
      artifact: async (sha256) => {
        const pieces: Uint8Array[] = []
        for await (const piece of await connection.artifact(sha256)) pieces.push(piece as Uint8Array)
        return Buffer.concat(pieces)
      },
      close: () => {
        connection.close()
        return Promise.resolve()
      },
    }
  } catch (error) {
    if (error instanceof ConvScopeError && error.code === 'disconnected') return undefined
    throw error
  }
}
