import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ask } from './http/testing/fixture.ts'
import { openProject } from './project/project.ts'
import { readHolder } from './project/lock.ts'
import { connectToHolder } from './rpc/client.ts'
import { createFakeServices } from './rpc/testing/fake-services.ts'
import { startServing } from './server.ts'
import type { ServeOptions } from './server.ts'
import { createServices } from './services/index.ts'

vi.mock('./services/index.ts', () => ({ createServices: vi.fn() }))

let folder: string
let options: ServeOptions
let lines: string[]
let warnings: string[]
let closed: string[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convscope-serve-'))
  lines = []
  warnings = []
  closed = []
  const close = async () => void closed.push('services')
  vi.mocked(createServices).mockImplementation(async () => ({
    ...createFakeServices(),
    nativeEngine: undefined as never,
    close,
  }))
  options = {
    projectFolder: join(folder, 'project'),
    pageFolder: join(folder, 'page'),
    open: false,
    print: (line) => lines.push(line),
    warn: (line) => warnings.push(line),
  }
})
afterEach(async () => {
  vi.mocked(createServices).mockReset()
  await rm(folder, { recursive: true, force: true })
})

const portOf = (address: string): number => Number(new URL(address).port)

describe('serving', () => {
  it('prints one line with an address that admits', async () => {
    const serving = await startServing(options)
    expect(lines).toEqual([`ConvScope is at ${serving.address}`])
    expect(serving.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[0-9a-f]{64}$/)
    expect(warnings).toEqual([])
    const { pathname, search } = new URL(serving.address)
    expect((await ask(portOf(serving.address), { path: pathname + search })).status).toBe(303)
    expect((await ask(portOf(serving.address), {})).status).toBe(401)
    await serving.close()
  })

  it('has another token each time', async () => {
    const tokens = new Set<string>()
    for (let time = 0; time < 2; time++) {
      const serving = await startServing(options)
      tokens.add(serving.address.split('token=')[1]!)
      await serving.close()
    }
    expect(tokens.size).toBe(2)
  })

  it('gives wishes on to the services', async () => {
    const serving = await startServing({ ...options, engine: 'wasm', threads: 3, workerPath: '/worker.js' })
    expect(vi.mocked(createServices).mock.calls[0]?.[0]).toMatchObject({
      engineWish: 'wasm',
      threads: 3,
      workerPath: '/worker.js',
      shell: 'page',
    })
    await serving.close()
  })

  it('lets commands beside it through, over the endpoint in the lock', async () => {
    const serving = await startServing(options)
    const address = (await readHolder(options.projectFolder))!
    const holder = await connectToHolder(address)
    await expect(holder.client.system.about()).resolves.toMatchObject({ program: 'ConvScope test' })
    holder.close()
    await serving.close()
    expect(await readHolder(options.projectFolder)).toBeUndefined()
    await expect(connectToHolder(address)).rejects.toMatchObject({ code: 'disconnected' })
  })

  it('closes services before the project, and gives the project free', async () => {
    const serving = await startServing(options)
    await serving.close()
    expect(closed).toEqual(['services'])
    const project = await openProject(options.projectFolder)
    await project.close()
    await expect(ask(portOf(serving.address), {})).rejects.toThrow()
  })

  it('gives the project free when the port is taken, or when nothing can be opened on it', async () => {
    const other = await startServing({ ...options, projectFolder: join(folder, 'other') })
    await expect(startServing({ ...options, port: portOf(other.address) })).rejects.toMatchObject({ code: 'conflict' })
    await other.close()
    vi.mocked(createServices).mockRejectedValueOnce(new Error('no node'))
    await expect(startServing(options)).rejects.toThrow('no node')
    const project = await openProject(options.projectFolder)
    await project.close()
  })

  it('says that the project is open elsewhere', async () => {
    const serving = await startServing(options)
    await expect(startServing(options)).rejects.toMatchObject({
      code: 'conflict',
      holder: { pid: process.pid, page: serving.address },
    })
    await serving.close()
  })

  const outward = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')
  it.runIf(outward)('warns when others can reach it, and answers there by its own name only', async () => {
    const host = outward!.address
    const serving = await startServing({ ...options, host })
    expect(warnings).toEqual([expect.stringContaining(host)])
    expect(serving.address).toContain(`http://${host}:`)
    await serving.close()
  })
})

describe('the entries that run without Electron', () => {
  /** Every module that a file reaches. */
  async function modulesOf(file: string, seen = new Set<string>()): Promise<Set<string>> {
    if (seen.has(file)) return seen
    seen.add(file)
    const source = await readFile(file, 'utf8')
    for (const [, name] of source.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
      if (name?.startsWith('.') && name.endsWith('.ts')) await modulesOf(resolve(file, '..', name), seen)
      else if (name) seen.add(name)
    }
    return seen
  }

  it.each(['server.ts', 'cli.ts'])('%s never reaches it', async (entry) => {
    const modules = await modulesOf(join(import.meta.dirname, entry))
    expect(modules).toContain('ws')
    expect(modules.size).toBeGreaterThan(40)
    expect([...modules].filter((name) => name === 'electron' || name.includes('/electron/'))).toEqual([])
  })
})
