import { setImmediate } from 'node:timers/promises'
import { getEventMeta } from '@orpc/client'
import { populateContractRouterPaths } from '@orpc/contract'
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest'
import { contract } from '../../shared/contract/index.ts'
import type { Contract } from '../../shared/contract/index.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import type { JobEvent } from '../../shared/jobs.ts'
import type { ConnectionState } from '../../shared/rpc/connection.ts'
import { MAX_FRAME_BYTES, packFrame } from '../../shared/rpc/frames.ts'
import type { Services } from '../services/services.ts'
import { createRouter } from './router.ts'
import { createFakeServices, previewEvent, SAMPLE_LOOK, SAMPLE_SESSION, stepEvent } from './testing/fake-services.ts'
import { createHarness } from './testing/harness.ts'
import type { Harness, TransportName } from './testing/harness.ts'

const failureOf = async (call: Promise<unknown>): Promise<ConvScopeError> => {
  const thrown: unknown = await call.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(thrown).toBeInstanceOf(ConvScopeError)
  return thrown as ConvScopeError
}

function* lazily(count: number, make: () => JobEvent): Generator<JobEvent> {
  for (let index = 0; index < count; index++) yield make()
}

function leaving({ transport }: Harness, from: ConnectionState): Promise<ConnectionState> {
  return new Promise((resolve) => {
    transport.onState((state) => {
      if (state !== from) resolve(state)
    })
  })
}

describe.each<TransportName>(['port', 'socket'])('the contract over a %s', (name) => {
  let harness: Harness
  beforeEach(async () => {
    harness = await createHarness(name)
  })
  afterEach(() => harness.close())

  const watch = async (id: string, options: { lastEventId?: string; signal?: AbortSignal } = {}) =>
    harness.client.jobs.watch({ id }, options)

  it('brings bytes unharmed', async () => {
    const page = await harness.client.datasets.page({ name: 'mnist', split: 'test', offset: 0, count: 1000 })
    expect(page.images).toBeInstanceOf(Uint8Array)
    expect(page.images.length).toBe(784_000)
    expect(page.images.every((value, index) => value === index % 251)).toBe(true)
    const [bias] = await harness.client.networks.weights({ name: 'n', layer: 'l' })
    expect([...(bias?.values ?? [])]).toEqual([0, 127, 255])
  })

  it('takes bytes and gives others back', async () => {
    const pixels = Uint8Array.from({ length: 64 * 48 * 4 }, (_, index) => index % 251)
    const view = { network: 'mnist-convnet', layer: 'conv1' }
    const frame = { height: 48, width: 64, channels: 4 as const, pixels }
    const answer = await harness.client.live.frame({ view, frame })
    expect(answer.projections).toEqual(pixels)
    await expect(harness.client.live.frame({ view, frame: { ...frame, height: 49 } })).rejects.toThrow()
  })

  it('gives parsed inputs with defaults to the service and leaves members out that are undefined', async () => {
    await harness.client.runs.list({ kind: undefined })
    expect(harness.services.calls).toEqual([{ procedure: 'runs.list', input: { offset: 0, limit: 100 } }])
  })

  it('answers with records as they are', async () => {
    expect(await harness.client.jobs.look({ document: { kind: 'x', list: [1, null, 'a'] } })).toEqual(SAMPLE_LOOK)
  })

  it('tells the service that a look is no longer wanted', async () => {
    const controller = new AbortController()
    const reason = new Error('another digit')
    const looking = harness.client.jobs.look({ document: 'endless' }, { signal: controller.signal })
    await vi.waitFor(() => expect(harness.services.calls).toEqual([{ procedure: 'jobs.look' }]))
    controller.abort(reason)
    await expect(looking).rejects.toBe(reason)
    await vi.waitFor(() => expect(harness.services.calls).toContainEqual({ procedure: 'jobs.look aborted' }))
    expect(harness.logged).toEqual([])
  })

  it('answers a call without a result', async () => {
    await expect(harness.client.jobs.cancel({ id: 'run-1' })).resolves.toBeUndefined()
  })

  it('declares errors with reason, remedy and details', async () => {
    const failure = await failureOf(harness.client.networks.page({ name: 'lost' }))
    expect(failure).toMatchObject({
      code: 'not-found',
      message: 'There is no network "lost"',
      remedy: 'Import it in the Library.',
      details: 'looked in 3 places',
    })
    expect(harness.logged).toEqual([])
  })

  it('reports a defect as internal and logs it', async () => {
    const failure = await failureOf(harness.client.system.doctor({ full: true }))
    expect(failure.code).toBe('internal')
    expect(failure.message).toBe('the doctor fell over')
    expect(harness.logged).toEqual(['system.doctor failed by a defect'])
  })

  it('refuses an input that does not fit, naming the field', async () => {
    const failure = await failureOf(
      harness.client.datasets.page({ name: '../etc', split: 'test', offset: -1, count: 1 }),
    )
    expect(failure.code).toBe('invalid-input')
    expect(failure.message).toContain('name')
    expect(failure.details).toContain('offset')
    expect(harness.services.calls).toEqual([])
  })

  it('reports and logs an answer outside the contract', async () => {
    vi.spyOn(harness.services.datasets, 'counts').mockResolvedValue([-1])
    const failure = await failureOf(harness.client.datasets.counts({ name: 'mnist', split: 'test' }))
    expect(failure.code).toBe('internal')
    expect(harness.logged).toEqual(['datasets.counts gave an answer outside the contract'])
  })

  it('streams events in order, with their sequence numbers as ids', async () => {
    harness.services.events.set('short', [
      stepEvent(1),
      previewEvent(400),
      stepEvent(2),
      { type: 'done', seq: 3, at: 9 },
    ])
    const received: { event: JobEvent; id: string | undefined }[] = []
    for await (const event of await watch('short')) received.push({ event, id: getEventMeta(event)?.id })
    expect(received.map(({ event }) => event.type)).toEqual(['step', 'preview', 'step', 'done'])
    expect(received.map(({ id }) => id)).toEqual(['1', undefined, '2', '3'])
    const preview = received[1]?.event
    expect(preview?.type === 'preview' && preview.pixels.length).toBe(400)
  })

  it('streams lists and states', async () => {
    for await (const jobs of await harness.client.jobs.overview()) {
      expect(jobs.map(({ run }) => run.title)).toEqual(['A digit'])
      break
    }
    for await (const status of await harness.client.system.status()) {
      expect(status).toEqual({ session: SAMPLE_SESSION, nativeEngine: { state: 'installed' }, mainResidentBytes: 1 })
      break
    }
  })

  it('goes on behind the last event a client knows', async () => {
    harness.services.events.set('short', [1, 2, 3, 4].map(stepEvent))
    const seen: number[] = []
    for await (const event of await watch('short', { lastEventId: '2' }))
      if (event.type === 'step') seen.push(event.seq)
    expect(seen).toEqual([3, 4])
    expect((await failureOf(watch('short', { lastEventId: 'x; drop' }))).code).toBe('invalid-input')
  })

  it('declares errors of a stream', async () => {
    const failure = await failureOf(
      (async () => {
        for await (const event of await watch('nowhere')) expect(event).toBe('never')
      })(),
    )
    expect(failure).toMatchObject({ code: 'not-found', remedy: 'Choose another run.' })
  })

  it('ends the source when the client breaks off', async () => {
    harness.services.events.set('endless', [stepEvent(1), stepEvent(2)])
    for await (const event of await watch('endless')) {
      expect(event.type).toBe('step')
      break
    }
    await vi.waitFor(() => expect(harness.services.watches).toMatchObject([{ ended: true }]))
  })

  it('ends the source when the client aborts while nothing comes, and throws the reason', async () => {
    harness.services.events.set('endless', [stepEvent(1)])
    const controller = new AbortController()
    const reason = new Error('enough')
    const stream = await watch('endless', { signal: controller.signal })
    expect((await stream.next()).done).toBe(false)
    const waiting = stream.next()
    controller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    await vi.waitFor(() => expect(harness.services.watches).toMatchObject([{ ended: true }]))
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })

  it('ends the sources when the connection is cut', async () => {
    harness.services.events.set('endless-1', [stepEvent(1)])
    const stream = await watch('endless-1')
    await stream.next()
    const [first] = harness.services.watches
    harness.cut()
    await vi.waitFor(() => expect(first?.ended).toBe(true))
  })

  it('carries 100 calls at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => harness.client.datasets.counts({ name: 'm', split: 'train' })),
    )
    expect(answers).toEqual(Array(100).fill([5, 6]))
  })

  it.each([
    ['no envelope', 'hello'],
    ['a wrong id', { i: 7, p: { u: '/jobs/look' } }],
    ['a foreign address', { i: '1', p: { u: 'http://elsewhere/', b: {} } }],
    ['an unknown kind', { i: '1', t: 9, p: {} }],
  ])('ends a connection that sends %s', async (_what, message) => {
    const lost = leaving(harness, 'connected')
    harness.sendRaw(name === 'port' ? message : packFrame(message))
    await lost
  })
})

describe('a socket', () => {
  let harness: Harness
  beforeEach(async () => {
    harness = await createHarness('socket')
  })
  afterEach(() => harness.close())

  it('is opened again when it was cut, and streams go on without a gap or a repeated event', async () => {
    const events = Array.from({ length: 20 }, (_, index) => stepEvent(index + 1))
    harness.services.events.set('endless', events.slice(0, 10))
    const seen: number[] = []
    const states: string[] = []
    harness.transport.onState((state) => states.push(state))
    for await (const event of await harness.client.jobs.watch({ id: 'endless' })) {
      if (event.type !== 'step') continue
      seen.push(event.seq)
      if (event.seq === 10) {
        harness.services.events.set('endless', events)
        harness.cut()
      }
      if (event.seq === 20) break
    }
    expect(seen).toEqual(events.map((_, index) => index + 1))
    expect(states).toEqual(['reconnecting', 'connected'])
    expect(harness.services.watches.map(({ afterSeq }) => afterSeq)).toEqual([0, 10])
  })

  it('fails a call whose answer was lost, and carries the next one', async () => {
    const cancel = vi
      .spyOn(harness.services.jobs, 'cancel')
      .mockReturnValueOnce(Promise.withResolvers<undefined>().promise)
    const call = failureOf(harness.client.jobs.cancel({ id: 'run-1' }))
    await vi.waitFor(() => expect(cancel).toHaveBeenCalled())
    harness.cut()
    expect((await call).code).toBe('disconnected')
    await expect(harness.client.system.about()).resolves.toMatchObject({ shell: 'page' })
  })

  it('pulls a stream only as fast as the reader takes it', async () => {
    const pulled = vi.fn((event: JobEvent) => event)
    harness.services.events.set(
      'previews',
      lazily(40, () => pulled(previewEvent(4_000_000))),
    )
    const stream = await harness.client.jobs.watch({ id: 'previews' })
    await stream.next()
    harness.pauseReading(true)
    // A source that nobody holds back would be at its end after a few turns of the event loop.
    for (let turn = 0; turn < 500; turn++) await setImmediate()
    expect(pulled.mock.calls.length).toBeLessThan(20)
    harness.pauseReading(false)
    let count = 1
    for await (const event of stream) count += Number(event.type === 'preview')
    expect(count).toBe(40)
  })

  it.each([
    ['that is not MessagePack', () => Uint8Array.of(0xc1, 0xff)],
    ['that is larger than the limit', () => new Uint8Array(MAX_FRAME_BYTES + 1)],
  ])('ends on a frame %s', async (_what, frame) => {
    const lost = leaving(harness, 'connected')
    harness.sendRaw(frame())
    await lost
    await expect(harness.client.system.about()).resolves.toMatchObject({ shell: 'page' })
  })
})

describe('a port', () => {
  it('stays closed once the program is gone', async () => {
    const harness = await createHarness('port')
    const closed = leaving(harness, 'connected')
    harness.cut()
    await closed
    expect(harness.transport.state).toBe('closed')
    expect((await failureOf(harness.client.system.about())).code).toBe('disconnected')
    await harness.close()
  })
})

describe('the router', () => {
  it('has an implementation of every procedure', () => {
    const router: object = createRouter(createFakeServices(), { error: () => undefined })
    const paths = (node: object, prefix = ''): string[] =>
      Object.entries(node).flatMap(([key, value]: [string, object]) =>
        '~orpc' in value ? [`${prefix}${key}`] : paths(value, `${prefix}${key}.`),
      )
    expect(paths(router).sort()).toEqual(paths(populateContractRouterPaths(contract)).sort())
    expect(paths(router).length).toBeGreaterThan(25)
  })

  it('rests on services with the names of the contract', () => {
    expectTypeOf<keyof Services>().toEqualTypeOf<keyof Contract>()
    expectTypeOf<keyof Services['system']>().toEqualTypeOf<keyof Contract['system']>()
    expectTypeOf<keyof Services['networks']>().toEqualTypeOf<keyof Contract['networks']>()
    expectTypeOf<keyof Services['datasets']>().toEqualTypeOf<keyof Contract['datasets']>()
    expectTypeOf<keyof Services['jobs']>().toEqualTypeOf<keyof Contract['jobs']>()
    expectTypeOf<keyof Services['runs']>().toEqualTypeOf<keyof Contract['runs']>()
  })
})
