import { describe, expect, it } from 'vitest'
import { buildGraph, layerNamed, layerPages, parseNetworkSpec } from './graph.ts'
import { boxOf } from './receptive-field.ts'

type Layer = Readonly<Record<string, unknown>>
const input: Layer = { name: 'input', type: 'input', shape: [8, 8, 3] }

function network(...layers: Layer[]): Record<string, unknown> {
  return {
    format: 'convscope-network',
    version: 1,
    name: 'test',
    title: 'Test',
    preprocessing: { channelOrder: 'rgb' },
    layers,
  }
}

describe('parseNetworkSpec', () => {
  it('fills in defaults', () => {
    const { layers } = parseNetworkSpec(network(input, { name: 'conv', type: 'conv2d', filters: 4, kernel: [3, 3] }))
    expect(layers[1]).toMatchObject({ stride: [1, 1], padding: 'valid', groups: 1, bias: true })
  })

  it.each<[string, Layer[], RegExp]>([
    [
      'a name twice',
      [input, { name: 'a', type: 'relu' }, { name: 'a', type: 'relu' }],
      /Layer a: there are two layers/,
    ],
    [
      'no input layer',
      [
        { name: 'a', type: 'relu' },
        { name: 'b', type: 'relu' },
      ],
      /Layer a: the first layer must be of type input/,
    ],
    ['two input layers', [input, { ...input, name: 'again' }], /Layer again: only the first layer/],
    [
      'an unknown input',
      [input, { name: 'a', type: 'relu', inputs: ['b'] }, { name: 'b', type: 'relu' }],
      /Layer a: its input b is not/,
    ],
    ['an unknown type', [input, { name: 'a', type: 'magic' }], /^Layer a: /],
    ['a mistyped key', [input, { name: 'a', type: 'relu', slop: 1 }], /^Layer a: .*slop/],
    [
      'groups that do not divide',
      [input, { name: 'a', type: 'conv2d', filters: 4, kernel: [1, 1], groups: 2 }],
      /Layer a: 3 input channels/,
    ],
    [
      'a window larger than its input',
      [input, { name: 'a', type: 'conv2d', filters: 1, kernel: [9, 9] }],
      /Layer a: its window of 9 rows/,
    ],
    [
      'a pool in the padding',
      [input, { name: 'a', type: 'max-pool', kernel: [2, 2], stride: [2, 2], padding: [2, 0, 0, 0] }],
      /Layer a: a window would lie in the padding/,
    ],
    [
      'a dense layer on maps',
      [input, { name: 'a', type: 'dense', units: 2 }],
      /Layer a: takes \[units\], not \[8, 8, 3\]/,
    ],
    [
      'a pool on units',
      [input, { name: 'f', type: 'flatten' }, { name: 'a', type: 'global-avg-pool' }],
      /Layer a: takes \[height, width, channels\], not \[192\]/,
    ],
    ['an add of one', [input, { name: 'a', type: 'add' }], /Layer a: takes two inputs or more/],
    [
      'an add of different shapes',
      [
        input,
        { name: 'p', type: 'padding', amounts: [1, 0, 0, 0] },
        { name: 'a', type: 'add', inputs: ['input', 'p'] },
      ],
      /Layer a: its inputs have different shapes/,
    ],
    [
      'a concat of different sizes',
      [
        input,
        { name: 'p', type: 'padding', amounts: [1, 0, 0, 0] },
        { name: 'a', type: 'concat', inputs: ['input', 'p'] },
      ],
      /Layer a: its inputs have different sizes/,
    ],
    [
      'a transposed convolution cut to nothing',
      [input, { name: 'a', type: 'conv2d-transpose', filters: 1, kernel: [1, 1], padding: [4, 4, 0, 0] }],
      /Layer a: its padding leaves nothing/,
    ],
    [
      'an output beyond all memory',
      [input, { name: 'a', type: 'upsample', factor: [100000, 100000] }],
      /Layer a: its output of .* is too large/,
    ],
    [
      'two inputs for one',
      [input, { name: 'a', type: 'relu', inputs: ['input', 'input'] }],
      /Layer a: takes one input, not 2/,
    ],
  ])('refuses %s', (_title, layers, reason) => {
    expect(() => parseNetworkSpec(network(...layers))).toThrow(reason)
    expect(() => parseNetworkSpec(network(...layers))).toThrow(expect.objectContaining({ code: 'invalid-input' }))
  })

  it('refuses what is no network at all', () => {
    for (const json of [null, 7, [], {}, { layers: 'x' }]) {
      expect(() => parseNetworkSpec(json)).toThrow(expect.objectContaining({ code: 'invalid-input' }))
    }
  })
})

describe('geometry', () => {
  it('counts parameters and gives no field after global layers', () => {
    const graph = buildGraph(
      parseNetworkSpec(
        network(
          input,
          { name: 'conv', type: 'conv2d', filters: 4, kernel: [3, 3], padding: 'same' },
          { name: 'norm', type: 'batch-norm' },
          { name: 'flat', type: 'flatten' },
          { name: 'dense', type: 'dense', units: 10 },
        ),
      ),
    )
    const [, conv, norm, flat, dense] = layerPages(graph)
    expect(conv).toEqual({
      name: 'conv',
      type: 'conv2d',
      inputs: ['input'],
      shape: [8, 8, 4],
      parameters: 3 * 3 * 3 * 4 + 4,
      receptiveField: { rows: { size: 3, stride: 1, offset: -1 }, columns: { size: 3, stride: 1, offset: -1 } },
    })
    // Its running statistics are not learned.
    expect(norm?.parameters).toBe(8)
    expect(flat?.receptiveField).toBeUndefined()
    expect(dense).toMatchObject({ shape: [10], parameters: 256 * 10 + 10 })
  })

  it('unites the fields of branches', () => {
    const graph = buildGraph(
      parseNetworkSpec(
        network(
          input,
          { name: 'small', type: 'conv2d', filters: 4, kernel: [1, 1] },
          { name: 'large', type: 'conv2d', filters: 4, kernel: [5, 3], padding: 'same', inputs: ['input'] },
          { name: 'both', type: 'concat', inputs: ['small', 'large'] },
        ),
      ),
    )
    const { shape, view } = layerNamed(graph, 'both')
    expect(shape).toEqual([8, 8, 8])
    expect(boxOf(view, 4, 4, [8, 8])).toEqual([2, 7, 3, 6])
  })

  it('is exact behind transposed convolutions and upsampling, whose fields vary with the place', () => {
    const layers = [
      { name: 'up', type: 'conv2d-transpose', filters: 1, kernel: [3, 3], stride: [2, 2], padding: 'valid' },
      { name: 'larger', type: 'upsample', factor: [2, 2], inputs: ['input'] },
      { name: 'smooth', type: 'upsample', factor: [2, 2], method: 'bilinear', inputs: ['input'] },
      { name: 'gaps', type: 'conv2d-transpose', filters: 1, kernel: [1, 1], stride: [2, 2], inputs: ['input'] },
    ]
    const graph = buildGraph(parseNetworkSpec(network(input, ...layers)))
    const box = (layer: string, row: number, column: number) =>
      boxOf(layerNamed(graph, layer).view, row, column, [8, 8])
    // Output row r = 2i + a with a = 0 … 2: even rows get two inputs, odd rows one.
    expect(box('up', 4, 5)).toEqual([1, 3, 2, 3])
    expect(box('larger', 5, 4)).toEqual([2, 3, 2, 3])
    expect(box('smooth', 0, 5)).toEqual([0, 1, 2, 4])
    // Odd rows of the last one are reached by no input.
    const [top, bottom] = box('gaps', 3, 2)
    expect(bottom - top).toBe(0)
  })
})
