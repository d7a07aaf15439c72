/** A message port as transport: structured clone, and never a transfer list, because Electron's main-process ports lose it. */
import type { Connection, ConnectionState, Transport } from './connection.ts'
import { ObservableState } from './connection.ts'
import { closedForGood } from './failures.ts'
import { ClientPeer, packRequest, unpackResponse } from './wire.ts'

/** What DOM, Node and Electron ports have in common, once adapted. */
export interface PlainPort {
  post(message: unknown): void
  /** Called once, before `start`. */
  onMessage(listener: (message: unknown) => void): void
  onClose(listener: () => void): void
  start(): void
  close(): void
}

/** The client's end of a port. A port that closed stays closed: the process at the other end is gone. */
export class PortTransport implements Transport {
  readonly #port: PlainPort
  readonly #state = new ObservableState('connected')
  readonly #connection: Connection & { lost: boolean }

  constructor(port: PlainPort) {
    this.#port = port
    const peer = new ClientPeer((message) => port.post(packRequest(message)))
    this.#connection = { peer, lost: false }
    port.onMessage((message) => void peer.message(unpackResponse(message)).catch(() => this.close()))
    port.onClose(() => this.#lose())
    port.start()
  }

  get state(): ConnectionState {
    return this.#state.value
  }

  async connection(signal?: AbortSignal): Promise<Connection> {
    signal?.throwIfAborted()
    if (this.#connection.lost) throw closedForGood()
    return this.#connection
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    return this.#state.listen(listener)
  }

  close(): void {
    this.#port.close()
    this.#lose()
  }

  #lose(): void {
    this.#connection.lost = true
    this.#connection.peer.close({ reason: closedForGood() })
    this.#state.set('closed')
  }
}
