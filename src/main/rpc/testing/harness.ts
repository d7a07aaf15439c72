/** Both transports behind one interface, for tests that must hold on either. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { MessageChannel } from 'node:worker_threads'
import { WebSocket, WebSocketServer } from 'ws'
import { createContractClient } from '../../../shared/rpc/client.ts'
import type { ContractClient } from '../../../shared/rpc/client.ts'
import type { Transport } from '../../../shared/rpc/connection.ts'
import { PortTransport } from '../../../shared/rpc/port-transport.ts'
import { SocketTransport } from '../../../shared/rpc/socket-transport.ts'
import { createRequestHandler } from '../handler.ts'
import type { RequestHandler } from '../handler.ts'
import { fromNodePort, servePort } from '../transports/port.ts'
import { MAX_FRAME_BYTES, serveSocket } from '../transports/socket.ts'
import { createFakeServices } from './fake-services.ts'
import type { FakeServices } from './fake-services.ts'

export interface Harness {
  services: FakeServices
  client: ContractClient
  transport: Transport
  logged: string[]
  /** Sends a message that the client would not send. */
  sendRaw(message: unknown): void
  /** Sockets only: lets what arrives wait outside the process. */
  pauseReading(paused: boolean): void
  /** Cuts the connection from the program's side. */
  cut(): void
  close(): Promise<void>
}

export type TransportName = 'port' | 'socket'

export function createHarness(name: TransportName): Promise<Harness> {
  const services = createFakeServices()
  const logged: string[] = []
  const handle = createRequestHandler(services, { error: (message) => void logged.push(message) })
  const open = name === 'port' ? openPorts : openSockets
  return open(handle).then((opened) => ({
    services,
    logged,
    client: createContractClient(opened.transport),
    ...opened,
  }))
}

type Opened = Pick<Harness, 'transport' | 'sendRaw' | 'pauseReading' | 'cut' | 'close'>

async function openPorts(handle: RequestHandler): Promise<Opened> {
  const { port1, port2 } = new MessageChannel()
  const stop = servePort(fromNodePort(port1), handle)
  const transport = new PortTransport(fromNodePort(port2))
  return {
    transport,
    sendRaw: (message) => port2.postMessage(message),
    pauseReading: () => undefined,
    cut: stop,
    close: async () => {
      transport.close()
      stop()
    },
  }
}

async function openSockets(handle: RequestHandler): Promise<Opened> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload: MAX_FRAME_BYTES })
  await once(server, 'listening')
  server.on('connection', (socket) => serveSocket(socket, handle))
  const { port } = server.address() as AddressInfo
  let last: WebSocket | undefined
  const transport = new SocketTransport({
    open: () => {
      last = new WebSocket(`ws://127.0.0.1:${port}`)
      return last
    },
    mayReconnect: async () => true,
    firstDelayMs: 1,
  })
  await transport.connection()
  return {
    transport,
    sendRaw: (message) => last?.send(message as Uint8Array),
    pauseReading: (paused) => (paused ? last?.pause() : last?.resume()),
    cut: () => {
      for (const socket of server.clients) socket.terminate()
    },
    close: async () => {
      transport.close()
      for (const socket of server.clients) socket.terminate()
      server.close()
      await once(server, 'close')
    },
  }
}
