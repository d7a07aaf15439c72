import { MessageChannel } from 'node:worker_threads'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { APP_ORIGIN, PORT_CHANNEL, PORT_REQUEST } from '../../shared/contract/hand-over.ts'
import { createContractClient } from '../../shared/rpc/client.ts'
import { PortTransport, type PlainPort } from '../../shared/rpc/port-transport.ts'
import { servePage, type Served } from '../http/testing/fixture.ts'
import { configureLogging } from '../platform/logger.ts'
import { stepEvent } from '../rpc/testing/fake-services.ts'
import { fromNodePort } from '../rpc/transports/port.ts'
import * as standIn from './testing/electron-stand-in.ts'
import { MessagePortMain, type DomPort } from './testing/message-port-main.ts'
import { prepareWindow, type WindowFixture } from './testing/window-fixture.ts'

vi.mock('electron', () => import('./testing/electron-stand-in.ts'))

/** Scripts of the page, which are typed for a browser. */
const pageScript = (path: string): string => new URL(`../../renderer/${path}`, import.meta.url).href
let fixture: WindowFixture<Served>

beforeAll(() => configureLogging({ stderr: 'off' }))
beforeEach(async () => {
  fixture = await prepareWindow(await servePage())
})
afterEach(async () => {
  vi.unstubAllGlobals()
  await fixture.remove()
})

describe('the port', () => {
  /** The page's window as its own scripts and the preload see it. */
  async function loadPreload(): Promise<{
    post(data: unknown, ports: readonly unknown[], from?: object): void
    handOver(): PlainPort
  }> {
    const listeners: ((event: object) => void)[] = []
    vi.stubGlobal('addEventListener', (_type: string, listener: (event: object) => void) => listeners.push(listener))
    vi.resetModules()
    await import('../../preload/index.ts')
    const post = (data: unknown, ports: readonly unknown[], from: object = {}): void => {
      for (const listener of listeners) listener({ source: globalThis, origin: APP_ORIGIN, data, ports, ...from })
    }
    const page = {
      location: { origin: APP_ORIGIN },
      postMessage: (data: unknown, _origin: string, ports: readonly unknown[]) => post(data, ports),
    }
    const script = (await import(pageScript('rpc/window-port.ts'))) as { handOverPort(window: object): PlainPort }
    return { post, handOver: () => script.handOverPort(page) }
  }

  it('goes from the page through the preload to main and carries the contract', async () => {
    await fixture.start()
    const { handOver } = await loadPreload()
    const transport = new PortTransport(handOver())
    const client = createContractClient(transport)
    await expect(client.system.about()).resolves.toMatchObject({ program: 'ConvScope test' })
    const page = await client.datasets.page({ name: 'mnist', split: 'test', offset: 0, count: 4 })
    expect(page.images.length).toBe(4 * 784)
    fixture.served.services.events.set('short', [stepEvent(1), { type: 'done', seq: 2, at: 1 }])
    const types: string[] = []
    for await (const event of await client.jobs.watch({ id: 'short' })) types.push(event.type)
    expect(types).toEqual(['step', 'done'])
    transport.close()
  })

  it.each([
    ['from another window', PORT_REQUEST, 1, { source: {} }],
    ['from another origin', PORT_REQUEST, 1, { origin: 'https://example.org' }],
    ['with other words', 'connect', 1, {}],
    ['without a port', PORT_REQUEST, 0, {}],
    ['with two ports', PORT_REQUEST, 2, {}],
  ])('is not passed on by the preload %s', async (_what, data, count, from) => {
    await fixture.start()
    const { post } = await loadPreload()
    const received = vi.fn()
    standIn.ipcMain.on(PORT_CHANNEL, received)
    const channels = Array.from({ length: count }, () => new MessageChannel())
    post(
      data,
      channels.map(({ port2 }) => port2),
      from,
    )
    expect(received).not.toHaveBeenCalled()
    for (const { port1 } of channels) port1.close()
  })

  it.each([
    ['a frame that is gone', null],
    ['a frame inside the page', { parent: {}, origin: APP_ORIGIN }],
    ['a foreign page', { parent: null, origin: 'https://example.org' }],
    ['another host of the scheme', { parent: null, origin: 'app://elsewhere' }],
    ['a page without an origin', { parent: null, origin: 'null' }],
  ])('is refused by main from %s', async (_what, frame) => {
    await fixture.start()
    const { port1, port2 } = new MessageChannel()
    const transport = new PortTransport(fromNodePort(port1))
    const closed = new Promise<string>((resolve) => {
      transport.onState(resolve)
    })
    standIn.sendToMain(PORT_CHANNEL, null, [port2 as unknown as DomPort], frame)
    expect(await closed).toBe('closed')
    expect(fixture.served.services.calls).toEqual([])
  })

  it('is replaced by that of a reloaded page, and closed with the window', async () => {
    await fixture.start()
    const { handOver } = await loadPreload()
    const connect = () => {
      const transport = new PortTransport(handOver())
      const closed = new Promise<string>((resolve) => {
        transport.onState(resolve)
      })
      return { client: createContractClient(transport), closed }
    }
    const first = connect()
    await first.client.system.about()
    const second = connect()
    expect(await first.closed).toBe('closed')
    await second.client.system.about()
    fixture.window().close()
    expect(await second.closed).toBe('closed')
  })

  it('of main transfers nothing but ports', async () => {
    const { port1, port2 } = new MessageChannel()
    const port = new MessagePortMain(port2 as unknown as DomPort)
    const bytes = new Uint8Array(8)
    expect(() => port.postMessage(bytes, [bytes.buffer])).toThrow(TypeError)
    port1.close()
  })
})
