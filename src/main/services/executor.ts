/** The job queue's executor on top of the compute session. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { EngineIdentity } from '../../shared/engines.ts'
import type { ExperimentDocument } from '../../shared/experiments/index.ts'
import type { Provenance } from '../../shared/runs.ts'
import type { Library, RunEvent } from '../../shared/wire/protocol.ts'
import type { ExecutionHooks, ExecutionOutcome, ExecutionRequest, Executor } from '../jobs/executor.ts'
import { hashJson } from '../platform/hash.ts'
import { PLATFORM, PROGRAM } from '../platform/program.ts'
import { libraryHashes, referencesOf } from '../project/library-hashes.ts'
import type { Project } from '../project/project.ts'
import { CancelledRun } from '../sessions/active-run.ts'
import type { Supervisor } from '../sessions/supervisor.ts'

type ExecutorProject = Pick<Project, 'networks' | 'datasets' | 'artifacts'>
type ExecutorSession = Pick<Supervisor, 'engine' | 'run' | 'cancel' | 'pause' | 'resume' | 'adjust'>

/** Library entries of everything that a document names. @throws ConvScopeError 'not-found' */
export function libraryOf(document: ExperimentDocument, project: Pick<Project, 'networks' | 'datasets'>): Library {
  const { networks, datasets } = referencesOf(document)
  return {
    networks: Object.fromEntries(networks.map((name) => [name, project.networks.get(name)])),
    datasets: Object.fromEntries(datasets.map((name) => [name, project.datasets.get(name)])),
  }
}

export class SessionExecutor implements Executor {
  readonly #project: ExecutorProject
  readonly #session: ExecutorSession

  constructor(project: ExecutorProject, session: ExecutorSession) {
    this.#project = project
    this.#session = session
  }

  engine(): EngineIdentity | undefined {
    return this.#session.engine
  }

  /** Resolves the document's names to library entries, runs it, and records what it was computed from and with. */
  async execute(request: ExecutionRequest, hooks: ExecutionHooks): Promise<ExecutionOutcome> {
    const { id, document, checkpoint, pictures, look } = request
    const hashes = libraryHashes(document, this.#project)
    const library = libraryOf(document, this.#project)
    const startedAt = Date.now()
    try {
      const { result, outputs, engine } = await this.#session.run(
        { id, document, library, checkpoint, pictures, priority: look ? 'look' : 'job' },
        { signal: hooks.signal, onEvent: (event) => this.#passOn(event, hooks) },
      )
      if (!engine) throw new ConvScopeError('internal', `The run ${id} was computed by a session without an engine`)
      const provenance: Provenance = {
        program: PROGRAM,
        documentHash: hashJson(document),
        ...hashes,
        engine,
        platform: PLATFORM,
        startedAt,
        finishedAt: Date.now(),
      }
      return { state: 'done', result, outputs, provenance }
    } catch (error) {
      if (error instanceof CancelledRun) return { state: 'cancelled', outputs: error.outputs }
      throw error
    }
  }

  cancel(id: string): void {
    this.#session.cancel(id)
  }

  pause(id: string): void {
    this.#session.pause(id)
  }

  resume(id: string): void {
    this.#session.resume(id)
  }

  adjust(id: string, path: string, value: number): void {
    this.#session.adjust(id, path, value)
  }

  #passOn(event: RunEvent, { onEvent }: ExecutionHooks): void {
    switch (event.type) {
      case 'started':
        onEvent({ type: 'started', engine: engineText(this.#session.engine) })
        break
      case 'checkpoint':
      case 'step':
      case 'log':
      case 'preview':
      case 'adjusted':
        onEvent(event)
        break
      case 'paused':
      case 'resumed':
        // The queue tells of these itself.
        break
    }
  }
}

/** E.g. "tensorflow, TensorFlow 2.21.0, AMD EPYC, 2 threads". */
export function engineText(engine: EngineIdentity | undefined): string {
  if (!engine) return 'no engine'
  const { name, version, device, threads } = engine
  return `${name}, ${version}, ${device}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
}
