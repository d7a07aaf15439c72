/** Looks: answered from the history, or computed once for everybody who asks for the same. */
import { ConvScopeError } from '../../shared/errors.ts'
import { parseDocument, type ExperimentDocument } from '../../shared/experiments/index.ts'
import type { Look } from '../../shared/runs.ts'
import { hashJson } from '../platform/hash.ts'
import { createLogger } from '../platform/logger.ts'
import { libraryHashes } from '../project/library-hashes.ts'
import { lookKey, type NewLook } from '../project/looks.ts'
import type { Project } from '../project/project.ts'
import type { Executor } from './executor.ts'
import { areStored, assertStored } from './stored-outputs.ts'

const log = createLogger('looks')

interface Execution {
  readonly id: string
  readonly look: Promise<Look>
  viewers: number
}

export class LookBroker {
  readonly #project: Project
  readonly #executor: Executor
  readonly #closing: AbortSignal
  /** By key, while somebody waits. */
  readonly #executions = new Map<string, Execution>()
  readonly #unfinished = new Set<Promise<unknown>>()
  #count = 0

  constructor(project: Project, executor: Executor, closing: AbortSignal) {
    this.#project = project
    this.#executor = executor
    this.#closing = closing
  }

  /**
   * @param value an experiment document, possibly of an earlier version
   * @param signal the viewer no longer wants it: the promise rejects with 'cancelled', and the computing stops if nobody else waits
   * @throws ConvScopeError of the document, the library or the executor
   */
  async look(value: unknown, signal?: AbortSignal): Promise<Look> {
    const document = parseDocument(value)
    const key = lookKey(document, libraryHashes(document, this.#project))
    const known = this.#project.looks.find(key, this.#executor.engine())
    if (known) {
      if (await areStored(this.#project.artifacts, known.outputs)) return known
      this.#project.looks.forget(key)
    }
    if (signal?.aborted || this.#closing.aborted) throw superseded()
    const execution = this.#executions.get(key) ?? this.#begin(key, document)
    return this.#waitFor(key, execution, signal)
  }

  /** Resolves when nothing is being computed any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#unfinished)
  }

  #begin(key: string, document: ExperimentDocument): Execution {
    const id = `look-${++this.#count}`
    const look = this.#execute(id, key, document).finally(() => {
      if (this.#executions.get(key)?.id === id) this.#executions.delete(key)
      this.#unfinished.delete(look)
    })
    this.#unfinished.add(look)
    // Viewers may all have left; then nobody else looks at a failure.
    look.catch(() => undefined)
    const execution = { id, look, viewers: 0 }
    this.#executions.set(key, execution)
    return execution
  }

  async #waitFor(key: string, execution: Execution, signal: AbortSignal | undefined): Promise<Look> {
    execution.viewers++
    if (!signal) return execution.look
    return new Promise((resolve, reject) => {
      const leave = () => {
        execution.viewers--
        if (execution.viewers === 0) {
          // Whoever asks again from now on begins anew.
          if (this.#executions.get(key) === execution) this.#executions.delete(key)
          this.#executor.cancel(execution.id)
        }
        reject(superseded())
      }
      signal.addEventListener('abort', leave, { once: true })
      execution.look.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
    })
  }

  async #execute(id: string, key: string, document: ExperimentDocument): Promise<Look> {
    const outcome = await this.#executor.execute(
      { id, document, checkpoint: undefined, pictures: false, look: true },
      { onEvent: () => undefined, signal: this.#closing },
    )
    const { artifacts } = this.#project
    const hashes = outcome.outputs.map(({ sha256 }) => sha256)
    if (outcome.state === 'cancelled') {
      artifacts.settle(hashes)
      await this.#project.discard(hashes)
      throw superseded()
    }
    await assertStored(artifacts, outcome.outputs)
    const look = { document, result: outcome.result, outputs: outcome.outputs, provenance: outcome.provenance }
    await this.#remember(key, look)
    return { ...look, documentHash: hashJson(document), cached: false }
  }

  /** A history that cannot be written, on a full disk, does not keep anybody from seeing what was computed. */
  async #remember(key: string, look: NewLook): Promise<void> {
    try {
      const pruned = this.#project.looks.save(key, look)
      this.#project.artifacts.settle(look.outputs.map(({ sha256 }) => sha256))
      await this.#project.discard(pruned)
    } catch (error) {
      log.warn('a look was not remembered', { error })
    }
  }
}

function superseded(): ConvScopeError {
  return new ConvScopeError('cancelled', 'This look is no longer wanted')
}
