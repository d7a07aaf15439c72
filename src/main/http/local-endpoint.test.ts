import { chmod, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { newEndpoint, removeEndpoint } from '../platform/endpoint.ts'
import { ArtifactStore } from '../project/artifact-store.ts'
import { connectToHolder } from '../rpc/client.ts'
import { createRequestHandler } from '../rpc/handler.ts'
import { createFakeServices, stepEvent } from '../rpc/testing/fake-services.ts'
import type { FakeServices } from '../rpc/testing/fake-services.ts'
import { createContentHandler } from './content.ts'
import { startLocalEndpoint, type LocalEndpoint } from './local-endpoint.ts'

const token = 'b7'.repeat(32)
const log = { error: vi.fn() }

describe('the local endpoint', () => {
  let folder: string
  let endpoint: string
  let services: FakeServices
  let artifacts: ArtifactStore
  let local: LocalEndpoint

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'convscope-local-'))
    await chmod(folder, 0o700)
    endpoint = newEndpoint()
    services = createFakeServices()
    artifacts = new ArtifactStore(folder)
    await artifacts.prepare()
    const content = createContentHandler({ artifacts, log })
    local = await startLocalEndpoint({ endpoint, token, content, rpc: createRequestHandler(services, log), log })
  })
  afterEach(async () => {
    await local.close()
    removeEndpoint(endpoint)
    await rm(folder, { recursive: true, force: true })
  })

  it('carries the whole contract, streams included', async () => {
    const holder = await connectToHolder({ endpoint, token })
    services.events.set('short', [stepEvent(1), { type: 'done', seq: 2, at: 1 }])
    expect(await holder.client.jobs.start({ document: { kind: 'deconvnet' } })).toEqual({ id: 'run-1' })
    const types: string[] = []
    for await (const event of await holder.client.jobs.watch({ id: 'short' })) types.push(event.type)
    expect(types).toEqual(['step', 'done'])
    holder.close()
  })

  it('waits for whoever is connected, and then lets nobody in', async () => {
    const [first, second] = await Promise.all([1, 2].map(() => connectToHolder({ endpoint, token })))
    expect(local.isUsed).toBe(true)
    let isUnused = false
    const unused = local.unused().then(() => {
      isUnused = true
    })
    first?.close()
    // Still let in, since another one is there.
    const third = await connectToHolder({ endpoint, token })
    second?.close()
    expect(await third.client.jobs.start({ document: null })).toEqual({ id: 'run-1' })
    expect(isUnused).toBe(false)
    third.close()
    await unused
    expect(local.isUsed).toBe(false)
    await expect(connectToHolder({ endpoint, token })).rejects.toMatchObject({ code: 'disconnected' })
  })

  it('gives artifacts', async () => {
    const holder = await connectToHolder({ endpoint, token })
    const bytes = Buffer.alloc(200_000, 'xyz')
    const { sha256 } = await artifacts.put(bytes)
    expect((await buffer(await holder.artifact(sha256))).equals(bytes)).toBe(true)
    await expect(holder.artifact('0'.repeat(64))).rejects.toMatchObject({ code: 'not-found' })
    holder.close()
  })

  it.runIf(process.platform !== 'win32')('lies in a folder that only this user can enter', async () => {
    expect((await stat(dirname(endpoint))).mode & 0o077).toBe(0)
  })

  it('refuses who does not know the token', async () => {
    await expect(connectToHolder({ endpoint, token: 'c8'.repeat(32) })).rejects.toMatchObject({ code: 'disconnected' })
  })

  it('fails what a command was waiting for when the holder goes away', async () => {
    const holder = await connectToHolder({ endpoint, token })
    services.events.set('endless', [stepEvent(1)])
    const stream = await holder.client.jobs.watch({ id: 'endless' })
    await stream.next()
    const waiting = stream.next()
    const refused = expect(waiting).rejects.toMatchObject({ code: 'disconnected' })
    await local.close()
    await refused
    await expect(holder.artifact('0'.repeat(64))).rejects.toMatchObject({ code: 'disconnected' })
  })

  it('is not found where nobody listens', async () => {
    await expect(connectToHolder({ endpoint: newEndpoint(), token })).rejects.toMatchObject({ code: 'disconnected' })
  })
})
