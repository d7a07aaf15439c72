import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { Router } from 'vue-router'
import { encodeNpy } from '../../../shared/npy.ts'
import type { Look } from '../../../shared/runs.ts'
import type { ContractClient } from '../../../shared/rpc/client.ts'
import { clientKey } from '../../rpc/use-client.ts'
import { DATASET, lookAt, NETWORK_PAGE, type DeconvnetDocument } from './testing/fixtures.ts'
import { useDeconvnet } from './store.ts'

type LookCall = (input: { document: DeconvnetDocument }, options: { signal: AbortSignal }) => Promise<Look>

let router: Router
const look = vi.fn<LookCall>()
const keep = vi.fn<(input: { documentHash: string }) => Promise<{ id: string }>>()
const networks = vi.fn<() => Promise<unknown>>()

function makeStore(): ReturnType<typeof useDeconvnet> {
  const client = {
    networks: { list: networks, page: async () => NETWORK_PAGE },
    datasets: { list: async () => [DATASET] },
    jobs: { look },
    runs: { keep },
  }
  router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:any(.*)*', component: {} }] })
  const pinia = createPinia()
  createApp({})
    .provide(clientKey, client as unknown as ContractClient)
    .use(router)
    .use(pinia)
  setActivePinia(pinia)
  return useDeconvnet()
}

beforeEach(() => {
  look.mockReset().mockImplementation(async ({ document }) => lookAt(document))
  keep.mockReset().mockResolvedValue({ id: 'run-1' })
  networks.mockReset().mockResolvedValue([NETWORK_PAGE.network])
  vi.stubGlobal(
    'fetch',
    vi.fn<(url: string) => Promise<Response>>(async (url) => {
      const shape = url.endsWith('a'.repeat(8)) ? [2, 2, 3] : url.endsWith('b'.repeat(8)) ? [2, 4, 4, 1] : [4, 4, 1]
      const count = shape.reduce((product, extent) => product * extent, 1)
      return new Response(encodeNpy(shape, new Float32Array(count)))
    }),
  )
})
afterEach(() => vi.unstubAllGlobals())

const ready = (store: ReturnType<typeof useDeconvnet>): Promise<void> =>
  vi.waitFor(() => expect(store.stage.kind).toBe('ready'))

describe('the Deconvnet store', () => {
  it.each([
    [{ network: 'nothing' }, /no network “nothing”/],
    [{ dataset: 'nothing' }, /no data set “nothing”/],
    [{ layer: 'nothing' }, /no layer “nothing”/],
    [{ layer: 'relu1', channel: '99' }, /relu1 has the channels 0 to \d+, and not “99”/],
  ])('explains what an address %o names and is not there', async (query, message) => {
    const store = makeStore()
    await router.push({ path: '/deconvnet', query })
    await store.open(query)
    await vi.waitFor(() => expect(store.stage).toMatchObject({ kind: 'failed', error: { code: 'not-found' } }))
    expect(store.stage.kind === 'failed' && store.stage.error.message).toMatch(message)
    expect(look).not.toHaveBeenCalled()
    expect(router.currentRoute.value.query).toEqual(query)
  })

  it('leaves whoever went elsewhere meanwhile where they are', async () => {
    const store = makeStore()
    await router.push('/library')
    await store.open({})
    await ready(store)
    expect(router.currentRoute.value.path).toBe('/library')
  })

  it('does not hold whoever leaves for a place that is still loading', async () => {
    const store = makeStore()
    await router.push('/deconvnet')
    let arrive = (): void => undefined
    router.beforeResolve(({ path }) =>
      path === '/library' ? new Promise<void>((resolve) => (arrive = resolve)) : undefined,
    )
    const leaving = router.push('/library')
    await store.open({})
    await ready(store)
    arrive()
    await leaving
    expect(router.currentRoute.value.path).toBe('/library')
  })

  it('completes an empty address: first network, fitting data set, last rectified layer, strongest channels', async () => {
    const store = makeStore()
    await router.push('/deconvnet')
    await store.open({})
    await ready(store)
    expect(store.selection).toMatchObject({
      network: 'net',
      dataset: 'digits',
      split: 'test',
      layer: 'relu1',
      channel: null,
    })
    await vi.waitFor(() => expect(router.currentRoute.value.query.layer).toBe('relu1'))
    expect(look.mock.calls[0]?.[0].document.params.units).toEqual({ kind: 'strongest', count: 64 })
    expect(store.channel).toBe(2)
    expect(store.unit?.result.channel).toBe(2)
  })

  it('computes a unit of its own when it is not among the strongest', async () => {
    const store = makeStore()
    await store.open({ layer: 'relu1', channel: '2', row: '0', column: '0' })
    await ready(store)
    expect(look.mock.calls.map(([{ document }]) => document.params.units.kind)).toEqual(['strongest', 'list'])
    expect(look.mock.calls[1]?.[0].document.params.units).toEqual({
      kind: 'list',
      units: [{ channel: 2, position: [0, 0] }],
    })
    expect(store.unit?.result.position).toEqual([0, 0])
    await store.open({ layer: 'relu1', channel: '1' })
    await vi.waitFor(() => expect(store.unit?.result.channel).toBe(1))
    expect(look).toHaveBeenCalledTimes(2)
  })

  it('shows the newest of several quick changes, whichever answer comes last', async () => {
    const answers = new Map<number, () => void>()
    look.mockImplementation(
      ({ document }) =>
        new Promise((resolve) => answers.set(document.params.picture.index, () => resolve(lookAt(document)))),
    )
    const store = makeStore()
    await store.open({ index: '1' })
    await store.open({ index: '2' })
    await store.open({ index: '3' })
    answers.get(1)?.()
    await vi.waitFor(() => expect(answers.has(3)).toBe(true))
    expect(answers.has(2)).toBe(false)
    answers.get(3)?.()
    await vi.waitFor(() => expect(store.view?.look?.document).toMatchObject({ params: { picture: { index: 3 } } }))
    expect(store.stage.kind).toBe('ready')
  })

  it('gives a slow look up for a newer one and ignores its late answer', async () => {
    let lateAnswer = (): void => undefined
    look.mockImplementationOnce(
      ({ document }) => new Promise((resolve) => (lateAnswer = () => resolve(lookAt(document)))),
    )
    const store = makeStore()
    await store.open({ index: '1' })
    await vi.waitFor(() => expect(store.stage).toMatchObject({ kind: 'loading', slow: true }))
    await store.open({ index: '2' })
    await ready(store)
    expect(look.mock.calls[0]?.[1].signal.aborted).toBe(true)
    lateAnswer()
    await Promise.resolve()
    expect(store.view?.look?.document).toMatchObject({ params: { picture: { index: 2 } } })
  })

  it('does not compute twice what the completed address asks for again', async () => {
    const store = makeStore()
    await Promise.all([store.open({}), store.open({})])
    await ready(store)
    expect(look).toHaveBeenCalledTimes(1)
  })

  it('keeps the view and says what failed, and tries again', async () => {
    const store = makeStore()
    await store.open({})
    await ready(store)
    look.mockRejectedValueOnce(new Error('the worker crashed'))
    await store.open({ index: '5' })
    await vi.waitFor(() => expect(store.stage.kind).toBe('failed'))
    expect(store.view).toBeDefined()
    expect(store.stage).toMatchObject({ error: { message: 'the worker crashed' } })
    await store.retry()
    await ready(store)
  })

  it('moves by layer and picture within bounds, and makes one step of Back from quick moves', async () => {
    const store = makeStore()
    await store.open({ layer: 'conv1' })
    await ready(store)
    const push = vi.spyOn(router, 'push')
    const replace = vi.spyOn(router, 'replace')
    store.moveLayer(1)
    expect(store.selection?.layer).toBe('relu1')
    store.moveLayer(1)
    expect(store.selection?.layer).toBe('out')
    store.moveLayer(1)
    expect(store.selection?.layer).toBe('out')
    expect([push.mock.calls.length, replace.mock.calls.length]).toEqual([1, 1])
    store.movePicture(-1)
    expect(store.selection?.index).toBe(0)
    store.movePicture(100)
    expect(store.selection?.index).toBe(9)
  })

  it('keeps what is shown by its hash', async () => {
    const store = makeStore()
    await store.open({})
    await ready(store)
    expect(await store.keep()).toBe('run-1')
    expect(keep).toHaveBeenCalledWith({ documentHash: store.view?.look?.documentHash })
  })

  it('says what is missing in an empty project', async () => {
    networks.mockResolvedValue([])
    const store = makeStore()
    await store.open({})
    expect(store.stage).toEqual({ kind: 'empty', missing: 'networks' })
  })
})
