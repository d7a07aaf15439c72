import { expect, it } from 'vitest'
import { describePreprocessing, firstConvolution, receptiveFieldText } from './network-facts.ts'

it('tells in one line what happens to a picture', () => {
  expect(describePreprocessing({ channelOrder: 'grey', scale: 1 / 255, mean: [], std: [] })).toBe('grey levels; ÷ 255')
  expect(
    describePreprocessing({
      resize: { mode: 'short-side', height: 256, width: 256, filter: 'pil-bilinear' },
      crop: { mode: 'centre', height: 227, width: 227 },
      channelOrder: 'bgr',
      scale: 1,
      mean: [104, 117, 123],
      std: [],
    }),
  ).toBe('blue, green, red; resized to 256 × 256 (short-side, pil-bilinear); centre 227 × 227; × 1.00; − 104, 117, 123')
})

it('finds the first convolution and says how far a unit sees', () => {
  expect(firstConvolution({ layers: [{ name: 'data', type: 'input', shape: [1, 1, 1] }] })).toBeUndefined()
  const axis = { size: 5, stride: 1, offset: 0 }
  expect(receptiveFieldText({ receptiveField: { rows: axis, columns: { ...axis, size: 7 } } })).toBe('5 × 7')
  expect(receptiveFieldText({})).toBe('all')
})
