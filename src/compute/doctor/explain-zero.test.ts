import { describe, expect, it } from 'vitest'
import { buildGraph, parseNetworkSpec } from '../network/graph.ts'
import { explainZero, type ZeroCase } from './explain-zero.ts'

const graph = buildGraph(
  parseNetworkSpec({
    format: 'convscope-network',
    version: 1,
    name: 'test',
    title: 'Test',
    preprocessing: { channelOrder: 'grey' },
    layers: [
      { name: 'input', type: 'input', shape: [8, 8, 1] },
      { name: 'conv1', type: 'conv2d', filters: 4, kernel: [3, 3] },
      { name: 'relu1', type: 'relu' },
      { name: 'pool1', type: 'max-pool', kernel: [2, 2], stride: [2, 2] },
      { name: 'aside', type: 'conv2d', filters: 2, kernel: [1, 1], inputs: ['input'] },
      { name: 'clip', type: 'relu6', inputs: ['pool1'] },
      { name: 'flat', type: 'flatten' },
      { name: 'dense', type: 'dense', units: 3 },
      { name: 'prob', type: 'softmax' },
    ],
  }),
)
const explain = (given: Partial<ZeroCase> & Pick<ZeroCase, 'layer' | 'range'>) =>
  explainZero({ graph, channel: 2, ...given })

describe('explainZero', () => {
  it.each<[string, Partial<ZeroCase> & Pick<ZeroCase, 'layer' | 'range'>, string | undefined, RegExp]>([
    [
      'a channel never active',
      { layer: 'relu1', range: [0, 0] },
      'never-active',
      /Channel 2 of relu1 is never active.*conv1/s,
    ],
    ['seen through a pooling', { layer: 'pool1', range: [0, 0] }, 'never-active', /after relu1 it is 0.*conv1/s],
    [
      'a place without activity',
      { layer: 'relu1', range: [0, 3.14159], value: 0 },
      'inactive-here',
      /reaches 3.14 elsewhere/,
    ],
    ['a filter of zeros', { layer: 'conv1', range: [0, 0], zeroFilter: true }, 'zero-filter', /filter of zeros/],
    ['zero before a ReLU', { layer: 'conv1', range: [0, 0] }, 'zero-everywhere', /0 everywhere/],
    ['NaN', { layer: 'conv1', range: [NaN, NaN] }, 'not-finite', /no numbers/],
    ['a branch aside', { layer: 'dense', range: [1, 1], to: 'aside' }, 'independent', /dense does not depend on aside/],
    [
      'a certain softmax',
      { layer: 'prob', range: [1, 1], value: 1 },
      'saturated',
      /is 1 to within a millionth.*dense/s,
    ],
    ['an impossible class', { layer: 'prob', range: [0, 1e-9], value: 1e-9 }, 'saturated', /is 0 to within/],
    ['a clipped rectifier', { layer: 'clip', range: [0, 6], value: 6 }, 'saturated', /cut off at 6.*pool1/s],
    ['nothing wrong', { layer: 'relu1', range: [0, 3], value: 3 }, undefined, /^$/],
    ['negative values before a ReLU', { layer: 'conv1', range: [-3, -1], value: -1 }, undefined, /^$/],
  ])('%s', (_title, given, code, text) => {
    const found = explain(given)
    expect(found?.code).toBe(code)
    expect(found === undefined ? '' : `${found.message} ${found.remedy}`).toMatch(text)
  })

  it('refuses a layer that is not there', () => {
    expect(() => explain({ layer: 'conv9', range: [0, 0] })).toThrow(/has no layer conv9/)
  })
})
