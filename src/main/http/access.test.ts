import type { IncomingMessage } from 'node:http'
import { hostname } from 'node:os'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Access } from './access.ts'
import { TOKEN } from './testing/fixture.ts'

describe('a single-use token', () => {
  afterEach(() => vi.useRealTimers())
  it.each([
    [59_000, 'new'],
    [61_000, 'refused'],
  ])('after %i ms: %s', (milliseconds, kind) => {
    vi.useFakeTimers()
    const access = new Access({ host: '127.0.0.1', port: 80, token: TOKEN })
    const url = `/?token=${access.singleUseToken()}`
    vi.advanceTimersByTime(milliseconds)
    expect(access.admit({ method: 'GET', url, headers: { host: '127.0.0.1:80' } } as IncomingMessage).kind).toBe(kind)
  })
})

describe('access to a server that listens on every address', () => {
  it('is by the names of this machine', () => {
    const access = new Access({ host: '0.0.0.0', port: 80, token: TOKEN })
    const from = (host: string) =>
      access.admitUpgrade({
        headers: { host, origin: `http://${host}`, cookie: `convscope-80=${TOKEN}` },
      } as IncomingMessage).kind
    expect(from('127.0.0.1:80')).toBe('admitted')
    expect(from(`${hostname()}:80`)).toBe('admitted')
    expect(from('elsewhere.example:80')).toBe('refused')
  })
})
