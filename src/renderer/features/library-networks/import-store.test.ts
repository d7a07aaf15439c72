import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createApp } from 'vue'
import { ConvScopeError } from '../../../shared/errors.ts'
import type { ContractClient } from '../../../shared/rpc/client.ts'
import { fakeRequest, type FakeAnswer } from '../../rpc/testing/fake-upload.ts'
import { clientKey } from '../../rpc/use-client.ts'
import { useNetworkImport } from './import-store.ts'

const sha256 = 'a'.repeat(64)
type Import = (request: unknown, options: { signal: AbortSignal }) => Promise<AsyncIterable<unknown>>
const importNetwork = vi.fn<Import>()
const upload = vi.fn<() => FakeAnswer>()

beforeEach(() => {
  const pinia = createPinia()
  const networks = {
    import: importNetwork,
    list: async () => [{ name: 'taken' }],
    architectures: async () => [],
  }
  createApp({})
    .provide(clientKey, { networks } as unknown as ContractClient)
    .use(pinia)
  setActivePinia(pinia)
  upload.mockReturnValue({ status: 200, body: { sha256, bytes: 3 } })
  vi.stubGlobal('XMLHttpRequest', fakeRequest(upload))
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.resetAllMocks()
})

/** The test's DOM has no such member. */
const file = (name: string): File => Object.defineProperty(new File(['abc'], name), 'webkitRelativePath', { value: '' })

async function* events(...list: unknown[]): AsyncGenerator {
  yield* list
}

it('suggests a name after the weights, and leaves a typed one alone', () => {
  const store = useNetworkImport()
  store.choose([file('deploy.prototxt'), file('my net.caffemodel')])
  expect(store.name).toBe('my-net')
  store.add([file('other.onnx')])
  expect(store.files).toHaveLength(3)
  store.name = 'mine'
  store.choose([file('third.keras')])
  expect(store.name).toBe('mine')
})

it('sends the files, follows the import and ends with its name', async () => {
  importNetwork.mockImplementation(async () =>
    events({ type: 'progress', done: 50, total: 100, unit: '%' }, { type: 'done', result: { name: 'net' } }),
  )
  const store = useNetworkImport()
  store.choose([file('net.onnx')])
  expect(await store.start()).toBe('net')
  expect(importNetwork.mock.calls[0]?.[0]).toEqual({ files: [{ name: 'net.onnx', sha256 }], name: 'net' })
  expect([store.files, store.name, store.state.kind]).toEqual([[], '', 'choosing'])
  store.name = 'TAKEN'
  expect(store.nameProblem).toContain('already has')
  store.name = 'no good'
  expect(store.nameProblem).toContain('letters')
})

it('keeps the files and the reason when it fails, and does not send them again', async () => {
  importNetwork.mockRejectedValue(new ConvScopeError('damaged', 'net.onnx ends early', { remedy: 'Copy it again.' }))
  const store = useNetworkImport()
  store.choose([file('net.onnx')])
  expect(await store.start()).toBeUndefined()
  expect(store.state).toMatchObject({ kind: 'failed', error: { message: 'net.onnx ends early' } })
  await store.start()
  expect(upload).toHaveBeenCalledTimes(1)
  expect(store.files).toHaveLength(1)
})

it('is cancelled', async () => {
  let aborted = false
  importNetwork.mockImplementation(async (_request, { signal }) => {
    const wait = Promise.withResolvers<undefined>()
    signal.addEventListener('abort', () => {
      aborted = true
      wait.resolve(undefined)
    })
    store.cancel()
    await wait.promise
    throw signal.reason
  })
  const store = useNetworkImport()
  store.choose([file('net.onnx')])
  expect(await store.start()).toBeUndefined()
  expect([aborted, store.state.kind, store.files.length]).toEqual([true, 'choosing', 1])
})
