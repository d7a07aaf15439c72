import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { follow } from './follow.ts'
import { Latest, NewestWins, pause } from './latest.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('Latest', () => {
  it('aborts the turn before', () => {
    const latest = new Latest()
    const first = latest.begin()
    const second = latest.begin()
    expect(first.signal.aborted).toBe(true)
    expect(first.current()).toBe(false)
    expect(second.current()).toBe(true)
    latest.cancel()
    expect(second.current()).toBe(false)
  })
})

describe('NewestWins', () => {
  const task = (ms: number, log: string[], name: string) => async (signal: AbortSignal) => {
    await pause(ms, signal)
    log.push(signal.aborted ? `${name} aborted` : name)
  }

  it('lets a quick task end and skips to the newest', async () => {
    const log: string[] = []
    const looks = new NewestWins(250)
    looks.request(task(50, log, 'a'))
    looks.request(task(50, log, 'b'))
    looks.request(task(50, log, 'c'))
    await vi.advanceTimersByTimeAsync(200)
    expect(log).toEqual(['a', 'c'])
    looks.request(task(10, log, 'd'))
    await vi.advanceTimersByTimeAsync(20)
    expect(log).toEqual(['a', 'c', 'd'])
  })

  it('aborts a slow task for a newer one, and only then', async () => {
    const log: string[] = []
    const looks = new NewestWins(250)
    looks.request(task(5000, log, 'slow'))
    await vi.advanceTimersByTimeAsync(400)
    expect(log).toEqual([])
    looks.request(task(10, log, 'newer'))
    await vi.advanceTimersByTimeAsync(50)
    expect(log).toEqual(['slow aborted', 'newer'])
  })

  it('goes on when a task never answers its abort', async () => {
    const log: string[] = []
    const looks = new NewestWins(250)
    looks.request(() => new Promise(() => undefined))
    looks.request(task(10, log, 'newer'))
    await vi.advanceTimersByTimeAsync(300)
    expect(log).toEqual(['newer'])
  })
})

describe('pause', () => {
  it('waits, and ends early when aborted', async () => {
    const controller = new AbortController()
    const ended = vi.fn<() => void>()
    const long = pause(1000, controller.signal).then(ended)
    await vi.advanceTimersByTimeAsync(10)
    expect(ended).not.toHaveBeenCalled()
    controller.abort()
    await long
    expect(ended).toHaveBeenCalledOnce()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('follow', () => {
  it('opens the stream again after it fails and stops when aborted', async () => {
    const controller = new AbortController()
    const values: number[] = []
    const errors: unknown[] = []
    let opened = 0
    const open = async (): Promise<AsyncIterable<number>> => {
      opened++
      const attempt = opened
      return (async function* () {
        yield attempt
        if (attempt === 1) throw new Error('connection lost')
        if (attempt === 3) controller.abort()
        yield attempt * 10
      })()
    }
    const done = follow(
      open,
      (value) => values.push(value),
      controller.signal,
      (error) => errors.push(error),
    )
    await vi.runAllTimersAsync()
    await done
    expect(values).toEqual([1, 2, 20, 3])
    expect(errors).toHaveLength(1)
  })
})
