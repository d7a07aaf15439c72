import { expect, it } from 'vitest'
import { Preprocessing } from '../../shared/network/spec.ts'
import { knownArchitectures } from '../network/architectures/index.ts'
import { examinePreprocessing } from './examine-preprocessing.ts'

const RGB = [123.68, 116.779, 103.939]
const BGR = [...RGB].reverse()

it.each<[string, Parameters<typeof Preprocessing.parse>[0], string[]]>([
  [
    'the usual one of torchvision',
    { channelOrder: 'rgb', mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    [],
  ],
  ["Caffe's", { channelOrder: 'bgr', scale: 1, mean: BGR }, []],
  ['a mean of the wrong order', { channelOrder: 'bgr', scale: 1, mean: RGB }, ['mean-order']],
  ['the other way round', { channelOrder: 'rgb', scale: 1, mean: BGR }, ['mean-order']],
  ['also in 0…1', { channelOrder: 'bgr', mean: [0.485, 0.456, 0.406] }, ['mean-order']],
  ['bytes subtracted from 0…1', { channelOrder: 'bgr', mean: BGR }, ['mean-outside-range']],
  ['0…1 subtracted from bytes', { channelOrder: 'rgb', scale: 1, mean: [0.485, 0.456, 0.406] }, ['mean-negligible']],
  [
    'bytes by a deviation of 0…1',
    { channelOrder: 'grey', scale: 1, mean: [33], std: [0.3081] },
    ['deviation-unlikely'],
  ],
  ['0…1 by a deviation of bytes', { channelOrder: 'grey', mean: [0.13], std: [78] }, ['deviation-unlikely']],
  ['grey', { channelOrder: 'grey' }, []],
  ['black and white exchanged', { channelOrder: 'grey', scale: -1 / 255, mean: [-1] }, []],
])('%s', (_title, preprocessing, expected) => {
  expect(examinePreprocessing(Preprocessing.parse(preprocessing)).map(({ code }) => code)).toEqual(expected)
})

it('has nothing against any known architecture', () => {
  for (const { name, spec } of knownArchitectures)
    expect([name, examinePreprocessing(spec().preprocessing)]).toEqual([name, []])
})
