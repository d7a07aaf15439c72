import { expect, it, vi } from 'vitest'
import { Thumbnails, type FetchPage, type ThumbnailPage } from './thumbnails.ts'

const page = (offset: number, count: number, total: number): ThumbnailPage => ({
  total,
  indices: Array.from({ length: count }, (_, i) => 2 * (offset + i)),
  labels: Array.from({ length: count }, (_, i) => (offset + i) % 10),
  shape: [1, 1, 1],
  images: new Uint8Array(count),
})

function setUp(total: number, fetch: FetchPage) {
  const on = { changed: vi.fn<() => void>(), failed: vi.fn<(error: unknown) => void>() }
  return { on, thumbnails: new Thumbnails(total, fetch, on, () => undefined) }
}

it('fetches only the chunks in view, once', async () => {
  const fetch = vi.fn<FetchPage>(async (offset, count) => page(offset, count, 1000))
  const { on, thumbnails } = setUp(1000, fetch)
  thumbnails.want(200, 300)
  thumbnails.want(210, 310)
  await vi.waitFor(() => expect(on.changed).toHaveBeenCalledTimes(2))
  thumbnails.want(220, 300)
  expect(fetch.mock.calls.map(([offset, count]) => [offset, count])).toEqual([
    [0, 240],
    [240, 240],
  ])
  expect(thumbnails.at(241)).toEqual({ index: 482, label: 1 })
  expect(thumbnails.at(700)).toBeUndefined()
})

it('never asks for what was only scrolled past', async () => {
  const waiting: (() => void)[] = []
  const fetch = vi.fn<FetchPage>(
    (offset, count) => new Promise((resolve) => waiting.push(() => resolve(page(offset, count, 100_000)))),
  )
  const { on, thumbnails } = setUp(100_000, fetch)
  for (let place = 0; place < 90_000; place += 300) thumbnails.want(place, place + 10)
  expect(fetch.mock.calls.map(([offset]) => offset)).toEqual([0, 240])
  for (const answer of waiting.splice(0)) answer()
  await vi.waitFor(() => expect(fetch).toHaveBeenCalledTimes(3))
  expect(fetch.mock.calls[2]?.[0]).toBe(Math.floor(89_700 / 240) * 240)
  waiting[0]?.()
  await vi.waitFor(() => expect(on.changed).toHaveBeenCalledTimes(3))
})

it('reports failures once, and nothing after it was disposed of', async () => {
  const signals: AbortSignal[] = []
  const fetch = vi.fn<FetchPage>((offset, _count, signal) => {
    signals.push(signal)
    return new Promise((_, reject) => {
      if (offset > 0) reject(new Error('disk'))
      signal.addEventListener('abort', () => reject(new Error('aborted')))
    })
  })
  const { on, thumbnails } = setUp(10_000, fetch)
  thumbnails.want(0, 10)
  thumbnails.want(5000, 5010)
  await vi.waitFor(() => expect(on.failed).toHaveBeenCalledOnce())
  expect(on.failed.mock.calls[0]?.[0]).toEqual(new Error('disk'))
  thumbnails.dispose()
  expect(signals[0]?.aborted).toBe(true)
  await Promise.resolve()
  expect([on.failed.mock.calls.length, fetch.mock.calls.length]).toEqual([1, 2])
})

it('asks for no more than there is', async () => {
  const fetch = vi.fn<FetchPage>(async (offset, count) => page(offset, count, 250))
  const { on, thumbnails } = setUp(250, fetch)
  thumbnails.want(240, 400)
  await vi.waitFor(() => expect(on.changed).toHaveBeenCalled())
  expect(fetch.mock.calls.map(([offset, count]) => [offset, count])).toEqual([[240, 10]])
})
