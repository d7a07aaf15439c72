import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it, vi } from 'vitest'
import { createApp } from 'vue'
import type { JobEvent } from '../../../shared/jobs.ts'
import type { RunMarks } from '../../../shared/presets.ts'
import type { ContractClient } from '../../../shared/rpc/client.ts'
import { clientKey } from '../../rpc/use-client.ts'
import { useSearchRun } from './search-run.ts'

let kept: RunMarks
const mark = vi.fn<(input: { id: string; marks: RunMarks }) => Promise<void>>()

const at = { seq: 1, at: 0 }
/** Six of nine draws are on the sheet. */
const EVENTS: readonly JobEvent[] = [
  {
    ...{ type: 'step', ...at, done: 5, total: 9, unit: 'draws' },
    values: { finishedDraws: 4, climbingDraws: 2 },
  },
  { type: 'preview', name: 'sheet', width: 11, height: 11, channels: 1, pixels: new Uint8Array(121).fill(7) },
]

function makeStore(): ReturnType<typeof useSearchRun> {
  const document = {
    ...{ kind: 'regulariser-search', version: 1, seed: 1 },
    params: { network: 'net', layer: 'out', channel: 0, draws: 9 },
  }
  const record = { id: 'run-1', kind: 'regulariser-search', state: 'running', document, outputs: [] }
  async function* watch(): AsyncGenerator<JobEvent> {
    yield* EVENTS
    await new Promise(() => undefined)
  }
  const client = {
    runs: { show: async () => record, marks: async () => kept, mark },
    jobs: { watch: async () => watch() },
  }
  const pinia = createPinia()
  createApp({})
    .provide(clientKey, client as unknown as ContractClient)
    .use(pinia)
  setActivePinia(pinia)
  return useSearchRun()
}

/** Follows a search that runs, up to its first sheet. */
async function openedStore(): Promise<ReturnType<typeof useSearchRun>> {
  const store = makeStore()
  void store.open('run-1')
  await vi.waitFor(() => expect(store.begun).toBe(6))
  return store
}

beforeEach(() => {
  kept = { 3: 'star' }
  mark.mockReset().mockImplementation(async ({ marks }) => void (kept = marks))
})

it('keeps marks of draws of a search that runs, and takes a mark away that is given again', async () => {
  const store = await openedStore()
  expect(store.marks).toEqual({ 3: 'star' })
  await store.toggleMark(5, 'reject')
  await store.toggleMark(3, 'star')
  expect(kept).toEqual({ 5: 'reject' })
  await store.toggleMark(5, 'star')
  expect(store.marks).toEqual({ 5: 'star' })
})

it('takes back a mark that could not be kept', async () => {
  const store = await openedStore()
  mark.mockRejectedValueOnce(new Error('the disk is full'))
  await store.toggleMark(4, 'star')
  expect(store.marks).toEqual({ 3: 'star' })
})

it('marks no draw that has no picture yet', async () => {
  const store = await openedStore()
  await store.toggleMark(6, 'star')
  expect(store.marks).toEqual({ 3: 'star' })
  expect(mark).not.toHaveBeenCalled()
})
