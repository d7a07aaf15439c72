import { describe, expect, it } from 'vitest'
import { ConvScopeError } from '../../../shared/errors.ts'
import { decodeSafetensors, encodeSafetensors } from '../../network/safetensors.ts'
import { RandomStream } from '../../random.ts'
import { fuzz, mutated } from './fuzz.ts'

const bytes = encodeSafetensors({ kernel: { dtype: 'F32', shape: [2, 3], data: new Float32Array(6) } })
const files = [{ name: 'a.safetensors', bytes }]

describe('damaged copies of a good file', () => {
  it('are the same in every run, differ from the file, and leave it as it was', () => {
    const before = bytes.slice()
    const copies = Array.from({ length: 50 }, (_, index) => mutated(bytes, new RandomStream(1, 'order', index)))
    const again = Array.from({ length: 50 }, (_, index) => mutated(bytes, new RandomStream(1, 'order', index)))
    expect(again).toEqual(copies)
    expect(bytes).toEqual(before)
    expect(copies.filter((copy) => Buffer.compare(copy, bytes) !== 0).length).toBeGreaterThan(40)
  })

  it('are refused or read by a careful reader', async () => {
    const report = await fuzz({ files, read: ([file]) => decodeSafetensors(file?.read(0, file.size) ?? bytes) })
    expect(report.refused).toBeGreaterThan(100)
    expect(report.read).toBeGreaterThan(10)
    expect(report.refused + report.read).toBe(500)
  })

  it('find a reader that stumbles, one that is slow, and one that takes much memory', async () => {
    const stumbling = () => {
      throw new TypeError('x is undefined')
    }
    await expect(fuzz({ files, read: stumbling })).rejects.toThrow(/copy 0 of seed 1 .*not a ConvScopeError/)
    const slow = () => new Promise((resolve) => setTimeout(resolve, 20))
    await expect(fuzz({ files, read: slow, limitMs: 1 })).rejects.toThrow(/took \d+ ms/)
    const held: Uint8Array[] = []
    const greedy = () => held.push(new Uint8Array(64 * 2 ** 20).fill(1))
    await expect(fuzz({ files, read: greedy, limitBytes: 32 * 2 ** 20 })).rejects.toThrow(/grew by \d+ MiB/)
  })

  it('count a refusal only when it is of the right class', async () => {
    const refusing = () => {
      throw new ConvScopeError('damaged', 'broken')
    }
    expect(await fuzz({ files, read: refusing, mutations: 3 })).toEqual({
      refused: 3,
      read: 0,
      messages: [['broken', 3]],
    })
  })
})
