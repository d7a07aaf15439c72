import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createContractClient } from '../../shared/rpc/client.ts'
import { MAX_FRAME_BYTES } from '../../shared/rpc/frames.ts'
import { SocketTransport } from '../../shared/rpc/socket-transport.ts'
import { servePage, TOKEN, type Served } from './testing/fixture.ts'

let served: Served
let port: number
let admitted: { cookie: string }
beforeAll(async () => {
  served = await servePage()
  port = served.server.port
  admitted = { cookie: served.cookie }
})
afterAll(() => served.close())

const own = () => ({ ...admitted, origin: served.server.origin })

describe('the socket', () => {
  const open = (path: string, headers: Record<string, string>): WebSocket =>
    new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers })

  const refusal = async (path: string, headers: Record<string, string>): Promise<number | undefined> => {
    const socket = open(path, headers)
    socket.on('error', () => undefined)
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
    return response.statusCode
  }

  it('carries the contract of the page', async () => {
    const transport = new SocketTransport({ open: () => open('/rpc', own()) })
    const client = createContractClient(transport)
    await expect(client.system.about()).resolves.toMatchObject({ shell: 'page' })
    transport.close()
  })

  it.each<[what: string, path: string, headers: () => Record<string, string>, status: number]>([
    ['without a cookie', '/rpc', () => ({ origin: served.server.origin }), 401],
    ['with a wrong cookie', '/rpc', () => ({ ...own(), cookie: `convscope-${port}=wrong` }), 401],
    ['with the token in the address', `/rpc?token=${TOKEN}`, () => ({ origin: served.server.origin }), 404],
    ['without an Origin', '/rpc', () => admitted, 403],
    ['with a null Origin', '/rpc', () => ({ ...admitted, origin: 'null' }), 403],
    ['with a foreign Origin', '/rpc', () => ({ ...admitted, origin: 'http://elsewhere.example' }), 403],
    ['with the Origin of another port', '/rpc', () => ({ ...admitted, origin: `http://127.0.0.1:${port + 1}` }), 403],
    ['with a foreign Host', '/rpc', () => ({ ...own(), host: 'elsewhere.example' }), 403],
    ['at another address', '/', own, 404],
    ['at an address below', '/rpc/x', own, 404],
  ])('is refused %s', async (_what, path, headers, status) => {
    expect(await refusal(path, headers())).toBe(status)
  })

  it('is closed by a frame above the limit', async () => {
    const socket = open('/rpc', own())
    await once(socket, 'open')
    const closed = once(socket, 'close')
    socket.send(new Uint8Array(MAX_FRAME_BYTES + 1))
    expect((await closed)[0]).toBe(1009)
  })
})
