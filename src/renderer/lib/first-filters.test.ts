import { expect, it } from 'vitest'
import type { LayerPage } from '../../shared/network/page.ts'
import { firstConvolution } from './first-filters.ts'

const layer = (name: string, type: LayerPage['type'], inputs: string[], channels: number): LayerPage => ({
  name,
  type,
  inputs,
  shape: [4, 4, channels],
  parameters: 0,
})
const layers = [
  layer('data', 'input', [], 3),
  layer('conv1', 'conv2d', ['data'], 8),
  layer('relu1', 'relu', ['conv1'], 8),
  layer('pool1', 'max-pool', ['relu1'], 8),
  layer('conv2', 'conv2d', ['pool1'], 6),
  layer('relu2', 'relu', ['conv2'], 6),
  layer('sum', 'add', ['relu1', 'pool1'], 8),
]

it('is found below what keeps its channels, and nowhere else', () => {
  expect(
    ['data', 'conv1', 'relu1', 'pool1', 'conv2', 'relu2', 'sum', 'none'].map((name) => firstConvolution(layers, name)),
  ).toEqual([undefined, 'conv1', 'conv1', 'conv1', undefined, undefined, undefined, undefined])
})

it('needs a picture that can be shown', () => {
  expect(
    firstConvolution([layer('data', 'input', [], 5), layer('conv1', 'conv2d', ['data'], 8)], 'conv1'),
  ).toBeUndefined()
})
