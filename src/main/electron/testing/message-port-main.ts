import { EventEmitter } from 'node:events'

/** A port as the page has it: Node's has the same interface. */
export interface DomPort {
  postMessage(message: unknown): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'close', listener: () => void): void
  start(): void
  close(): void
}

/** Electron's port in the main process: transfers nothing but ports, and says nothing before `start`. */
export class MessagePortMain extends EventEmitter {
  readonly #port: DomPort
  isClosed = false

  constructor(port: DomPort) {
    super()
    this.#port = port
    port.addEventListener('close', () => {
      this.isClosed = true
      this.emit('close')
    })
  }

  postMessage(message: unknown, transfer: unknown[] = []): void {
    for (const item of transfer) {
      if (!(item instanceof MessagePortMain)) throw new TypeError('Found invalid object in transferables')
    }
    this.#port.postMessage(message)
  }

  start(): void {
    this.#port.addEventListener('message', ({ data }) => this.emit('message', { data, ports: [] }))
    this.#port.start()
  }

  close(): void {
    this.#port.close()
  }
}
