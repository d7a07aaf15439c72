/** An executor whose executions are steered by the test. */
import { ConvScopeError } from '../../../shared/errors.ts'
import type { EngineIdentity } from '../../../shared/engines.ts'
import type { OutputRecord } from '../../../shared/runs.ts'
import type { Project } from '../../project/project.ts'
import { SAMPLE_ENGINE, sampleOutput, sampleProvenance } from '../../project/testing/samples.ts'
import type { ExecutionEvent, ExecutionHooks, ExecutionOutcome, ExecutionRequest, Executor } from '../executor.ts'

/** One execution that has begun and waits for what the test makes of it. */
export class FakeExecution {
  readonly request: ExecutionRequest
  readonly hooks: ExecutionHooks
  readonly outcome: Promise<ExecutionOutcome>
  readonly told: ('cancel' | 'pause' | 'resume' | `${string} = ${number}`)[] = []
  readonly #settle: PromiseWithResolvers<ExecutionOutcome>

  constructor(request: ExecutionRequest, hooks: ExecutionHooks) {
    this.request = request
    this.hooks = hooks
    this.#settle = Promise.withResolvers()
    this.outcome = this.#settle.promise
    hooks.signal.addEventListener('abort', () => this.fail(new ConvScopeError('cancelled', 'stopped')))
  }

  tell(...events: ExecutionEvent[]): void {
    for (const event of events) this.hooks.onEvent(event)
  }

  step(done: number, values: Record<string, number> = {}): void {
    this.tell({ type: 'step', done, total: 10, unit: 'steps', values })
  }

  done(outputs: OutputRecord[] = []): void {
    const provenance = sampleProvenance(this.request.document)
    this.#settle.resolve({ state: 'done', result: { of: this.request.id }, outputs, provenance })
  }

  cancelled(outputs: OutputRecord[] = []): void {
    this.#settle.resolve({ state: 'cancelled', outputs })
  }

  fail(error: unknown): void {
    this.#settle.reject(error)
  }
}

export class FakeExecutor implements Executor {
  identity: EngineIdentity | undefined = SAMPLE_ENGINE
  readonly executions: FakeExecution[] = []
  readonly #waiting: ((execution: FakeExecution) => void)[] = []
  #taken = 0

  engine(): EngineIdentity | undefined {
    return this.identity
  }

  execute(request: ExecutionRequest, hooks: ExecutionHooks): Promise<ExecutionOutcome> {
    const execution = new FakeExecution(request, hooks)
    this.executions.push(execution)
    const next = this.#waiting.shift()
    if (next) {
      this.#taken++
      next(execution)
    }
    return execution.outcome
  }

  /** The next execution, as soon as it has begun. */
  next(): Promise<FakeExecution> {
    const execution = this.executions[this.#taken]
    if (execution) {
      this.#taken++
      return Promise.resolve(execution)
    }
    const { promise, resolve } = Promise.withResolvers<FakeExecution>()
    this.#waiting.push(resolve)
    return promise
  }

  cancel(id: string): void {
    this.#of(id)?.told.push('cancel')
  }

  pause(id: string): void {
    this.#of(id)?.told.push('pause')
  }

  resume(id: string): void {
    this.#of(id)?.told.push('resume')
  }

  adjust(id: string, path: string, value: number): void {
    this.#of(id)?.told.push(`${path} = ${value}`)
  }

  #of(id: string): FakeExecution | undefined {
    return this.executions.find(({ request }) => request.id === id)
  }
}

/** Finishes the next execution with one output made of `text`. */
export async function finishNext(executor: FakeExecutor, project: Project, text: string): Promise<FakeExecution> {
  const execution = await executor.next()
  execution.done([await sampleOutput(project, Buffer.from(text))])
  return execution
}
