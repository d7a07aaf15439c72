/** The typed client of the contract over any transport. */
import { createORPCClient, getEventMeta } from '@orpc/client'
import type { ClientLink, ClientOptions } from '@orpc/client'
import { StandardRPCLink } from '@orpc/client/standard'
import { getContractRouter, getEventIteratorSchemaDetails, isContractProcedure } from '@orpc/contract'
import type { ContractRouterClient } from '@orpc/contract'
import { ResponseValidationPlugin } from '@orpc/contract/plugins'
import { contract } from '../contract/index.ts'
import type { Contract } from '../contract/index.ts'
import type { Connection, Transport } from './connection.ts'
import { disconnected, toConvScopeError } from './failures.ts'

type Context = Record<never, never>
interface OnConnection extends Record<PropertyKey, unknown> {
  connection: Connection
}
type Options = ClientOptions<Context>

export type ContractClient = ContractRouterClient<Contract>

/**
 * The client of the contract. Answers are parsed by the contract's schemas. Every failed call throws a `ConvScopeError`
 * ('disconnected' when the connection went away before the answer came), but an aborted one, which throws the signal's
 * reason. A stream outlives a lost connection: it is opened again after the last event that had an id.
 */
export function createContractClient(transport: Transport): ContractClient {
  return createORPCClient<ContractClient>(new ResumingLink(transport))
}

class ResumingLink implements ClientLink<Context> {
  readonly #transport: Transport
  readonly #link = new StandardRPCLink<OnConnection>(
    {
      async call(request, options) {
        const response = await options.context.connection.peer.request({ ...request, signal: options.signal })
        return { ...response, body: () => Promise.resolve(response.body) }
      },
    },
    { url: 'http://orpc', plugins: [new ResponseValidationPlugin(contract)] },
  )

  constructor(transport: Transport) {
    this.#transport = transport
  }

  async call(path: readonly string[], input: unknown, options: Options): Promise<unknown> {
    if (isStream(path)) {
      const openAfter = (lastEventId?: string) => this.#open(path, input, { ...options, lastEventId }, true)
      return new ResumingStream(await openAfter(options.lastEventId), openAfter, options)
    }
    return (await this.#open(path, input, options, false)).output
  }

  /** `repeat`: again on the next connection when this one goes away meanwhile; only for what changes nothing. */
  async #open(path: readonly string[], input: unknown, options: Options, repeat: boolean): Promise<Opened> {
    for (;;) {
      const connection = await this.#transport.connection(options.signal)
      try {
        const output = await this.#link.call(path, input, { ...options, context: { connection } })
        return { connection, output }
      } catch (thrown) {
        if (options.signal?.aborted) throw options.signal.reason
        if (!connection.lost) throw toConvScopeError(thrown)
        if (!repeat) throw disconnected()
      }
    }
  }
}

interface Opened {
  connection: Connection
  output: unknown
}

/** One call of `next` at a time, as `for await` does. */
class ResumingStream implements AsyncIterableIterator<unknown, unknown, void> {
  readonly #openAfter: (lastEventId?: string) => Promise<Opened>
  readonly #signal: AbortSignal | undefined
  #lastEventId: string | undefined
  #connection: Connection
  #source: AsyncIterator<unknown, unknown, void>
  #ended = false

  constructor(opened: Opened, openAfter: (lastEventId?: string) => Promise<Opened>, options: Options) {
    this.#connection = opened.connection
    this.#source = opened.output as AsyncIterator<unknown, unknown, void>
    this.#openAfter = openAfter
    this.#signal = options.signal
    this.#lastEventId = options.lastEventId
  }

  async next(): Promise<IteratorResult<unknown, unknown>> {
    while (!this.#ended) {
      try {
        const step = await this.#source.next()
        this.#lastEventId = getEventMeta(step.value)?.id ?? this.#lastEventId
        if (step.done) this.#ended = true
        return step
      } catch (thrown) {
        if (this.#ended) break
        await this.#openAgain(thrown)
      }
    }
    return { done: true, value: undefined }
  }

  async #openAgain(thrown: unknown): Promise<void> {
    try {
      if (this.#signal?.aborted) throw this.#signal.reason
      if (!this.#connection.lost) throw toConvScopeError(thrown)
      const { connection, output } = await this.#openAfter(this.#lastEventId)
      this.#connection = connection
      this.#source = output as AsyncIterator<unknown, unknown, void>
    } catch (final) {
      this.#ended = true
      throw final
    }
    if (this.#ended) await this.#source.return?.()
  }

  async return(value?: unknown): Promise<IteratorResult<unknown, unknown>> {
    this.#ended = true
    if (!this.#connection.lost) await this.#source.return?.()
    return { done: true, value }
  }

  async throw(error: unknown): Promise<IteratorResult<unknown, unknown>> {
    await this.return()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

function isStream(path: readonly string[]): boolean {
  const procedure = getContractRouter(contract, path)
  if (!isContractProcedure(procedure)) return false
  return getEventIteratorSchemaDetails(procedure['~orpc'].outputSchema) !== undefined
}
