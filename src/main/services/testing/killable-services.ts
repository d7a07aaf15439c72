/** Services over a real worker process that a test kills. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { JobEvent } from '../../../shared/jobs.ts'
import { configureLogging } from '../../platform/logger.ts'
import { openProject } from '../../project/project.ts'
import { createServices, type RunningServices } from '../index.ts'

export interface KillableServices {
  readonly services: RunningServices
  /** Forgets what earlier runs have computed. */
  forget(): Promise<void>
  /**
   * Watches a run from the event after `after` on to its end, or to its failure. Kills the worker at the checkpoint of this number, counted
   * from 1.
   */
  follow(id: string, options?: { killAt?: number; after?: number }): Promise<JobEvent[]>
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
    follow: async (id, { killAt, after = 0 } = {}) => {
      const events: JobEvent[] = []
      let checkpoints = 0
      for await (const event of services.jobs.watch({ id })) {
        if ('seq' in event && event.seq <= after) continue
        events.push(event)
        if (event.type === 'checkpoint' && ++checkpoints === killAt) await killWorker(workerPath)
      }
      return events
    },
    close: async () => {
      await services.close()
      await project.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The worker is this process's child. @throws Error where there is not just one */
async function killWorker(workerPath: string): Promise<void> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,args='])
  const pids = stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, ...words]) => Number(parent) === process.pid && words.includes(workerPath))
    .map(([pid]) => Number(pid))
  const [pid, ...others] = pids
  if (pid === undefined || others.length > 0) throw new Error(`there are ${pids.length} workers`)
  process.kill(pid, 'SIGKILL')
}
