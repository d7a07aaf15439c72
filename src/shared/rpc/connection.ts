/** What a transport gives to the client: connections on which requests can be made. */
import type { ClientPeer } from './wire.ts'

export type ConnectionState = 'connecting' | 'connected' | 'reconnecting' | 'closed'

export interface Connection {
  readonly peer: ClientPeer
  /** Set for good when the transport under it is gone. */
  readonly lost: boolean
}

export interface Transport {
  /**
   * The live connection; waits while there is none but there may be one again.
   * @throws ConvScopeError 'disconnected' when it is closed for good, or the signal's reason
   */
  connection(signal?: AbortSignal): Promise<Connection>
  readonly state: ConnectionState
  /** Calls back after every change of `state`; returns how to stop that. */
  onState(listener: (state: ConnectionState) => void): () => void
  close(): void
}

/** State with listeners, shared by the transports. */
export class ObservableState {
  #state: ConnectionState
  readonly #listeners = new Set<(state: ConnectionState) => void>()

  constructor(initial: ConnectionState) {
    this.#state = initial
  }

  get value(): ConnectionState {
    return this.#state
  }

  set(state: ConnectionState): void {
    if (state === this.#state) return
    this.#state = state
    for (const listener of [...this.#listeners]) listener(state)
  }

  listen(listener: (state: ConnectionState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
