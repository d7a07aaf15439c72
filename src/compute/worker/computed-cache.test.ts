import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ComputedCache } from './computed-cache.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convscope-computed-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const filled = (value: number, length = 100): Uint8Array => new Uint8Array(length).fill(value)

describe('the cache of what was computed', () => {
  it('gives back what was put, also to another session', async () => {
    const inside = join(folder, 'not', 'there', 'yet')
    const cache = new ComputedCache(inside)
    expect(await cache.get('a')).toBeUndefined()
    await cache.put('a', filled(1))
    await cache.put('a', filled(2))
    expect(await new ComputedCache(inside).get('a')).toEqual(filled(2))
    await cache.remove('a')
    expect(await cache.get('a')).toBeUndefined()
    expect(await readdir(inside)).toEqual([])
  })

  it('takes a file for missing that is not as it was written', async () => {
    const cache = new ComputedCache(folder)
    await cache.put('a', filled(1))
    const [name = ''] = await readdir(folder)
    const bytes = await readFile(join(folder, name))
    for (const damaged of [
      Buffer.concat([bytes.subarray(0, 60), filled(9, 72)]),
      bytes.subarray(0, 50),
      filled(0, 3),
    ]) {
      await writeFile(join(folder, name), damaged)
      expect(await cache.get('a')).toBeUndefined()
      expect(await readdir(folder)).toEqual([])
    }
  })

  it('keeps to its size, the least recently used go first', async () => {
    const cache = new ComputedCache(folder, 500)
    for (const key of ['a', 'b', 'c']) await cache.put(key, filled(1))
    // Files of one millisecond have no order.
    for (const [index, name] of (await readdir(folder)).entries()) {
      await utimes(join(folder, name), 1000 + index, 1000 + index)
    }
    await cache.get('a')
    await cache.put('d', filled(1))
    expect(await cache.get('a')).toBeDefined()
    expect(await cache.get('d')).toBeDefined()
    expect(await readdir(folder)).toHaveLength(3)
    await cache.put('large', filled(1, 501))
    expect(await cache.get('large')).toBeUndefined()
  })
})
