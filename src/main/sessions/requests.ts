import { ConvScopeError } from '../../shared/errors.ts'
import type { FromWorker } from '../../shared/wire/protocol.ts'
import type { Answer, RequestHandlers } from './session-types.ts'

type RequestMessage = Extract<FromWorker, { id: string }>

interface Pending {
  readonly handlers: RequestHandlers
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: ConvScopeError) => void
}

/** Runs and calls that a worker has not answered yet, by id. */
export class Requests {
  readonly #pending = new Map<string, Pending>()

  /** @throws ConvScopeError 'conflict' for an id that is under way */
  add(id: string, handlers: RequestHandlers): Promise<Answer> {
    if (this.#pending.has(id)) throw new ConvScopeError('conflict', `The run ${id} is already being computed`)
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { handlers, resolve, reject })
    })
  }

  has(id: string): boolean {
    return this.#pending.has(id)
  }

  /** False for an id that nobody waits for (any more). */
  accept(message: RequestMessage): boolean {
    const pending = this.#pending.get(message.id)
    if (!pending) return false
    switch (message.type) {
      case 'event':
        pending.handlers.onEvent?.(message.event)
        return true
      case 'started':
      case 'paused':
      case 'resumed':
        pending.handlers.onEvent?.({ type: message.type })
        return true
      case 'failed':
        this.#pending.delete(message.id)
        pending.reject(ConvScopeError.from(message.error))
        return true
      case 'result':
        this.#pending.delete(message.id)
        pending.resolve({ state: 'done', result: message.result, outputs: message.outputs })
        return true
      case 'cancelled':
        this.#pending.delete(message.id)
        pending.resolve({ state: 'cancelled', result: null, outputs: message.outputs })
        return true
    }
  }

  rejectAll(error: ConvScopeError): void {
    const all = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of all) reject(error)
  }
}
