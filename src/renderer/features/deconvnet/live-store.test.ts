import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { ConvScopeError } from '../../../shared/errors.ts'
import type { LiveFrame, LiveFrameRequest } from '../../../shared/live.ts'
import { encodeNpy } from '../../../shared/npy.ts'
import type { ContractClient } from '../../../shared/rpc/client.ts'
import { clientKey } from '../../rpc/use-client.ts'
import { useLive } from './live-store.ts'
import type { LiveSource } from './live-sources.ts'
import { useDeconvnet } from './store.ts'
import { DATASET, lookAt, NETWORK_PAGE } from './testing/fixtures.ts'

const array = (...shape: number[]): Uint8Array =>
  encodeNpy(shape, new Float32Array(shape.reduce((product, extent) => product * extent, 1)))

/** Answers like the program does: the frame's number comes back as the time it took. */
const frame = vi.fn(async ({ view, frame: asked }: LiveFrameRequest): Promise<LiveFrame> => {
  const params = { ...view, picture: { index: 0 } } as unknown as Parameters<typeof lookAt>[0]['params']
  const result = lookAt({ params }).result as unknown as LiveFrame['result']
  return {
    result: { ...result, computeMs: 'index' in asked ? asked.index : 0 },
    projections: array(result.units.length, 4, 4, 1),
    activations: array(2, 2, 3),
    input: array(4, 4, 1),
  }
})

/** Frames 0, 1, 2 …, and whether it was closed. */
function counting(last = Infinity): LiveSource & { asked: number; closed: boolean } {
  const source = {
    asked: 0,
    closed: false,
    next: async () => {
      if (source.asked > last) throw new ConvScopeError('disconnected', 'The camera was taken away')
      const index = source.asked++
      return { frame: { dataset: 'digits', split: 'test', index }, name: `picture ${index}` }
    },
    close: () => void (source.closed = true),
  }
  return source
}

async function makeStores(): Promise<{ live: ReturnType<typeof useLive>; deconvnet: ReturnType<typeof useDeconvnet> }> {
  const client = {
    networks: { list: async () => [NETWORK_PAGE.network], page: async () => NETWORK_PAGE },
    datasets: { list: async () => [DATASET] },
    live: { frame },
  }
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:any(.*)*', component: {} }] })
  const pinia = createPinia()
  createApp({})
    .provide(clientKey, client as unknown as ContractClient)
    .use(router)
    .use(pinia)
  setActivePinia(pinia)
  await router.push('/deconvnet/live')
  const deconvnet = useDeconvnet()
  await deconvnet.open({})
  const live = useLive()
  live.most = 1000
  return { live, deconvnet }
}

beforeEach(() => void frame.mockClear())

describe('the live view', () => {
  it('shows frame after frame, asks for the chosen unit, and closes its source', async () => {
    const { live, deconvnet } = await makeStores()
    const source = counting()
    const ended = live.start('dataset', () => source)
    await vi.waitFor(() => expect(live.figures?.frames).toBeGreaterThan(2))
    expect(live.figures?.name).toBe(`picture ${live.figures?.computeMs}`)
    expect(live.figures?.perSecond).toBeGreaterThan(0)
    expect(deconvnet.stage.kind).toBe('ready')
    expect(frame.mock.lastCall?.[0].view.units).toEqual({ kind: 'strongest', count: 1 })
    deconvnet.choose({ channel: 2 })
    await vi.waitFor(() => expect(frame.mock.lastCall?.[0].view.units).toMatchObject({ units: [{ channel: 2 }] }))
    expect(deconvnet.unit?.result.channel).toBe(2)
    live.stop()
    await ended
    expect(source.closed).toBe(true)
    expect(live.state.kind).toBe('off')
  })

  it('rests while it is paused, and shows something else in the same frame', async () => {
    const { live, deconvnet } = await makeStores()
    const source = counting()
    void live.start('dataset', () => source)
    await vi.waitFor(() => expect(live.figures?.frames).toBeGreaterThan(0))
    live.togglePause()
    deconvnet.choose({ layer: 'conv1' })
    await vi.waitFor(() => expect(deconvnet.view?.result.layer).toBe('conv1'))
    const held = frame.mock.lastCall?.[0].frame
    const { asked } = source
    deconvnet.choose({ layer: 'relu1', channel: 1 })
    await vi.waitFor(() => expect(deconvnet.view?.result.layer).toBe('relu1'))
    expect(frame.mock.lastCall?.[0].frame).toEqual(held)
    expect(source.asked).toBe(asked)
    live.togglePause()
    await vi.waitFor(() => expect(source.asked).toBeGreaterThan(asked))
    live.stop()
  })

  it('says why it ended, closes the source, and tries again', async () => {
    const { live } = await makeStores()
    const sources = [counting(1), counting()]
    let opened = 0
    await live.start('camera', () => sources[opened++] ?? counting())
    expect(live.state).toMatchObject({ kind: 'failed', error: { message: 'The camera was taken away' } })
    expect(sources[0]?.closed).toBe(true)
    live.retry()
    await vi.waitFor(() => expect(live.figures?.frames).toBeGreaterThan(2))
    live.stop()
    await live.start('camera', async () => {
      throw new ConvScopeError('not-found', 'There is no camera')
    })
    expect(live.state).toMatchObject({ kind: 'failed', error: { message: 'There is no camera' } })
  })

  it('closes a source at once that never has a frame, and one that opens too late', async () => {
    const { live } = await makeStores()
    const source = { ...counting(), next: () => new Promise<never>(() => undefined), close: vi.fn() }
    void live.start('camera', () => source)
    await vi.waitFor(() => expect(live.state.kind).toBe('running'))
    live.stop()
    expect(source.close).toHaveBeenCalled()
    const late = { ...counting(), close: vi.fn() }
    let open: (source: LiveSource) => void = () => undefined
    const ended = live.start('camera', () => new Promise<LiveSource>((resolve) => (open = resolve)))
    live.stop()
    open(late)
    await ended
    expect(late.close).toHaveBeenCalled()
    expect(live.state.kind).toBe('off')
  })

  it('goes on without files that cannot be read, and names them', async () => {
    const { live } = await makeStores()
    frame.mockRejectedValueOnce(new ConvScopeError('damaged', 'The picture cannot be read: it is empty'))
    const leaveOut = vi.fn()
    const source = counting()
    void live.start('folder', () => ({ ...source, next: async () => ({ ...(await source.next()), leaveOut }) }))
    await vi.waitFor(() => expect(live.figures?.frames).toBeGreaterThan(1))
    expect(leaveOut).toHaveBeenCalledTimes(1)
    expect(live.leftOut).toEqual(['picture 0 (The picture cannot be read: it is empty)'])
    live.stop()
    expect(live.leftOut).toEqual([])
  })

  it('gives up one source for another', async () => {
    const { live } = await makeStores()
    const [first, second] = [counting(), counting()]
    const ended = live.start('dataset', () => first)
    await vi.waitFor(() => expect(live.figures?.frames).toBeGreaterThan(0))
    void live.start('folder', () => second)
    await ended
    expect(first.closed).toBe(true)
    await vi.waitFor(() => expect(second.asked).toBeGreaterThan(1))
    expect(live.kind).toBe('folder')
    live.stop()
  })
})
