/** A WebSocket as transport, with reconnection. Works with the browser's WebSocket and with `ws`. */
import type { Connection, ConnectionState, Transport } from './connection.ts'
import { ObservableState } from './connection.ts'
import { closedForGood, disconnected } from './failures.ts'
import { packFrame, unpackFrame } from './frames.ts'
import { ClientPeer, packRequest, unpackResponse } from './wire.ts'

export interface SocketLike {
  binaryType: string
  send(data: Uint8Array<ArrayBuffer>): void
  close(code?: number): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'open' | 'close' | 'error', listener: () => void): void
}

export interface SocketTransportOptions {
  open: () => SocketLike
  /** Whether a lost connection is worth another try; asked after each failure. Without it there is only one connection. */
  mayReconnect?: () => Promise<boolean>
  /** Wait before the next try, from `firstDelayMs` (default 200) doubling up to `longestDelayMs` (default 5000). */
  firstDelayMs?: number
  longestDelayMs?: number
}

interface Waiter {
  resolve(connection: Connection): void
  reject(reason: unknown): void
}

export class SocketTransport implements Transport {
  readonly #options: SocketTransportOptions
  readonly #state = new ObservableState('connecting')
  readonly #waiters = new Set<Waiter>()
  #socket: SocketLike | undefined
  #connection: Connection | undefined
  #delayMs: number
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(options: SocketTransportOptions) {
    this.#options = options
    this.#delayMs = options.firstDelayMs ?? 200
    this.#connect()
  }

  get state(): ConnectionState {
    return this.#state.value
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    return this.#state.listen(listener)
  }

  async connection(signal?: AbortSignal): Promise<Connection> {
    signal?.throwIfAborted()
    if (this.#connection) return this.#connection
    if (this.state === 'closed') throw closedForGood()
    const { promise, resolve, reject } = Promise.withResolvers<Connection>()
    const waiter: Waiter = { resolve, reject }
    const onAbort = (): void => reject(signal?.reason)
    this.#waiters.add(waiter)
    signal?.addEventListener('abort', onAbort, { once: true })
    return promise.finally(() => {
      this.#waiters.delete(waiter)
      signal?.removeEventListener('abort', onAbort)
    })
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#state.set('closed')
    const socket = this.#socket
    this.#socket = undefined
    socket?.close(1000)
    for (const waiter of [...this.#waiters]) waiter.reject(closedForGood())
  }

  #connect(): void {
    const socket = this.#options.open()
    socket.binaryType = 'arraybuffer'
    this.#socket = socket
    const peer = new ClientPeer((message) => socket.send(packFrame(packRequest(message))))
    const connection = { peer, lost: false }
    socket.addEventListener('open', () => {
      if (this.#socket !== socket) return
      this.#delayMs = this.#options.firstDelayMs ?? 200
      this.#connection = connection
      this.#state.set('connected')
      for (const waiter of [...this.#waiters]) waiter.resolve(connection)
    })
    socket.addEventListener('message', ({ data }) => {
      receive(peer, data).catch(() => socket.close(4000))
    })
    // A failure is followed by `close`; without a listener `ws` would throw it.
    socket.addEventListener('error', () => undefined)
    socket.addEventListener('close', () => {
      connection.lost = true
      if (this.#connection === connection) this.#connection = undefined
      peer.close({ reason: disconnected() })
      if (this.#socket === socket) void this.#tryAgain()
    })
  }

  async #tryAgain(): Promise<void> {
    if (!this.#options.mayReconnect) return this.close()
    if (this.state === 'connected') this.#state.set('reconnecting')
    const worthIt = await this.#options.mayReconnect()
    if (this.state === 'closed') return
    if (!worthIt) return this.close()
    this.#timer = setTimeout(() => this.#connect(), this.#delayMs)
    this.#delayMs = Math.min(this.#delayMs * 2, this.#options.longestDelayMs ?? 5000)
  }
}

async function receive(peer: ClientPeer, data: unknown): Promise<void> {
  if (!(data instanceof ArrayBuffer)) throw disconnected()
  await peer.message(unpackResponse(unpackFrame(new Uint8Array(data))))
}
