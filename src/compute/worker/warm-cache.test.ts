import { describe, expect, it } from 'vitest'
import { WarmCache } from './warm-cache.ts'

function loader(disposed: string[], loads: string[]) {
  return (name: string, bytes: number) => async () => {
    loads.push(name)
    return { value: name, bytes, dispose: () => disposed.push(name) }
  }
}

describe('WarmCache', () => {
  it('loads a value once, also for two that ask at the same time', async () => {
    const loads: string[] = []
    const load = loader([], loads)
    const cache = new WarmCache<string>({ maxBytes: 100, maxEntries: 4 })
    const [one, two] = await Promise.all([cache.acquire('a', load('a', 1)), cache.acquire('a', load('a', 1))])
    one.release()
    two.release()
    await cache.acquire('a', load('a', 1))
    expect(loads).toEqual(['a'])
  })

  it('gives up the values that were not used for longest, within bytes and entries', async () => {
    const disposed: string[] = []
    const load = loader(disposed, [])
    const cache = new WarmCache<string>({ maxBytes: 100, maxEntries: 3 })
    for (const name of ['a', 'b', 'a', 'c']) (await cache.acquire(name, load(name, 40))).release()
    await Promise.resolve()
    expect(disposed).toEqual(['b'])
    expect(cache.bytes).toBe(80)
    for (const name of ['d', 'e', 'f']) (await cache.acquire(name, load(name, 1))).release()
    await Promise.resolve()
    expect(disposed).toEqual(['b', 'a', 'c'])
  })

  it('never disposes what is in use, and does so once it is released', async () => {
    const disposed: string[] = []
    const load = loader(disposed, [])
    const cache = new WarmCache<string>({ maxBytes: 10, maxEntries: 1 })
    const used = await cache.acquire('a', load('a', 50))
    const other = await cache.acquire('b', load('b', 50))
    await Promise.resolve()
    expect(disposed).toEqual([])
    used.release()
    used.release()
    other.release()
    await Promise.resolve()
    expect(disposed.sort()).toEqual(['a', 'b'])
  })

  it('tries again after a failure', async () => {
    const cache = new WarmCache<string>({ maxBytes: 10, maxEntries: 1 })
    await expect(cache.acquire('a', () => Promise.reject(new Error('no disk')))).rejects.toThrow('no disk')
    await expect(cache.acquire('a', async () => ({ value: 'there', bytes: 1 }))).resolves.toMatchObject({
      value: 'there',
    })
  })
})
