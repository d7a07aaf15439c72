import { expect, it } from 'vitest'
import { LruCache } from './lru-cache.ts'

it('drops what was used longest ago when it grows too heavy', () => {
  const cache = new LruCache<string>(3)
  cache.set('a', 'A')
  cache.set('b', 'B')
  cache.set('c', 'C')
  expect(cache.get('a')).toBe('A')
  cache.set('d', 'D')
  expect(cache.get('b')).toBeUndefined()
  expect(cache.get('a')).toBe('A')
  expect(cache.weight).toBe(3)
})

it('keeps the newest value even if it is heavier than the limit, and counts a replaced value once', () => {
  const cache = new LruCache<number>(10)
  cache.set('a', 1, 4)
  cache.set('a', 2, 6)
  expect(cache.weight).toBe(6)
  cache.set('b', 3, 50)
  expect(cache.get('a')).toBeUndefined()
  expect(cache.get('b')).toBe(3)
  expect(cache.weight).toBe(50)
})
