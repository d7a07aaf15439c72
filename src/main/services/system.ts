/** The program itself: session, engines, settings, health. */
import { cpus, freemem, totalmem } from 'node:os'
import type { DoctorReport, ProjectHealth, Settings, SystemStatus } from '../../shared/contract/system.ts'
import type { EngineReport } from '../../shared/engines.ts'
import type { SessionStatus } from '../../shared/session.ts'
import { createLogger } from '../platform/logger.ts'
import { PLATFORM, PROGRAM } from '../platform/program.ts'
import { checkProject } from '../project/doctor.ts'
import type { Project } from '../project/project.ts'
import { LatestValue } from '../sessions/latest-value.ts'
import type { Supervisor } from '../sessions/supervisor.ts'
import type { NativeEngine } from './native-engine.ts'
import type { Shell, SystemService } from './services.ts'
import type { SettingsFile } from './settings-file.ts'

const log = createLogger('system')
const MEMORY_INTERVAL_MS = 2000

export interface SystemParts {
  readonly project: Project
  readonly supervisor: Supervisor
  readonly nativeEngine: NativeEngine
  readonly settings: SettingsFile
  readonly cacheFolder: string
  readonly shell: Shell
  /** What was found wrong with the project when it was opened. */
  readonly problems: readonly string[]
  /** What this process was started with goes before the settings. */
  readonly forced: Partial<Pick<Settings, 'engine' | 'threads'>>
}

export function createSystem(parts: SystemParts): SystemService & { close(): void } {
  const { project, supervisor, nativeEngine, settings, cacheFolder, shell, problems, forced } = parts
  const status = new StatusFeed(supervisor, nativeEngine)

  const wanted = async (): Promise<Settings> => ({ ...(await settings.read()), ...forced })

  /** Once the native engine is there; a session on a fast engine, or on one that the user chose, stays as it is. */
  const changeOver = async (): Promise<void> => {
    const { engine, threads } = await wanted()
    const runsOn = supervisor.engine?.name
    const isSlow = runsOn === undefined || runsOn === 'wasm' || runsOn === 'cpu'
    if (!isSlow || (engine !== 'auto' && engine !== 'tensorflow')) return
    status.note('The native engine is ready; the session changes over as soon as nothing runs.')
    try {
      await supervisor.setEngine(engine, threads, 'idle')
    } finally {
      status.note(undefined)
    }
  }
  let fetching: Promise<void> | undefined
  const fetchEngine = async (): Promise<void> => {
    try {
      await nativeEngine.install()
    } catch (error) {
      log.warn('the native engine was not installed', { error })
      return
    }
    await changeOver().catch((error: unknown) => log.warn('the native engine does not start', { error }))
  }

  return {
    about: async () => ({ program: PROGRAM, project: { name: project.name, folder: project.folder }, shell }),
    status: ({ signal } = {}) => status.watch(signal),
    doctor: async ({ full, speed = true }) => {
      const engines = speed ? await measuredEngines(supervisor) : supervisor.currentStatus.engines
      const report: DoctorReport = {
        program: PROGRAM,
        platform: PLATFORM,
        node: process.versions.node,
        cpu: cpus()[0]?.model.trim() ?? 'unknown',
        cores: cpus().length,
        memoryBytes: totalmem(),
        freeMemoryBytes: freemem(),
        engines,
        session: supervisor.currentStatus,
        folders: { project: project.folder, cache: cacheFolder, config: settings.folder },
        versions: versions(supervisor.currentStatus),
        project: withProblems(await checkProject(project, { full }), problems),
      }
      return report
    },
    settings: () => settings.read(),
    changeSettings: async (change) => {
      const before = await wanted()
      const changed = await settings.change(change)
      const after = await wanted()
      if (before.engine !== after.engine || before.threads !== after.threads) {
        void supervisor
          .setEngine(after.engine, after.threads, 'idle')
          .catch((error: unknown) => log.warn('the engine of the settings does not start', { error }))
      }
      return changed
    },
    restartSession: async () => {
      await supervisor.stop('The session was restarted')
      await supervisor.start()
    },
    installEngine: async () => {
      if ((await nativeEngine.refresh()).state === 'installed') return
      fetching ??= fetchEngine().finally(() => {
        fetching = undefined
      })
    },
    close: () => status.close(),
  }
}

function withProblems(health: ProjectHealth, more: readonly string[]): ProjectHealth {
  const problems = [...more, ...health.problems]
  return { ...health, problems, ok: problems.length === 0 }
}

/** Every engine with its reason and measured speed. A session that does not start is part of the report. */
async function measuredEngines(supervisor: Supervisor): Promise<EngineReport[]> {
  try {
    await supervisor.start()
    const { result: probed } = await supervisor.call('engines', {})
    return mergedReports(probed, supervisor.currentStatus.engines)
  } catch (error) {
    log.warn('the engines were not measured', { error })
    return supervisor.currentStatus.engines
  }
}

/** What was measured just now, with what the session knows about why it took its engine and none of the others. */
export function mergedReports(probed: readonly EngineReport[], session: readonly EngineReport[]): EngineReport[] {
  const taken = session.find(({ state }) => state === 'taken')
  const merged = probed.map((report): EngineReport => {
    const known = session.find(({ name }) => name === report.name)
    if (known?.state === 'taken') return { ...report, state: 'taken', reason: known.reason, identity: known.identity }
    if (report.state !== 'available') return report
    if (known?.state === 'available') return { ...report, reason: known.reason }
    return taken ? { ...report, reason: `not used: ${taken.name} was ${taken.reason}` } : report
  })
  return [...merged, ...session.filter(({ name }) => !probed.some((report) => report.name === name))]
}

function versions({ engine }: SessionStatus): Record<string, string> {
  const { node, v8, sqlite, uv } = process.versions
  return {
    node,
    v8,
    ...(sqlite ? { sqlite } : {}),
    uv,
    ...(engine ? { engine: engine.version } : {}),
    ...(process.versions['electron'] ? { electron: process.versions['electron'] } : {}),
  }
}

/** Session, native engine and memory as one stream. */
class StatusFeed {
  readonly #supervisor: Supervisor
  readonly #nativeEngine: NativeEngine
  readonly #closing = new AbortController()
  readonly #memory: NodeJS.Timeout
  readonly #latest: LatestValue<SystemStatus>
  #note: { message: string; engine: string | undefined } | undefined

  constructor(supervisor: Supervisor, nativeEngine: NativeEngine) {
    this.#supervisor = supervisor
    this.#nativeEngine = nativeEngine
    this.#latest = new LatestValue(this.#read())
    const { signal } = this.#closing
    void this.#follow(supervisor.status(signal))
    void this.#follow(nativeEngine.state.watch(signal))
    this.#memory = setInterval(() => this.#update(), MEMORY_INTERVAL_MS)
    this.#memory.unref()
  }

  watch(signal?: AbortSignal): AsyncIterable<SystemStatus> {
    const { signal: closing } = this.#closing
    return this.#latest.watch(signal ? AbortSignal.any([signal, closing]) : closing)
  }

  /** A sentence that goes with the session's state until it is taken back, or until the session is ready on another engine. */
  note(message: string | undefined): void {
    this.#note = message === undefined ? undefined : { message, engine: this.#supervisor.engine?.name }
    this.#update()
  }

  close(): void {
    clearInterval(this.#memory)
    this.#closing.abort()
  }

  async #follow(changes: AsyncIterable<unknown>): Promise<void> {
    for await (const _ of changes) this.#update()
  }

  #update(): void {
    const next = this.#read()
    const { value } = this.#latest
    const grown = Math.abs(next.mainResidentBytes - value.mainResidentBytes) > 4e6
    if (
      grown ||
      JSON.stringify([next.session, next.nativeEngine]) !== JSON.stringify([value.session, value.nativeEngine])
    ) {
      this.#latest.set(next)
    }
  }

  #read(): SystemStatus {
    const session = this.#supervisor.currentStatus
    const isMoot = session.engine !== undefined && session.engine.name !== this.#note?.engine
    const note = isMoot ? undefined : this.#note?.message
    const message = session.message ?? note ?? this.#slowerThanWished(session)
    return {
      session: message === undefined ? session : { ...session, message },
      nativeEngine: this.#nativeEngine.state.value,
      mainResidentBytes: process.memoryUsage.rss(),
    }
  }

  #slowerThanWished(session: SessionStatus): string | undefined {
    if (session.engine?.name !== 'wasm') return undefined
    const { state } = this.#nativeEngine.state.value
    if (state === 'installing') return 'Computing with WebAssembly while the native engine is being fetched.'
    if (state === 'missing' || state === 'failed')
      return 'Computing with WebAssembly: the native engine is not installed.'
    return undefined
  }
}
