import { describe, expect, it } from 'vitest'
import { philox4x32, RandomStream } from './random.ts'

describe('philox4x32', () => {
  // The three lines "philox4x32 10" of tests/kat_vectors in the authors' library Random123, version 1.14.0 (DEShawResearch/random123).
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)('gives the published answer for counter %j', (counter, key, expected) => {
    const block = new Uint32Array(4)
    philox4x32(counter, key, block)
    expect([...block]).toEqual([...expected])
  })
})

describe('RandomStream', () => {
  it('repeats itself, and differs by seed, purpose and index', () => {
    const draw = (stream: RandomStream): number[] => Array.from({ length: 9 }, () => stream.uint32())
    const first = draw(new RandomStream(7, 'dropout', 3, 1))
    expect(draw(new RandomStream(7, 'dropout', 3, 1))).toEqual(first)
    for (const other of [
      new RandomStream(8, 'dropout', 3, 1),
      new RandomStream(7, 'order', 3, 1),
      new RandomStream(7, 'dropout', 4, 1),
      new RandomStream(7, 'dropout', 3, 2),
    ]) {
      expect(draw(other)).not.toEqual(first)
    }
  })

  it('has the moments of its distributions', () => {
    const stream = new RandomStream(1, 'weights')
    const count = 20_000
    const moments = (draw: () => number): [number, number] => {
      const values = Array.from({ length: count }, draw)
      const mean = values.reduce((sum, value) => sum + value, 0) / count
      return [mean, values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count]
    }
    const [uniformMean, uniformVariance] = moments(() => stream.uniform())
    expect(uniformMean).toBeCloseTo(0.5, 1.9)
    expect(uniformVariance).toBeCloseTo(1 / 12, 2)
    const [normalMean, normalVariance] = moments(() => stream.normal())
    expect(Math.abs(normalMean)).toBeLessThan(0.03)
    expect(Math.abs(normalVariance - 1)).toBeLessThan(0.05)
  })

  it('permutes every element exactly once', () => {
    const order = new RandomStream(5, 'order').permutation(1000)
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, index) => index))
    expect([...order.slice(0, 5)]).not.toEqual([0, 1, 2, 3, 4])
  })

  it('keeps the expectation in a dropout mask', () => {
    const mask = new RandomStream(5, 'dropout').dropoutMask(20_000, 0.25)
    expect(new Set(mask)).toEqual(new Set([0, Math.fround(1 / 0.75)]))
    expect(mask.reduce((sum, value) => sum + value, 0) / mask.length).toBeCloseTo(1, 1)
  })
})
