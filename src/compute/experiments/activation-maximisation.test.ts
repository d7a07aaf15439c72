import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ActivationMaximisationParams,
  TRACE_QUANTITIES,
  type LiveChange,
} from '../../shared/experiments/activation-maximisation.ts'
import { startCpu } from '../engines/cpu.ts'
import type { Engine } from '../engines/engine.ts'
import { CaseFile } from '../network/conformance/case-file.ts'
import { storedNetwork } from '../network/conformance/deconvnet-cases.ts'
import type { Network } from '../network/network.ts'
import { activationMaximisation } from './activation-maximisation.ts'
import type { Adjustment, ExperimentEvent } from './experiment.ts'
import { finish, testContext, type TestContextOptions } from './testing/test-context.ts'

const CONFORMANCE = join(import.meta.dirname, '../../../tests/conformance')
let engine: Engine
let network: Network
beforeAll(async () => {
  engine = await startCpu()
  network = storedNetwork(engine.tf, await CaseFile.read(CONFORMANCE, 'yosinski-a'))
})
afterAll(() => network.dispose())

const settings = { name: 'short', iterations: 8, decay: 0.01, blurSigma: 0.5, blurEvery: 4, normPercentile: 20 }
const document = (also: object = {}): ActivationMaximisationParams =>
  ActivationMaximisationParams.parse({
    network: 'a',
    targets: [{ layer: 'fc4', units: { kind: 'list', channels: [3] } }],
    settings: [settings],
    ...also,
  })

async function outcome(params: ActivationMaximisationParams, options: Omit<TestContextOptions, 'engine'> = {}) {
  const { context, outputs } = testContext({ engine, network, ...options })
  const { result, events } = await finish(activationMaximisation(params, context))
  const values = (name: string): number[] => Array.from(outputs.arrays.get(name)?.values ?? [])
  return { result, events, outputs, last: values('last'), best: values('best'), traces: values('traces') }
}

describe('activation maximisation', () => {
  it('raises the unit, reports every item, and leaves no tensor behind', async () => {
    const before = engine.memory().tensors
    const { result, outputs } = await outcome(
      document({
        targets: [
          { layer: 'fc4', units: { kind: 'first', count: 2 } },
          { layer: 'conv2', units: { kind: 'list', channels: [5] } },
        ],
        seeds: 2,
      }),
      { pictures: true },
    )
    expect(result.items.map(({ layer, channel, start }) => `${layer}/${channel}/${start}`)).toEqual([
      ...['fc4/0/0', 'fc4/0/1', 'fc4/1/0', 'fc4/1/1', 'conv2/5/0', 'conv2/5/1'],
    ])
    for (const { objective, iterations } of result.items) {
      expect(objective.best).toBeGreaterThan(objective.first)
      expect(iterations).toBe(8)
    }
    expect(result.items[4]?.position).toEqual([4, 4])
    expect(outputs.arrays.get('best')?.shape).toEqual([6, 28, 28, 1])
    expect(outputs.arrays.get('mean')?.shape).toEqual([28, 28, 1])
    expect(outputs.arrays.get('traces')?.shape).toEqual([6, 9, TRACE_QUANTITIES.length])
    expect([...outputs.pictures.keys()].filter((name) => name.startsWith('layer-'))).toEqual([
      'layer-fc4',
      'layer-conv2',
    ])
    expect(engine.memory().tensors).toBe(before)
  })

  it('is the same to the last bit whatever else climbs with it, and again', async () => {
    const alone = await outcome(document())
    const again = await outcome(document())
    expect(again.last).toEqual(alone.last)
    expect(again.traces).toEqual(alone.traces)
    const { last } = await outcome(document({ targets: [{ layer: 'fc4', units: { kind: 'list', channels: [1, 3] } }] }))
    expect(last.slice(784)).toEqual(alone.last)
  })

  it('repeats what was changed while it ran', async () => {
    const made: Adjustment[][] = [[], [], [], [{ path: 'decay', value: 0.2 }], [{ path: 'blurSigma', value: 1.5 }]]
    const live = await outcome(document(), { takeAdjustments: () => made.shift() ?? [] })
    const changes: LiveChange[] = [
      { step: 3, path: 'decay', value: 0.2 },
      { step: 4, path: 'blurSigma', value: 1.5 },
    ]
    expect(live.result.changes).toEqual(changes)
    expect(live.events.filter(({ type }) => type === 'adjusted')).toEqual(
      changes.map((change) => ({ type: 'adjusted', ...change })),
    )
    const replayed = await outcome(document({ changes }))
    expect(replayed.last).toEqual(live.last)
    expect((await outcome(document())).last).not.toEqual(live.last)
  })

  it('changes one of several settings, and repeats that', async () => {
    const two = { settings: [settings, { ...settings, name: 'other' }] }
    const made: Adjustment[][] = [
      [],
      [],
      [{ path: 'settings.1.decay', value: 0.2 }],
      [{ path: 'settings.2.decay', value: 0 }],
    ]
    const live = await outcome(document(two), { takeAdjustments: () => made.shift() ?? [] })
    expect(live.result.changes).toEqual([{ step: 2, path: 'decay', value: 0.2, setting: 1 }])
    expect(live.events).toContainEqual({ type: 'adjusted', step: 2, path: 'settings.1.decay', value: 0.2 })
    expect(live.events.flatMap((event) => (event.type === 'log' ? [event.message] : []))).toEqual([
      'Not changed: There are no settings 2 in this run',
    ])
    const steps = live.events.flatMap((event) => (event.type === 'step' ? [event.values] : []))
    expect(steps.at(-1)).toMatchObject({ setting: 0, setting2: 1 })
    const plain = await outcome(document(two))
    expect(live.last.slice(0, 784)).toEqual(plain.last.slice(0, 784))
    expect(live.last.slice(784)).not.toEqual(plain.last.slice(784))
    const changes = [{ step: 2, path: 'decay' as const, value: 0.2, setting: 1 }]
    expect((await outcome(document({ ...two, changes }))).last).toEqual(live.last)
  })

  it('does the iterations that it is asked for, rests, and comes to the same pictures', async () => {
    const { context, outputs } = testContext({ engine, network, takeAdjustments: () => asked.splice(0) })
    const asked: Adjustment[] = [{ path: 'advance', value: 3 }]
    const generator = activationMaximisation(document(), context)
    const rested: number[] = []
    let shown = 0
    for (let next = await generator.next(); !next.done; next = await generator.next()) {
      if (next.value.type === 'step') shown = next.value.values['iteration'] ?? 0
      if (next.value.type !== 'rest') continue
      rested.push(shown)
      asked.push({ path: 'advance', value: rested.length === 1 ? 1 : 100 })
    }
    // The row after the eighth iteration looks at the last picture.
    expect(rested).toEqual([3, 4, 9])
    expect(Array.from(outputs.arrays.get('last')?.values ?? [])).toEqual((await outcome(document())).last)
  })

  it('tells the iteration that it has reached when it is paused between two looks', async () => {
    let show: (() => Promise<ExperimentEvent[]>) | undefined
    const { context, outputs } = testContext({ engine, network, onPause: (given) => (show = given) })
    const generator = activationMaximisation(document(), context)
    const reached: (number | undefined)[] = []
    for (let next = await generator.next(); !next.done; next = await generator.next()) {
      const [preview, step] = (await show?.()) ?? []
      if (preview?.type === 'preview' && step?.type === 'step') reached.push(step.values['iteration'])
    }
    expect(reached.at(-1)).toBe(9)
    expect(show).toBeUndefined()
    expect(Array.from(outputs.arrays.get('last')?.values ?? [])).toEqual((await outcome(document())).last)
  })

  it('refuses a change that cannot be, and goes on', async () => {
    const made: Adjustment[][] = [
      [
        { path: 'iterations', value: 3 },
        { path: 'normPercentile', value: 101 },
        { path: 'restore', value: 7 },
        { path: 'decorrelatedColour', value: 1 },
      ],
    ]
    const { events, last } = await outcome(document(), { takeAdjustments: () => made.shift() ?? [] })
    const logs = events.flatMap((event) => (event.type === 'log' ? [event.message] : []))
    expect(logs).toHaveLength(4)
    expect(logs[0]).toContain('"iterations" cannot be changed')
    expect(logs[1]).toContain('0 … 100')
    expect(logs[2]).toContain('no snapshot of iteration 7')
    expect(logs[3]).toContain('have 1 channel')
    expect(last).toEqual((await outcome(document())).last)
  })

  it('goes back to a snapshot and repeats that too', async () => {
    const changes: LiveChange[] = [{ step: 27, path: 'restore', value: 25 }]
    const long = { settings: [{ ...settings, iterations: 30 }] }
    const back = await outcome(document({ ...long, changes }))
    const straight = await outcome(document({ settings: [{ ...settings, iterations: 28, blurEvery: 0 }] }))
    const backWithoutBlur = await outcome(
      document({ settings: [{ ...settings, iterations: 30, blurEvery: 0 }], changes }),
    )
    // Iterations 27 … 29 from the picture of iteration 25 are iterations 25 … 27, where nothing depends on their number.
    expect(backWithoutBlur.last).toEqual(straight.last)
    expect(back.last).not.toEqual((await outcome(document(long))).last)
  })

  it('says that a dead unit has no gradient, and one of a diverging picture that the step was too large', async () => {
    const dead = await outcome(
      document({ targets: [{ layer: 'relu3', units: { kind: 'first', count: 10 } }], start: { kind: 'mean' } }),
    )
    const stopped = dead.result.items.filter((item) => item.outcome === 'zero-gradient')
    expect(stopped.length).toBeGreaterThan(0)
    for (const { advice, iterations } of stopped) {
      expect(advice).toContain('the layer before it')
      expect(iterations).toBeLessThan(8)
    }
    const wild = { ...settings, scale: 'published', policy: { kind: 'constant', rate: 1e12 }, decay: 0, iterations: 6 }
    const far = await outcome(document({ settings: [wild] }))
    expect(far.result.items[0]?.outcome).not.toBe('zero-gradient')
    expect(far.best.every(Number.isFinite)).toBe(true)
  })

  it.each([
    ['a layer', { targets: [{ layer: 'conv9', units: { kind: 'all' } }] }, 'has no layer conv9'],
    ['a channel', { targets: [{ layer: 'fc4', units: { kind: 'list', channels: [10] } }] }, 'no channel 10'],
    [
      'a position',
      { targets: [{ layer: 'conv2', units: { kind: 'first', count: 1, position: [8, 0] } }] },
      'no position 8, 0',
    ],
    [
      'a place in a dense layer',
      { targets: [{ layer: 'fc4', units: { kind: 'first', count: 1, position: [0, 0] } }] },
      'has no places',
    ],
    ['colours of a grey network', { settings: [{ ...settings, decorrelatedColour: true }] }, 'have 1 channel'],
    ['a jitter out of the picture', { settings: [{ ...settings, jitterPixels: 28 }] }, 'out of sight'],
    [
      'a layer to differ in above the unit',
      { targets: [{ layer: 'conv1', units: { kind: 'all' } }], diversityLayer: 'conv2' },
      'cannot differ in the features of conv2',
    ],
    [
      'starts that do not fit together',
      { settings: [{ ...settings, diversityWeight: 1 }], seeds: 64 },
      '64 pictures of A do not climb together',
    ],
    ['a blur wider than the picture', { settings: [{ ...settings, blurSigma: 28 }] }, 'wider than the picture'],
  ])('refuses %s that is not there', async (_, also, message) => {
    await expect(outcome(document(also))).rejects.toThrow(message)
  })

  it('lets starts differ from one another, and repeats what came after the paper', async () => {
    const later = { fourierPower: 1, jitterPixels: 2, scaleRange: 0.1, rotationDegrees: 5, redirectedIterations: 4 }
    const own = { ...settings, iterations: 3, blurEvery: 0, ...later }
    const of = (diversityWeight: number) =>
      outcome(document({ seeds: 2, settings: [{ ...own, diversityWeight }], start: { kind: 'fourier-noise' } }))
    const [plain, diverse, again] = [await of(0), await of(3), await of(3)]
    expect(again.last).toEqual(diverse.last)
    expect(diverse.last).not.toEqual(plain.last)
  })

  it('lets a dead unit climb by redirected gradients', async () => {
    const targets = [{ layer: 'relu3', units: { kind: 'first', count: 5 } }]
    const of = async (redirectedIterations: number) => {
      const own = { ...settings, iterations: 2, redirectedIterations }
      const { result } = await outcome(document({ targets, start: { kind: 'mean' }, settings: [own] }))
      return result.items.filter((item) => item.outcome === 'zero-gradient').length
    }
    expect(await of(8)).toBeLessThan(await of(0))
  })

  it('goes on from a checkpoint with the same numbers as without a break', async () => {
    const params = document({ settings: [{ ...settings, iterations: 30, jitterPixels: 1 }] })
    const whole = await outcome(params)
    const { context } = testContext({ engine, network })
    const checkpoint = await firstCheckpoint(activationMaximisation(params, context, { checkpointIntervalMs: 0 }))
    const resumed = await outcome(params, { checkpoint })
    expect(resumed.last).toEqual(whole.last)
    expect(resumed.best).toEqual(whole.best)
    expect(resumed.traces).toEqual(whole.traces)
  })
})

async function firstCheckpoint(generator: AsyncGenerator<ExperimentEvent, unknown, void>): Promise<Uint8Array> {
  for (;;) {
    const next = await generator.next()
    if (next.done) throw new Error('there was no checkpoint')
    if (next.value.type !== 'checkpoint') continue
    await generator.return(undefined)
    return next.value.bytes
  }
}
