import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it, vi } from 'vitest'
import { createApp } from 'vue'
import type { RunMarks } from '../../../shared/presets.ts'
import type { ContractClient } from '../../../shared/rpc/client.ts'
import { clientKey } from '../../rpc/use-client.ts'
import { useSearchRun } from './search-run.ts'

let kept: RunMarks
const mark = vi.fn<(input: { id: string; marks: RunMarks }) => Promise<void>>()

function makeStore(): ReturnType<typeof useSearchRun> {
  const record = { id: 'run-1', kind: 'regulariser-search', state: 'failed', document: {}, outputs: [] }
  const client = { runs: { show: async () => record, marks: async () => kept, mark } }
  const pinia = createPinia()
  createApp({})
    .provide(clientKey, client as unknown as ContractClient)
    .use(pinia)
  setActivePinia(pinia)
  return useSearchRun()
}

beforeEach(() => {
  kept = { 3: 'star' }
  mark.mockReset().mockImplementation(async ({ marks }) => void (kept = marks))
})

it('keeps marks of draws, and takes a mark away that is given again', async () => {
  const store = makeStore()
  await store.open('run-1')
  expect(store.marks).toEqual({ 3: 'star' })
  await store.toggleMark(5, 'reject')
  await store.toggleMark(3, 'star')
  expect(kept).toEqual({ 5: 'reject' })
  await store.toggleMark(5, 'star')
  expect(store.marks).toEqual({ 5: 'star' })
})

it('takes back a mark that could not be kept', async () => {
  const store = makeStore()
  await store.open('run-1')
  mark.mockRejectedValueOnce(new Error('the disk is full'))
  await store.toggleMark(4, 'star')
  expect(store.marks).toEqual({ 3: 'star' })
})
