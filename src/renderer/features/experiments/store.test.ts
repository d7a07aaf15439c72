import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it, vi } from 'vitest'
import { createApp, nextTick } from 'vue'
import type { RunSummary } from '../../../shared/runs.ts'
import type { ContractClient } from '../../../shared/rpc/client.ts'
import { clientKey } from '../../rpc/use-client.ts'
import { dismissToast, toasts } from '../../ui/toasts.ts'
import { useRuns } from './store.ts'

interface ListInput {
  search?: string
  kind?: string
  offset: number
  limit: number
}

const run = (id: number): RunSummary => ({
  ...{ id: String(id), kind: 'deconvnet', title: `Run ${id}`, documentHash: 'a'.repeat(64) },
  ...{ state: 'done', createdAt: 0 },
})

let ids: number[]
const list = vi.fn<(input: ListInput) => Promise<{ total: number; runs: RunSummary[]; problems: string[] }>>()
const overview = vi.fn<() => AsyncGenerator<{ run: RunSummary; progress?: object }[]>>()
const remove = vi.fn<(input: { id: string }) => Promise<void>>()
const restore = vi.fn<(input: { id: string }) => Promise<void>>()

function makeStore(): ReturnType<typeof useRuns> {
  const pinia = createPinia()
  createApp({})
    .provide(clientKey, {
      runs: { list, remove, restore },
      jobs: { overview: async () => overview() },
    } as unknown as ContractClient)
    .use(pinia)
  setActivePinia(pinia)
  return useRuns()
}

beforeEach(() => {
  dismissToast(() => true)
  ids = Array.from({ length: 250 }, (_, i) => i)
  list.mockReset().mockImplementation(async ({ search, offset, limit }) => {
    const found = ids.filter((id) => search === undefined || `Run ${id}` === search)
    return { total: found.length, runs: found.slice(offset, offset + limit).map(run), problems: [] }
  })
  remove.mockReset().mockImplementation(async ({ id }) => void (ids = ids.filter((other) => String(other) !== id)))
  restore.mockReset().mockImplementation(async ({ id }) => void (ids = [Number(id), ...ids]))
})

it('fetches the list in parts as they come into view', async () => {
  const store = makeStore()
  await store.reload()
  expect(store.runs).toHaveLength(250)
  expect(store.runs[99]?.title).toBe('Run 99')
  expect(store.runs[100]).toBeUndefined()
  store.want(90, 120)
  store.want(95, 125)
  await vi.waitFor(() => expect(store.runs[100]?.title).toBe('Run 100'))
  expect(list).toHaveBeenCalledTimes(2)
})

it('searches, and drops the answer to an older search', async () => {
  const store = makeStore()
  let late = (): void => undefined
  list.mockImplementationOnce(
    () => new Promise((resolve) => (late = () => resolve({ total: 1, runs: [run(1)], problems: [] }))),
  )
  store.search = 'Run 1'
  await nextTick()
  store.search = 'Run 7'
  await vi.waitFor(() => expect(store.runs.map((found) => found?.id)).toEqual(['7']))
  late()
  await nextTick()
  expect(store.runs.map((found) => found?.id)).toEqual(['7'])
})

it('deletes, and brings back with Undo', async () => {
  const store = makeStore()
  await store.reload()
  expect(await store.remove({ id: '3', title: 'Run 3' })).toBe(true)
  expect(store.runs.some((found) => found?.id === '3')).toBe(false)
  expect(toasts.value[0]?.action?.label).toBe('Undo')
  toasts.value[0]?.action?.run()
  await vi.waitFor(() => expect(store.runs[0]?.id).toBe('3'))
})

it('fetches the list again when a job changes its state, and only then', async () => {
  const store = makeStore()
  await store.reload()
  const controller = new AbortController()
  overview.mockImplementationOnce(async function* () {
    yield [{ run: run(1) }]
    yield [{ run: run(1), progress: { done: 1, total: 2, unit: 'images' } }]
    expect(list).toHaveBeenCalledTimes(1)
    yield [{ run: { ...run(1), state: 'failed' } }]
    controller.abort()
  })
  await store.followJobs(controller.signal)
  expect(list).toHaveBeenCalledTimes(2)
})

it('says why a run could not be deleted', async () => {
  remove.mockRejectedValue(new Error('the disk is full'))
  const store = makeStore()
  await store.reload()
  expect(await store.remove({ id: '3', title: 'Run 3' })).toBe(false)
  expect(store.runs.some((found) => found?.id === '3')).toBe(true)
  expect(toasts.value[0]).toMatchObject({ kind: 'error', text: 'the disk is full' })
})
