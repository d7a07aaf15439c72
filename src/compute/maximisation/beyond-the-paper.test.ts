import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { GRADIENT_RULES } from '../../shared/network/rules.ts'
import { CaseFile, take } from '../network/conformance/case-file.ts'
import { storedNetwork } from '../network/conformance/deconvnet-cases.ts'
import { compare } from '../network/conformance/rows.ts'
import { relu } from '../network/layers/relu.ts'
import { RandomStream } from '../random.ts'
import { colourMatrix, directed, squaredAmplitudes } from './ascent-direction.ts'
import { diversityGradient, diversityLayer, diversityPairs, diversitySignal } from './ascent-diversity.ts'
import { drawTransform, transformed, transformedBack, transformTensors, UNCHANGED } from './ascent-transforms.ts'
import { frequencyAmplitudes, fromWaves, hartleyMatrix } from './frequencies.ts'

const CONFORMANCE = join(import.meta.dirname, '../../../tests/conformance')
const Transforms = z.record(z.string(), z.tuple([z.number(), z.number(), z.number(), z.number()]))
let file: CaseFile
beforeAll(async () => {
  await tf.setBackend('cpu')
  file = await CaseFile.read(CONFORMANCE, 'lucid-parts')
})

async function expectStored(actual: tf.Tensor, array: string): Promise<void> {
  const expected = file.values(array)
  const row = compare(
    'lucid-parts',
    array,
    await take(actual.reshape([...expected.shape])),
    expected,
    file.json.tolerance,
  )
  expect(row.ratio, array).toBeLessThanOrEqual(1)
}

describe('directions of steps', () => {
  it.each(['0.5/grey', '0.5/colour', '1.0/grey', '1.0/colour'])(
    'are those of steps on Fourier coefficients and colours (%s)',
    async (name) => {
      const [power = '', colour] = name.split('/')
      const [height = 1, width = 1, channels = 1] = file.values('slope').shape
      const slope = file.tensor(tf, 'slope').reshape([1, height * width * channels]) as Tensor2D
      const found = directed(tf, slope, [1, height, width, channels], {
        fourier: [
          {
            rows: tf.tensor2d(hartleyMatrix(height), [height, height]),
            columns: tf.tensor2d(hartleyMatrix(width), [width, width]),
            powers: tf.tensor4d(squaredAmplitudes(height, width, [Number(power)]), [1, 1, width, height]),
          },
        ],
        colour: colour === 'colour' ? [tf.tensor3d(colourMatrix(true, 3, 'rgb'), [1, 3, 3])] : [],
      })
      await expectStored(found, `direction/${name}`)
    },
  )

  it('leave the gradient as it is where both are off, and turn colours with the order of the channels', () => {
    expect(colourMatrix(false, 3, 'rgb')).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1])
    expect(colourMatrix(true, 3, 'bgr')).toEqual(colourMatrix(true, 3, 'rgb').reverse())
    expect(frequencyAmplitudes(5, 4, 0).every((value) => value === 1)).toBe(true)
    const matrix = tf.tensor2d(hartleyMatrix(7), [7, 7])
    const difference = tf.sub(tf.matMul(matrix, matrix), tf.eye(7))
    expect(tf.max(tf.abs(difference)).dataSync()[0]).toBeLessThan(1e-6)
  })

  it('make noise of falling amplitude with the variance of what it is made from', () => {
    const [height, width] = [40, 56]
    const random = new RandomStream(1, 'start')
    const amplitudes = frequencyAmplitudes(height, width, 1)
    const noise = fromWaves(
      Float32Array.from({ length: height * width }, (_, place) => (amplitudes[place] ?? 0) * random.normal()),
      [height, width, 1],
    )
    const variance = noise.reduce((sum, value) => sum + value * value, 0) / noise.length
    const steps = noise.map((value, place) => (place % width === 0 ? 0 : value - (noise[place - 1] ?? 0)))
    expect(variance).toBeGreaterThan(0.3)
    expect(variance).toBeLessThan(3)
    // White noise would have twice the variance.
    expect(steps.reduce((sum, value) => sum + value * value, 0) / noise.length).toBeLessThan(variance)
  })
})

describe('transforms', () => {
  it('look at the picture as bilinear sampling does, and carry gradients back', async () => {
    const [height = 1, width = 1, channels = 1] = file.values('image').shape
    const pixels = (name: string) => file.tensor(tf, name).reshape([height * width, channels]) as Tensor2D
    for (const [name, [down, right, scale, degrees]] of Object.entries(
      Transforms.parse(file.json.parameters['transforms']),
    )) {
      const transform = { moved: [down, right] as const, scale, angle: (degrees * Math.PI) / 180 }
      const tensors = transformTensors(tf, height, width, [transform])
      await expectStored(transformed(tf, pixels('image'), tensors), `transformed/${name}`)
      await expectStored(transformedBack(tf, pixels('back'), tensors), `transformed-back/${name}`)
    }
  })

  it('leave a picture as it is where nothing is drawn, beside one that is transformed', () => {
    const pictures = tf.randomNormal<tf.Rank.R2>([2 * 30, 3], 0, 1, 'float32', 3)
    const turned = { moved: [1, -2], scale: 1.2, angle: 0.3 } as const
    const found = transformed(tf, pictures, transformTensors(tf, 5, 6, [turned, UNCHANGED]))
    const [values, before] = [found.dataSync(), pictures.dataSync()]
    expect([...values.slice(90)]).toEqual([...before.slice(90)])
    expect([...values.slice(0, 90)]).not.toEqual([...before.slice(0, 90)])
  })

  it('are drawn inside their ranges, and again for the same iteration', () => {
    const ranges = { jitterPixels: 3, scaleRange: 0.1, rotationDegrees: 10 }
    const drawn = Array.from({ length: 500 }, (_, step) => drawTransform(ranges, 1, 2, step))
    expect(new Set(drawn.map(({ moved }) => moved[0])).size).toBe(7)
    for (const { moved, scale, angle } of drawn) {
      expect(Math.max(Math.abs(moved[0]), Math.abs(moved[1]))).toBeLessThanOrEqual(3)
      expect(Math.abs(scale - 1)).toBeLessThanOrEqual(0.1)
      expect(Math.abs(angle)).toBeLessThanOrEqual(Math.PI / 18)
    }
    expect(drawTransform(ranges, 1, 2, 7)).toEqual(drawn[7])
    expect(drawTransform(ranges, 1, 3, 7)).not.toEqual(drawn[7])
  })
})

describe('diversity', () => {
  const groups = ['a', 'a', 'a', 'b']

  it("has the gradient of lucid's formula; pictures of other groups are left alone", async () => {
    const pairs = tf.tensor2d(diversityPairs(groups, [3, 3, 3, 3]), [4, 4])
    await expectStored(diversitySignal(tf, file.tensor(tf, 'features') as Tensor4D, pairs), 'diversity')
  })

  it('has the gradient of finite differences through a network', async () => {
    const network = storedNetwork(tf, await CaseFile.read(CONFORMANCE, 'yosinski-a'))
    const layer = diversityLayer(network.graph, 'fc4', undefined)
    expect(layer).toBe(network.layers.filter(({ shape }) => shape.length === 3).at(-1)?.name)
    expect(() => diversityLayer(network.graph, 'conv1', 'conv2')).toThrow('cannot differ in the features of conv2')
    const conv = 'conv1'
    const pairs = tf.tensor2d(diversityPairs(['a', 'a'], [1, 1]), [2, 2])
    const x = tf.randomNormal<tf.Rank.R4>(
      [2, ...network.graph.input.shape] as [number, number, number, number],
      0,
      30,
      'float32',
      5,
    )
    const towards = tf.randomNormal<tf.Rank.R4>(x.shape, 0, 1, 'float32', 6)
    const value = (input: Tensor4D): number => {
      const walk = network.forward(input, { to: conv, backward: false })
      const features = walk.get(conv) as Tensor4D
      const channels = features.shape[3]
      const flat = features.reshape([2, -1, channels]) as tf.Tensor3D
      const grams = tf.matMul(flat, flat, true).reshape([2, channels * channels]) as Tensor2D
      const unit = tf.div(grams, tf.sqrt(tf.sum(tf.square(grams), 1, true)))
      const cosine = tf.sum(tf.mul(unit.slice([0, 0], [1, -1]), unit.slice([1, 0], [1, -1]))).dataSync()[0] ?? NaN
      walk.dispose()
      return -cosine
    }
    const step = 0.05
    const difference = (value(tf.add(x, tf.mul(towards, step))) - value(tf.sub(x, tf.mul(towards, step)))) / (2 * step)
    const { graph, weights } = network
    const gradient = diversityGradient(tf, { graph, weights, layer: conv }, x, pairs)
    const along = tf.sum(tf.mul(gradient, towards)).dataSync()[0] ?? NaN
    expect(Math.abs(along - difference)).toBeLessThan(0.02 * Math.abs(difference) + 1e-6)
    expect(Math.abs(difference)).toBeGreaterThan(1e-5)
    network.dispose()
  })
})

describe('the redirected gradient', () => {
  it("is lucid's: what is positive passes where nothing else comes through", async () => {
    const context = { tf, spec: { name: 'relu', type: 'relu' }, inputShapes: [], outputShape: [], weights: {} } as const
    const { saved } = relu.forward(context, [file.tensor(tf, 'rectified/x')], { training: false, saving: true })
    const signal = file.tensor(tf, 'rectified/signal')
    const down = (rule: 'gradient' | 'redirected') =>
      relu.backward(context, signal, saved ?? {}, { ...GRADIENT_RULES, relu: rule })[0] as tf.Tensor
    await expectStored(down('redirected'), 'rectified/redirected')
    expect(tf.max(tf.abs(down('gradient').slice([1], [1]))).dataSync()[0]).toBe(0)
  })
})
