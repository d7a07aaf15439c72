import { describe, expect, it } from 'vitest'
import { LayerSpec } from '../../shared/network/spec.ts'
import { examineParameter, zeroFilters } from './examine-weights.ts'

const conv = { name: 'conv', spec: LayerSpec.parse({ name: 'conv', type: 'conv2d', filters: 3, kernel: [1, 2] }) }

function codes(parameter: string, shape: number[], values: number[]): (string | undefined)[] {
  return examineParameter(conv, parameter, shape, Float32Array.from(values)).map(({ code }) => code)
}

describe('examineParameter', () => {
  it.each<[string, string, number[], string[]]>([
    ['sound weights', 'kernel', [0.1, -0.2, 0.3, 0, 1, 2], []],
    ['NaN', 'kernel', [0.1, NaN, 0.3, Infinity, 1, 2], ['weights-not-finite']],
    ['huge values', 'kernel', [0.1, 3e7, 0.3, 1, 1, 2], ['weights-huge']],
    ['one value everywhere', 'kernel', [0.5, 0.5, 0.5, 0.5, 0.5, 0.5], ['weights-constant']],
    ['a filter of zeros', 'kernel', [1, 0, 3, 4, 0, 6], ['zero-filters']],
    ['a negative variance', 'variance', [1, -0.5, 2], ['variance-negative']],
    ['biases of zero', 'bias', [0, 0, 0], []],
  ])('%s', (_title, parameter, values, expected) => {
    expect(codes(parameter, parameter === 'kernel' ? [1, 2, 1, 3] : [3], values)).toEqual(expected)
  })

  it('names the layer, the number and the channels', () => {
    const [nan] = examineParameter(conv, 'kernel', [1, 2, 1, 3], Float32Array.of(0.1, NaN, 0.3, NaN, 1, 2))
    expect(nan).toMatchObject({ layer: 'conv', severity: 'error' })
    expect(nan?.message).toMatch(/kernel of conv has 2 values of 6 that are NaN/)
    const [zero] = examineParameter(conv, 'kernel', [1, 2, 1, 3], Float32Array.of(1, 0, 0, 4, 0, 0))
    expect(zero?.message).toMatch(/only zeros in 2 channels \(1, 2\)/)
  })
})

it('finds the filters of a transposed convolution, whose output channels come last but one', () => {
  // [1, 1, 3 outputs, 2 inputs]
  expect(zeroFilters('conv2d-transpose', [1, 1, 3, 2], Float32Array.of(1, 2, 0, 0, 0, 3))).toEqual([1])
  expect(zeroFilters('conv2d', [1, 1, 3, 2], Float32Array.of(0, 2, 0, 1, 0, 3))).toEqual([0])
})
