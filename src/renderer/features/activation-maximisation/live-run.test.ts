import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp } from 'vue'
import { createMemoryHistory, createRouter, type Router } from 'vue-router'
import type { JobEvent } from '../../../shared/jobs.ts'
import type { RunRecord } from '../../../shared/runs.ts'
import type { ContractClient } from '../../../shared/rpc/client.ts'
import { clientKey } from '../../rpc/use-client.ts'
import { useMaximisationDraft } from './draft-store.ts'
import { useLiveRun } from './live-run.ts'
import { documentOf, draftFor, type MaximisationDocument } from './maximisation-draft.ts'
import { NETWORK_PAGE } from './testing/fixtures.ts'

const at = { seq: 1, at: 0 }
const step = (iteration: number, objective: number): JobEvent => ({
  ...{ type: 'step', ...at, done: 0.5, total: 1, unit: 'pictures' },
  values: { iteration, objective, norm: 10, rate: NaN },
})

let router: Router
let record: RunRecord
let emit: (event: JobEvent) => void
let started: MaximisationDocument[]
const adjust = vi.fn<(input: { id: string; path: string; value: number }) => Promise<void>>()
const cancel = vi.fn<(input: { id: string }) => Promise<void>>()

/** Hands out what `emit` is given, up to a terminal event. */
async function* events(): AsyncGenerator<JobEvent> {
  const waiting: JobEvent[] = []
  let wake = (): void => undefined
  emit = (event) => {
    waiting.push(event)
    wake()
  }
  for (;;) {
    const next = waiting.shift()
    if (next) yield next
    else await new Promise<void>((resolve) => (wake = resolve))
  }
}

function makeStores(): { draft: ReturnType<typeof useMaximisationDraft>; live: ReturnType<typeof useLiveRun> } {
  const client = {
    networks: { list: async () => [NETWORK_PAGE.network], page: async () => NETWORK_PAGE },
    presets: { list: async () => [] },
    runs: { show: async () => record },
    jobs: {
      watch: async () => events(),
      start: async ({ document }: { document: MaximisationDocument }) => {
        started.push(document)
        return { id: `run-${started.length + 1}` }
      },
      ...{ adjust, cancel },
    },
  }
  router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:any(.*)*', component: {} }] })
  const pinia = createPinia()
  createApp({})
    .provide(clientKey, client as unknown as ContractClient)
    .use(router)
    .use(pinia)
  setActivePinia(pinia)
  return { draft: useMaximisationDraft(), live: useLiveRun() }
}

beforeEach(() => {
  started = []
  adjust.mockReset().mockResolvedValue()
  cancel.mockReset().mockResolvedValue()
  const document = documentOf(draftFor({}, NETWORK_PAGE, undefined))
  record = {
    ...{ id: 'run-1', kind: 'activation-maximisation', title: 'net: scores/0', documentHash: 'e'.repeat(64) },
    document: JSON.parse(JSON.stringify(document)),
    ...{ state: 'running', outputs: [], createdAt: 0 },
  }
})

async function openRunning(): Promise<ReturnType<typeof makeStores>> {
  const stores = makeStores()
  await stores.draft.open({ run: 'run-1' })
  await vi.waitFor(() => expect(stores.live.state).toBe('running'))
  return stores
}

describe('a run that is followed', () => {
  it('shows pictures, numbers and what was changed, without what is not a number', async () => {
    const { live } = await openRunning()
    emit({ type: 'preview', name: 'pictures', width: 1, height: 1, channels: 1, pixels: new Uint8Array([7]) })
    emit(step(3, 1))
    emit(step(6, 2))
    emit({ type: 'adjusted', ...at, step: 5, path: 'decay', value: 0.2 })
    emit({ type: 'paused', ...at })
    await vi.waitFor(() => expect(live.state).toBe('paused'))
    await vi.waitFor(() => expect(live.curves['objective']).toEqual({ x: [3, 6], values: [1, 2] }))
    expect(live.curves['rate']).toBeUndefined()
    expect(live.changes).toEqual([{ step: 5, path: 'decay', value: 0.2 }])
    expect(live.picture).toMatchObject({ width: 1, height: 1, channels: 1 })
    expect(live.iteration).toBe(6)
  })

  it('begins curves anew with the next of several batches', async () => {
    const { live } = await openRunning()
    for (const [iteration, objective] of [
      [900, 5],
      [1, 0],
      [4, 1],
    ] as const)
      emit(step(iteration, objective))
    await vi.waitFor(() => expect(live.curves['objective']).toEqual({ x: [1, 4], values: [0, 1] }))
  })

  it('follows the sliders of the form', async () => {
    const { draft, live } = await openRunning()
    expect(draft.isLive).toBe(true)
    draft.set('decay', 0.5)
    expect(draft.draft?.settings.decay).toBe(0.5)
    await vi.waitFor(() => expect(adjust).toHaveBeenCalledWith({ id: 'run-1', path: 'decay', value: 0.5 }))
    record = { ...record, state: 'cancelled' }
    emit({ type: 'cancelled', ...at })
    await vi.waitFor(() => expect(live.state).toBe('ended'))
    draft.set('decay', 0.6)
    expect(adjust).toHaveBeenCalledTimes(1)
  })

  it('moves one of several settings, or all of them', async () => {
    const presets = documentOf(draftFor({}, NETWORK_PAGE, undefined), 'presets')
    record = { ...record, document: JSON.parse(JSON.stringify(presets)) }
    const { draft, live } = await openRunning()
    draft.adopt()
    expect(draft.isSeveral).toBe(true)
    const form = draft.draft?.settings
    draft.liveSetting = 1
    expect(draft.settings?.name).toBe('Yosinski 2: decay')
    draft.set('decay', 0.5)
    await vi.waitFor(() => expect(adjust).toHaveBeenCalledWith({ id: 'run-1', path: 'settings.1.decay', value: 0.5 }))
    emit({ type: 'adjusted', ...at, step: 5, path: 'settings.1.decay', value: 0.5 })
    await vi.waitFor(() => expect(live.changes).toEqual([{ step: 5, path: 'decay', value: 0.5, setting: 1 }]))
    draft.liveSetting = undefined
    draft.set('blurSigma', 2)
    await vi.waitFor(() => expect(adjust).toHaveBeenCalledWith({ id: 'run-1', path: 'blurSigma', value: 2 }))
    expect(draft.liveSettings.map(({ decay, blurSigma }) => [decay, blurSigma])).toEqual([
      [0, 2],
      [0.5, 2],
      [0.0001, 2],
      [0, 2],
    ])
    expect(draft.draft?.settings).toEqual(form)
    await draft.branch(40)
    expect(started[0]?.params.changes).toMatchObject([
      { step: 5, path: 'decay', value: 0.5, setting: 1 },
      ...[0, 1, 2, 3].map((setting) => ({ step: 40, path: 'blurSigma', value: 2, setting })),
    ])
  })

  it('is not sent what it would refuse', async () => {
    const { draft } = await openRunning()
    draft.set('normPercentile', 120)
    draft.set('normPercentile', 20)
    await vi.waitFor(() => expect(adjust).toHaveBeenCalledWith({ id: 'run-1', path: 'normPercentile', value: 20 }))
    expect(adjust).toHaveBeenCalledTimes(1)
  })

  it('ends for a branch from where it is', async () => {
    const { draft, live } = await openRunning()
    emit({ type: 'adjusted', ...at, step: 5, path: 'decay', value: 0.2 })
    emit(step(40, 1))
    await vi.waitFor(() => expect(live.iteration).toBe(40))
    draft.setSettings({ ...draftFor({}, NETWORK_PAGE, undefined).settings, decay: 0.3 })
    await draft.branch(40)
    expect(cancel).toHaveBeenCalledWith({ id: 'run-1' })
    expect(started[0]?.params).toMatchObject({
      changes: [
        { step: 5, path: 'decay', value: 0.2 },
        { step: 40, path: 'decay', value: 0.3 },
      ],
      parent: { run: 'run-1', step: 40 },
    })
    expect(router.currentRoute.value.query['run']).toBe('run-2')
  })
})

describe('the form', () => {
  it('does not start with a blur wider than the picture, and says so', async () => {
    const { draft } = makeStores()
    await draft.open({})
    draft.set('blurSigma', 4)
    expect(draft.problem?.message).toBe('A blur of 4 pixels is wider than the picture of 4 × 4')
    expect(await draft.start()).toBe(false)
    draft.set('blurSigma', 3.9)
    expect(await draft.start()).toBe(true)
    expect(started).toHaveLength(1)
  })

  it('says where an address names a network that is not there', async () => {
    const { draft } = makeStores()
    await draft.open({ network: 'nothing' })
    expect(draft.error?.message).toMatch(/no network “nothing”/)
    await draft.open({ network: 'net', layer: 'nothing' })
    expect(draft.error?.message).toMatch(/Small network has no layer “nothing”/)
    await draft.open({ network: 'net', layer: 'conv1', channel: '3' })
    expect(draft.problems.get('channel')).toMatch(/conv1 has no channel 3/)
    expect(await draft.start()).toBe(false)
  })
})
