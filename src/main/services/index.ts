/** Puts the use cases together on an open project. */
import { join } from 'node:path'
import type { EngineWish } from '../../shared/engines.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import { JobQueue } from '../jobs/queue.ts'
import { configFolder } from '../platform/folders.ts'
import { createLogger } from '../platform/logger.ts'
import type { Project } from '../project/project.ts'
import { localLaunch } from '../sessions/launcher.ts'
import { Supervisor } from '../sessions/supervisor.ts'
import type { SupervisorOptions } from '../sessions/supervisor-types.ts'
import { addBuiltIns } from './built-in.ts'
import { createDatasets } from './datasets.ts'
import { SessionExecutor } from './executor.ts'
import { createJobs } from './jobs.ts'
import { createLayerPages } from './layer-pages.ts'
import { NativeEngine } from './native-engine.ts'
import { FileSession } from './file-session.ts'
import { createLive } from './live.ts'
import { createNetworks } from './networks.ts'
import { programFolder as findProgramFolder } from './program-folder.ts'
import { createPresets } from './presets.ts'
import { createRuns } from './runs.ts'
import type { Services, Shell } from './services.ts'
import { SettingsFile } from './settings-file.ts'
import { createSystem } from './system.ts'
import { enterTrainedNetworks } from './trained-network.ts'

export interface ServicesOptions {
  readonly project: Project
  /** The worker's entry: `worker.js` beside the bundles, or its source. */
  readonly workerPath: string
  readonly cacheFolder: string
  /** Goes before the settings. */
  readonly engineWish?: EngineWish
  readonly threads?: number
  readonly shell: Shell
  readonly configFolder?: string
  readonly programFolder?: string
  /** Fetches a missing native engine by itself: by default in a window or page, unless `CONVSCOPE_FETCH_ENGINE` is `never`. */
  readonly fetchEngine?: boolean
  /** Starts the session at once, so that the first look finds it warm: by default in a window or page. */
  readonly startSession?: boolean
}

export type RunningServices = Services & {
  readonly nativeEngine: NativeEngine
  /** Stops the job under way (it waits for the next start), the session and the streams. The project stays open. */
  close(): Promise<void>
}

const log = createLogger('services')

/**
 * The program's use cases on an open project. Adds the built-in network and data set to it.
 * @throws ConvScopeError 'unsupported' where there is no Node to run workers on
 */
export async function createServices(options: ServicesOptions): Promise<RunningServices> {
  const { project, workerPath, cacheFolder, shell } = options
  const programFolder = options.programFolder ?? findProgramFolder()
  const settings = new SettingsFile(options.configFolder ?? configFolder())
  const stored = await settings.read()
  const isInteractive = shell !== 'command'
  const problems = await addBuiltIns(project, programFolder)

  const session: Omit<SupervisorOptions, 'name' | 'engine'> = {
    launch: (threads) => localLaunch({ workerPath, threads, compileCacheFolder: join(cacheFolder, 'compiled') }),
    cacheFolder,
    artifactFolders: [project.artifacts.folder],
    artifactFiles: Object.fromEntries(project.artifacts.builtInFiles),
    scratchFolder: project.artifacts.scratchFolder,
    keepOutput: async (delivery) => {
      const { record } = delivery
      if ('bytes' in delivery) await project.artifacts.put(delivery.bytes)
      else await project.artifacts.adopt(delivery.file, record.sha256)
      return record
    },
    logger: createLogger('worker'),
  }
  const supervisor = new Supervisor({
    ...session,
    name: 'compute',
    engine: options.engineWish ?? stored.engine,
    threads: options.threads ?? stored.threads,
  })
  const files = new FileSession({ ...session, logger: createLogger('files') })
  const nativeEngine = new NativeEngine({
    programFolder,
    cacheFolder,
    givenFolder: process.env['CONVSCOPE_TENSORFLOW_DIR'] || undefined,
  })
  const queue = new JobQueue(project, new SessionExecutor(project, supervisor), {
    beginWaiting: isInteractive,
    whenDone: enterTrainedNetworks(project),
  })
  const system = createSystem({
    project,
    supervisor,
    nativeEngine,
    settings,
    cacheFolder,
    shell,
    problems,
    forced: {
      ...(options.engineWish ? { engine: options.engineWish } : {}),
      ...(options.threads ? { threads: options.threads } : {}),
    },
  })

  if (options.startSession ?? isInteractive) {
    void supervisor.start().catch((error: unknown) => {
      const isClosing = error instanceof ConvScopeError && error.code === 'cancelled'
      if (!isClosing) log.warn('the session did not start', { error })
    })
  }
  const mayFetch = options.fetchEngine ?? (isInteractive && process.env['CONVSCOPE_FETCH_ENGINE'] !== 'never')
  void lookForEngine(nativeEngine, system, mayFetch)

  const layersOf = createLayerPages(supervisor)
  const networks = createNetworks(project, supervisor, files, layersOf)
  const architectures = async (): Promise<string[]> => (await networks.architectures()).map(({ name }) => name)

  return {
    system,
    networks,
    datasets: createDatasets(project, supervisor, files),
    jobs: createJobs(queue, project, { project, layersOf, architectures }),
    runs: createRuns(project, queue),
    presets: createPresets(project),
    live: createLive(project, supervisor),
    nativeEngine,
    close: async () => {
      nativeEngine.close()
      await files.close()
      await queue.close()
      await supervisor.stop('The program closes')
      system.close()
    },
  }
}

async function lookForEngine(
  nativeEngine: NativeEngine,
  system: Pick<Services['system'], 'installEngine'>,
  mayFetch: boolean,
): Promise<void> {
  try {
    const { state } = await nativeEngine.refresh()
    if (state === 'missing' && mayFetch) await system.installEngine()
  } catch (error) {
    log.warn('the native engines were not looked for', { error })
  }
}
