import { expect, it } from 'vitest'
import { NetworkSpec } from '../../shared/network/spec.ts'
import { testSplit } from '../experiments/testing/test-context.ts'
import { preprocess } from '../network/preprocess.ts'
import { BatchReader, epochOrder, randomShifts } from './batches.ts'

const data = testSplit('train', 10)
const preprocessing = NetworkSpec.shape.preprocessing.parse({ channelOrder: 'grey', mean: [0.5], std: [2] })

it('brings pictures to network space as a single picture is brought there', () => {
  const { images, labels } = new BatchReader(data, preprocessing, 3).read([4, 7])
  const alone = preprocess(
    { shape: [28, 28, 1], data: data.images.subarray(7 * 784, 8 * 784) },
    preprocessing,
    [28, 28, 1],
  )
  expect(images.subarray(784, 2 * 784)).toEqual(alone.data)
  expect([...labels]).toEqual([4, 7, 0])
  expect(images.subarray(2 * 784).every((value) => value === 0)).toBe(true)
})

it('shifts down and right, black moving in', () => {
  const reader = new BatchReader(data, preprocessing, 1)
  const [still, moved] = [reader.read([2]).images, reader.read([2], { shifts: Int32Array.of(2, -1) }).images]
  const at = (images: Float32Array, row: number, column: number): number | undefined => images[row * 28 + column]
  expect(at(moved, 10, 5)).toBe(at(still, 8, 6))
  expect(at(moved, 1, 5)).toBeCloseTo(-0.25, 6)
  expect(at(moved, 20, 27)).toBeCloseTo(-0.25, 6)
})

it('draws another order every epoch and shifts within bounds, the same for one seed', () => {
  expect([...epochOrder(1, 1, 50)]).toEqual([...epochOrder(1, 1, 50)])
  expect([...epochOrder(1, 1, 50)]).not.toEqual([...epochOrder(1, 2, 50)])
  const shifts = randomShifts(1, 1, 200, 2)
  expect(new Set(shifts)).toEqual(new Set([-2, -1, 0, 1, 2]))
  expect(randomShifts(1, 1, 200, 2)).toEqual(shifts)
})
