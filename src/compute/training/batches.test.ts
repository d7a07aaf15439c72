import { expect, it } from 'vitest'
import { MEAN_IMAGE_TENSOR, NetworkSpec, type Preprocessing } from '../../shared/network/spec.ts'
import { testSplit } from '../experiments/testing/test-context.ts'
import { withMeanImage } from '../network/mean-image.ts'
import { preprocess } from '../network/preprocess.ts'
import { epochOrder, randomShifts } from './batches.ts'
import { DirectReader } from './direct-reader.ts'
import { openReader } from './open-reader.ts'
import { PipelineReader } from './pipeline-reader.ts'

const data = testSplit('train', 10)

const specOf = (preprocessing: object, side = 28, channels = 1): NetworkSpec =>
  NetworkSpec.parse({
    format: 'convscope-network',
    version: 1,
    name: 'test',
    title: 'Test',
    preprocessing: { channelOrder: 'grey', mean: [0.5], std: [2], ...preprocessing },
    layers: [
      { name: 'input', type: 'input', shape: [side, side, channels] },
      { name: 'flatten', type: 'flatten' },
    ],
  })
const resizing = {
  resize: { mode: 'exact', height: 20, width: 20, filter: 'pil-bilinear' },
  crop: { mode: 'centre', height: 16, width: 16 },
}

const alone = (index: number, preprocessing: Preprocessing, side = 28, channels = 1): Float32Array => {
  const picture = data.images.subarray(index * 784, (index + 1) * 784)
  return preprocess({ shape: [28, 28, 1], data: picture }, preprocessing, [side, side, channels]).data
}

it('brings pictures to network space as a single picture is brought there', async () => {
  const spec = specOf({})
  for (const reader of [new DirectReader(data, spec.preprocessing, 3), new PipelineReader(data, spec, 3)]) {
    const { images, labels } = await reader.read([4, 7])
    expect(images.subarray(784, 2 * 784)).toEqual(alone(7, spec.preprocessing))
    expect([...labels]).toEqual([4, 7, 0])
    expect(images.subarray(2 * 784).every((value) => value === 0)).toBe(true)
  }
})

it.each([
  ['resized and cropped', specOf(resizing, 16)],
  ['in colours', specOf({ ...resizing, channelOrder: 'bgr', mean: [1, 2, 3], std: [] }, 16, 3)],
  ['resized only', specOf({ resize: resizing.resize }, 20)],
])('does the same for pictures that are %s', async (_, spec) => {
  const reader = openReader(data, spec, 1)
  const side = (spec.layers[0] as { shape: [number, number, number] }).shape
  expect((await reader.read([6])).images).toEqual(alone(6, spec.preprocessing, side[0], side[2]))
})

it('subtracts a mean picture where it lies, however the picture was moved', async () => {
  const written = specOf({ ...resizing, scale: 1, mean: [0], std: [], meanImage: MEAN_IMAGE_TENSOR }, 16)
  const mean = Float32Array.from({ length: 256 }, (_, place) => place)
  const spec = withMeanImage(written, new Map([[MEAN_IMAGE_TENSOR, { dtype: 'F32', shape: [16, 16, 1], data: mean }]]))
  const plain = openReader(data, specOf({ ...resizing, scale: 1, mean: [0], std: [] }, 16), 1)
  const changes = { shifts: Int32Array.of(-1, 2), flips: Uint8Array.of(1) }
  const expected = (await plain.read([3], changes)).images.map((value, place) => value - place)
  expect((await openReader(data, spec, 1).read([3], changes)).images).toEqual(expected)
  expect((await openReader(data, spec, 1).read([3])).images).toEqual(alone(3, spec.preprocessing, 16))
})

it('shifts down and right, black moving in, and mirrors then, in both readers', async () => {
  const spec = specOf({})
  const changes = { shifts: Int32Array.of(2, -1), flips: Uint8Array.of(0) }
  const mirrored = { ...changes, flips: Uint8Array.of(1) }
  const direct = new DirectReader(data, spec.preprocessing, 1)
  const pipeline = new PipelineReader(data, spec, 1)
  const [still, moved] = [(await direct.read([2])).images, (await direct.read([2], changes)).images]
  const at = (images: Float32Array, row: number, column: number): number | undefined => images[row * 28 + column]
  expect(at(moved, 10, 5)).toBe(at(still, 8, 6))
  expect(at(moved, 1, 5)).toBeCloseTo(-0.25, 6)
  expect(at(moved, 20, 27)).toBeCloseTo(-0.25, 6)
  expect(at((await direct.read([2], mirrored)).images, 10, 27 - 5)).toBe(at(moved, 10, 5))
  for (const change of [changes, mirrored]) {
    expect((await pipeline.read([2], change)).images).toEqual((await direct.read([2], change)).images)
  }
})

it('moves the window of a crop over what lies around it', async () => {
  const cropping = specOf({ crop: { mode: 'centre', height: 20, width: 20 } }, 20)
  const { images } = await openReader(data, cropping, 1).read([5], { shifts: Int32Array.of(3, -4) })
  const whole = alone(5, specOf({}).preprocessing)
  expect(images[0]).toBe(whole[(4 - 3) * 28 + 4 + 4])
  expect(images[19 * 20 + 19]).toBe(whole[(4 + 19 - 3) * 28 + 27])
})

it('says which picture does not fit', async () => {
  const reader = openReader(data, specOf({}, 30), 1)
  await expect(reader.read([2])).rejects.toThrow('Picture 2 of digits becomes 28 × 28; test takes 30 × 30')
})

it('draws another order every epoch and shifts within bounds, the same for one seed', () => {
  expect([...epochOrder(1, 1, 50)]).toEqual([...epochOrder(1, 1, 50)])
  expect([...epochOrder(1, 1, 50)]).not.toEqual([...epochOrder(1, 2, 50)])
  const shifts = randomShifts(1, 1, 200, 2)
  expect(new Set(shifts)).toEqual(new Set([-2, -1, 0, 1, 2]))
  expect(randomShifts(1, 1, 200, 2)).toEqual(shifts)
})
