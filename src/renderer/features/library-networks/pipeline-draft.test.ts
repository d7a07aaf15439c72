import { expect, it } from 'vitest'
import type { Preprocessing } from '../../../shared/network/spec.ts'
import { classNamesOf, draftOf, pipelineOf } from './pipeline-draft.ts'

const full: Preprocessing = {
  resize: { mode: 'short-side', height: 256, width: 256, filter: 'caffe' },
  crop: { mode: 'centre', height: 227, width: 227 },
  channelOrder: 'bgr',
  scale: 1 / 255,
  mean: [0.5, 0.25, 0],
  meanImage: 'preprocessing/mean',
  std: [1, 2, 3],
}
const plain: Preprocessing = { channelOrder: 'rgb', scale: 0.017, mean: [], std: [] }
const input = [227, 227, 3] as const

it.each([full, plain])('comes back as it was when nothing is typed', (preprocessing) => {
  expect(pipelineOf(draftOf(preprocessing, input), preprocessing, 3)).toEqual({ preprocessing })
})

it('reads quotients, and numbers as people type them', () => {
  const draft = { ...draftOf(full, input), scale: '2 / 255', mean: '1 2;\u22123', std: '', meanImage: false }
  const { meanImage: _, ...rest } = full
  expect(pipelineOf(draft, full, 3)).toEqual({ preprocessing: { ...rest, scale: 2 / 255, mean: [1, 2, -3], std: [] } })
  expect(draftOf(full, input).scale).toBe('1/255')
})

it.each([
  ['scale', 'much'],
  ['scale', '0'],
  ['scale', '1/2/3'],
  ['scale', ''],
  ['mean', '1, 2'],
  ['mean', 'a, b, c'],
  ['std', '1, 0, 1'],
])('says what is wrong with %s "%s"', (field, text) => {
  const outcome = pipelineOf({ ...draftOf(plain, input), [field]: text }, plain, 3)
  expect('problems' in outcome && Object.keys(outcome.problems)).toEqual([field])
})

it('reads class names from lists and lines', () => {
  expect(classNamesOf('["a", "b"]')).toEqual(['a', 'b'])
  expect(classNamesOf('\uFEFFtench\r\ngold fish\n')).toEqual(['tench', 'gold fish'])
  expect(classNamesOf('n01440764 tench, Tinca\nn01443537 goldfish')).toEqual(['tench, Tinca', 'goldfish'])
  expect(classNamesOf('  ')).toEqual([])
})
