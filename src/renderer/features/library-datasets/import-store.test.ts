import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createApp } from 'vue'
import { ConvScopeError } from '../../../shared/errors.ts'
import type { ContractClient } from '../../../shared/rpc/client.ts'
import { fakeRequest, type FakeAnswer } from '../../rpc/testing/fake-upload.ts'
import { clientKey } from '../../rpc/use-client.ts'
import { looksLikeData, useDatasetImport } from './import-store.ts'

const sha256 = 'a'.repeat(64)
type Import = (request: unknown, options: { signal: AbortSignal }) => Promise<AsyncIterable<unknown>>
const importData = vi.fn<Import>()
const upload = vi.fn<() => FakeAnswer>()

beforeEach(() => {
  const pinia = createPinia()
  const datasets = { import: importData, list: async () => [{ name: 'taken' }] }
  createApp({})
    .provide(clientKey, { datasets } as unknown as ContractClient)
    .use(pinia)
  setActivePinia(pinia)
  upload.mockReturnValue({ status: 200, body: { sha256, bytes: 3 } })
  vi.stubGlobal('XMLHttpRequest', fakeRequest(upload))
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.resetAllMocks()
})

const file = (name: string): File => new File(['abc'], name)
const refused = [{ name: 'a.jpg', reason: 'it is empty' }]

async function* events(...list: unknown[]): AsyncGenerator {
  yield* list
}

it('sends files, follows the import and ends with its name', async () => {
  importData.mockImplementation(async () =>
    events(
      { type: 'progress', done: 1, total: 2, unit: 'pictures' },
      { type: 'done', result: { record: { name: 'my-pictures' }, refused: [] } },
    ),
  )
  const store = useDatasetImport()
  expect(store.isReady).toBe(false)
  store.add([file('My pictures.zip')])
  expect([store.name, store.isReady]).toEqual(['my-pictures', true])
  expect(await store.start()).toBe('my-pictures')
  const request = { files: [{ name: 'My pictures.zip', sha256 }], name: 'my-pictures', inPlace: false }
  expect(importData.mock.calls[0]?.[0]).toEqual(request)
  expect([store.files, store.name, store.state.kind]).toEqual([[], '', 'choosing'])
})

it('sends nothing where a path is given, and tells what was left out', async () => {
  importData.mockImplementation(async () => events({ type: 'done', result: { record: { name: 'cats' }, refused } }))
  const store = useDatasetImport()
  store.add([file('other.zip')])
  store.name = 'typed'
  store.choosePath('/data/cats/')
  expect([store.files, store.name]).toEqual([[], 'typed'])
  store.inPlace = true
  expect(await store.start()).toBe('cats')
  expect(importData.mock.calls[0]?.[0]).toEqual({ files: [{ path: '/data/cats/' }], name: 'typed', inPlace: true })
  expect(upload).not.toHaveBeenCalled()
  expect(store.state).toMatchObject({ kind: 'done', result: { refused } })
})

it('keeps what was chosen and the reason when it fails', async () => {
  importData.mockRejectedValue(new ConvScopeError('unsupported', 'There is no data set in x.zip'))
  const store = useDatasetImport()
  store.add([file('x.zip')])
  expect(await store.start()).toBeUndefined()
  expect(store.state).toMatchObject({ kind: 'failed', error: { message: 'There is no data set in x.zip' } })
  expect(store.files).toHaveLength(1)
})

it('does not send thousands of files one by one', async () => {
  const store = useDatasetImport()
  store.add(Array.from({ length: 1001 }, (_, index) => file(`${index}.png`)))
  await store.start()
  expect(store.state).toMatchObject({ kind: 'failed', error: { code: 'too-large' } })
  expect(upload).not.toHaveBeenCalled()
})

it('knows pictures from networks', () => {
  const data = ['a.jpg', 'x.tar.gz', 'train-images-idx3-ubyte.gz', 'data_batch_1.bin', 'labels.idx1-ubyte']
  for (const name of data) expect([name, looksLikeData([{ name }])]).toEqual([name, true])
  for (const name of ['net.onnx', 'model.zip', 'weights.npz', 'group1-shard1of2.bin']) {
    expect([name, looksLikeData([{ name }])]).toEqual([name, false])
  }
})
