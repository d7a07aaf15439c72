import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { DECONVNET_RULES, GRADIENT_RULES } from '../../shared/network/rules.ts'
import { buildGraph, parseNetworkSpec, type Graph } from './graph.ts'
import { Network } from './network.ts'
import { encodeSafetensors } from './safetensors.ts'
import { seedSignals } from './seeds.ts'
import { writeWeights, type WeightValues } from './weights.ts'
import { walkUp } from './walk.ts'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

/** Two branches that are added and put beside a third; all weights are ones unless given. */
const graph = buildGraph(
  parseNetworkSpec({
    format: 'convscope-network',
    version: 1,
    name: 'branches',
    title: 'Branches',
    preprocessing: { channelOrder: 'grey' },
    layers: [
      { name: 'input', type: 'input', shape: [4, 4, 1] },
      { name: 'conv', type: 'conv2d', filters: 2, kernel: [1, 1] },
      { name: 'left', type: 'relu' },
      { name: 'right', type: 'leaky-relu', slope: 0.5, inputs: ['conv'] },
      { name: 'sum', type: 'add', inputs: ['left', 'right'] },
      { name: 'both', type: 'concat', inputs: ['sum', 'conv'] },
      { name: 'pool', type: 'max-pool', kernel: [2, 2], stride: [2, 2] },
      { name: 'flat', type: 'flatten' },
      { name: 'dense', type: 'dense', units: 3 },
    ],
  }),
)

function constantWeights({ layers }: Graph, value = 1): WeightValues {
  return Object.fromEntries(
    layers.map(({ name, parameters }) => [
      name,
      Object.fromEntries(
        parameters.map((parameter) => [
          parameter.name,
          new Float32Array(parameter.shape.reduce((total, size) => total * size, 1)).fill(value),
        ]),
      ),
    ]),
  )
}

function load(): Network {
  return Network.load(tf, graph.spec, writeWeights(graph, constantWeights(graph)))
}

describe('Network', () => {
  it('walks up to a layer and keeps what was asked for', async () => {
    const network = load()
    const x = tf.fill([2, 4, 4, 1], -3)
    const activations = network.forward(x, { to: 'both', keep: ['conv'] })
    expect(activations.get('both').shape).toEqual([2, 4, 4, 4])
    // conv is -3 + 1; the sum of ReLU and leaky ReLU is 0 - 1.
    expect([...(await activations.get('both').data())].slice(0, 4)).toEqual([-1, -1, -2, -2])
    expect(activations.has('conv')).toBe(true)
    expect(activations.has('sum')).toBe(false)
    expect(() => activations.get('sum')).toThrow(/sum is missing/)
    expect(() => activations.get('unknown')).toThrow(/has no layer unknown/)
    activations.dispose()
    expect(x.isDisposed).toBe(false)
    tf.dispose(x)
    network.dispose()
  })

  it('sums branches, copies through add and splits at concat on the way down', async () => {
    const network = load()
    const x = tf.fill([1, 4, 4, 1], -3)
    const activations = network.forward(x, { to: 'both' })
    const signal = tf.tensor(
      [1, 10, 100, 1000].flatMap((value) => new Array<number>(16).fill(value)),
      [4, 16],
    )
    const byChannel = tf.reshape(tf.transpose(signal), [1, 4, 4, 4])
    const atConv = network.backward(activations, { from: 'both', signal: byChannel, to: 'conv', rules: GRADIENT_RULES })
    // Below 0: the ReLU sends nothing, the leaky ReLU half, the direct branch all.
    expect([...(await atConv.data())].slice(0, 2)).toEqual([0.5 + 100, 5 + 1000])
    const atInput = network.backward(activations, { from: 'both', signal: byChannel, rules: GRADIENT_RULES })
    expect(atInput.shape).toEqual([1, 4, 4, 1])
    expect([...(await atInput.data())][0]).toBe(0.5 + 100 + 5 + 1000)
    const rectified = network.backward(activations, {
      from: 'both',
      signal: byChannel,
      to: 'conv',
      rules: DECONVNET_RULES,
    })
    // The deconvnet rule looks at the signal alone.
    expect([...(await rectified.data())].slice(0, 2)).toEqual([2 + 100, 20 + 1000])
    tf.dispose([x, signal, byChannel, atConv, atInput, rectified])
    activations.dispose()
    network.dispose()
  })

  it('starts in the middle', async () => {
    const network = load()
    const x = tf.randomUniform([2, 4, 4, 1], -1, 1, 'float32', 3)
    const whole = network.forward(x, { keep: ['both'] })
    const upper = network.forward(whole.get('both'), { from: 'both', to: 'dense' })
    expect(await upper.get('dense').data()).toEqual(await whole.get('dense').data())
    expect(() => network.forward(x, { from: 'left' })).toThrow(
      /output of left is \[batch, 4, 4, 2\], not \[2, 4, 4, 1\]/,
    )
    const sum = tf.zeros([1, 4, 4, 2])
    expect(() => network.forward(sum, { from: 'sum' })).toThrow(/both needs conv, which does not follow from sum/)
    tf.dispose([x, sum])
    whole.dispose()
    upper.dispose()
    network.dispose()
  })

  it('gives zeros where a layer does not depend on another, and a copy where the walk has no step', async () => {
    const network = load()
    const x = tf.ones([1, 4, 4, 1])
    const activations = network.forward(x)
    const signal = tf.ones([2, 4, 4, 2])
    const aside = network.backward(activations, { from: 'left', to: 'right', signal, rules: GRADIENT_RULES })
    expect(aside.shape).toEqual([2, 4, 4, 2])
    expect((await aside.data()).every((value) => value === 0)).toBe(true)
    const same = network.backward(activations, { from: 'left', to: 'left', signal, rules: GRADIENT_RULES })
    same.dispose()
    expect(signal.isDisposed).toBe(false)
    tf.dispose([x, signal, aside])
    activations.dispose()
    network.dispose()
  })

  it('leaves no tensor behind', () => {
    const before = tf.memory().numTensors
    const network = load()
    const x = tf.ones([1, 4, 4, 1])
    const signal = tf.ones([5, 3])
    for (const options of [{}, { keep: 'all' }, { keep: ['conv', 'pool'] }, { to: 'sum', backward: false }] as const) {
      const activations = network.forward(x, options)
      if (!('to' in options)) {
        network.backward(activations, { from: 'dense', signal, rules: GRADIENT_RULES }).dispose()
        activations.switches('pool').dispose()
      }
      activations.dispose()
    }
    network.dispose()
    tf.dispose([x, signal])
    expect(tf.memory().numTensors).toBe(before)
  })

  it('refuses a walk down that cannot be', () => {
    const network = load()
    const x = tf.ones([2, 4, 4, 1])
    const signal = tf.ones([3, 3])
    const activations = network.forward(x)
    const bare = network.forward(x, { backward: false })
    expect(() => network.backward(activations, { from: 'dense', signal, rules: GRADIENT_RULES })).toThrow(
      /3 signals .* 2 pictures/,
    )
    const two = tf.ones([2, 3])
    expect(() => network.backward(bare, { from: 'dense', signal: two, rules: GRADIENT_RULES })).toThrow(
      /without keeping/,
    )
    expect(() => activations.switches('conv')).toThrow(/conv is of type conv2d and has no switches/)
    tf.dispose([x, signal, two])
    activations.dispose()
    bare.dispose()
    network.dispose()
  })

  it('names what is wrong with the weights', () => {
    const values = constantWeights(graph)
    const file = (name: string, shape: number[]) =>
      encodeSafetensors({
        'conv/kernel': { dtype: 'F32', shape: [1, 1, 1, 2], data: new Float32Array(2) },
        [name]: { dtype: 'F32', shape, data: new Float32Array(shape.reduce((total, size) => total * size, 1)) },
      })
    expect(() => Network.load(tf, graph.spec, file('conv/offset', [2]))).toThrow(
      /layer conv do not fit .*conv\/bias is missing/,
    )
    expect(() => Network.load(tf, graph.spec, file('conv/bias', [3]))).toThrow(
      /conv\/bias has the shape \[3\] and not \[2\]/,
    )
    expect(() => writeWeights(graph, { ...values, dense: {} })).toThrow(/dense\/kernel are missing/)
  })

  it('describes its layers and what units see', () => {
    const network = load()
    expect(network.shapes['dense']).toEqual([3])
    expect(network.page().map((layer) => layer.parameters)).toEqual([0, 4, 0, 0, 0, 0, 0, 0, 16 * 3 + 3])
    expect(network.receptiveBox('pool', 1, 0)).toEqual({ unclipped: [2, 4, 0, 2], clipped: [2, 4, 0, 2] })
    expect(network.receptiveBox('dense', 0, 0).clipped).toEqual([0, 4, 0, 4])
    network.dispose()
  })
})

describe('training mode', () => {
  const trained = buildGraph(
    parseNetworkSpec({
      format: 'convscope-network',
      version: 1,
      name: 'trained',
      title: 'Trained',
      preprocessing: { channelOrder: 'grey' },
      layers: [
        { name: 'input', type: 'input', shape: [1, 1, 2] },
        { name: 'flat', type: 'flatten' },
        { name: 'norm', type: 'batch-norm', epsilon: 1e-12 },
        { name: 'drop', type: 'dropout', rate: 0.5 },
      ],
    }),
  )

  it('normalises by the batch, returns its statistics, and multiplies by the masks given', async () => {
    const network = Network.load(tf, trained.spec, writeWeights(trained, constantWeights(trained)))
    const x = tf.tensor([1, 10, 3, 30], [2, 1, 1, 2])
    const mask = tf.tensor([2, 0, 2, 2], [2, 2])
    const mode = { training: true, saving: false, masks: { drop: mask } }
    const walk = walkUp(tf, trained, network.weights, x, { mode })
    const { mean, variance } = walk.statistics['norm'] ?? {}
    expect([...((await mean?.data()) ?? [])]).toEqual([2, 20])
    expect([...((await variance?.data()) ?? [])]).toEqual([2, 200])
    const [a, b, c, d] = (await walk.outputs['drop']?.data()) ?? []
    // (x - mean) / deviation * 1 + 1, times the mask.
    expect(a).toBeCloseTo(0, 5)
    expect(b).toBe(0)
    expect(c).toBeCloseTo(4, 5)
    expect(d).toBeCloseTo(4, 5)
    expect(() => walkUp(tf, trained, network.weights, x, { mode: { ...mode, masks: {} } })).toThrow(/drop is missing/)
    tf.dispose([x, mask, walk.outputs, walk.statistics])
    network.dispose()
  })
})

describe('seedSignals', () => {
  const activation = { shape: [1, 2, 2, 2], data: [1, 5, 9, 5, 9, -1, 0, 2] }

  it.each([
    ['own', { channel: 1, place: [1, 0] as const }, [0, 0, 0, 0, 0, -1, 0, 0]],
    ['one-hot', { channel: 0, place: [0, 1] as const }, [0, 0, 1, 0, 0, 0, 0, 0]],
    ['map', { channel: 1 }, [0, 5, 0, 5, 0, -1, 0, 2]],
    ['map-maximum', { channel: 0 }, [0, 0, 9, 0, 0, 0, 0, 0]],
  ] as const)('%s', async (seed, unit, expected) => {
    const signal = seedSignals(tf, activation, [unit], seed)
    expect(signal.shape).toEqual([1, 2, 2, 2])
    expect([...(await signal.data())]).toEqual(expected)
    signal.dispose()
  })

  it('refuses units that do not exist', () => {
    expect(() => seedSignals(tf, activation, [{ channel: 2 }], 'map')).toThrow(/no channel 2/)
    expect(() => seedSignals(tf, activation, [{ channel: 0, place: [0, 2] }], 'own')).toThrow(/row 0, column 2/)
  })
})
