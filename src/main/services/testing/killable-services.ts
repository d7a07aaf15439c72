/** Services over a real worker process that a test kills. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { JobEvent } from '../../../shared/jobs.ts'
import type { Json } from '../../../shared/values.ts'
import { configureLogging } from '../../platform/logger.ts'
import { openProject } from '../../project/project.ts'
import { createServices, type RunningServices } from '../index.ts'

export interface KillableServices {
  readonly services: RunningServices
  /** Forgets what earlier runs have computed. */
  forget(): Promise<void>
  /** Watches a run from the event after `after` on to its end, or to its failure. */
  follow(id: string, options?: { after?: number }): Promise<JobEvent[]>
  /** Starts a run and kills the worker at the checkpoint of this number, counted from 1. @returns its id and events */
  startAndKill(document: Json, killAt: number): Promise<{ id: string; events: JobEvent[] }>
  close(): Promise<void>
}

/** WebAssembly on one thread, in a project of its own. */
export async function startKillableServices(workerPath: string): Promise<KillableServices> {
  configureLogging({ stderr: 'off' })
  const folder = await mkdtemp(join(tmpdir(), 'convscope-kill-'))
  const project = await openProject(join(folder, 'project'), { create: true })
  const services = await createServices({
    project,
    workerPath,
    cacheFolder: join(folder, 'cache'),
    configFolder: join(folder, 'config'),
    engineWish: 'wasm',
    threads: 1,
    shell: 'page',
    fetchEngine: false,
  })
  return {
    services,
    forget: () => rm(join(folder, 'cache', 'computed'), { recursive: true }),
    follow: async (id, { after = 0 } = {}) => {
      const events: JobEvent[] = []
      for await (const event of services.jobs.watch({ id }))
        if (!('seq' in event) || event.seq > after) events.push(event)
      return events
    },
    startAndKill: async (document, killAt) => {
      for await (const { session } of services.system.status()) if (session.state === 'ready') break
      // Looked for before the run: while that takes its time the run would go on.
      const worker = await workerPid(workerPath)
      const { id } = await services.jobs.start({ document })
      const events: JobEvent[] = []
      let checkpoints = 0
      for await (const event of services.jobs.watch({ id })) {
        events.push(event)
        if (event.type === 'checkpoint' && ++checkpoints === killAt) process.kill(worker, 'SIGKILL')
      }
      return { id, events }
    },
    close: async () => {
      await services.close()
      await project.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The worker is this process's child. @throws Error where there is not just one */
async function workerPid(workerPath: string): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,args='])
  const pids = stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, ...words]) => Number(parent) === process.pid && words.includes(workerPath))
    .map(([pid]) => Number(pid))
  const [pid, ...others] = pids
  if (pid === undefined || others.length > 0) throw new Error(`there are ${pids.length} workers`)
  return pid
}
