import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { withLock } from './lock.mjs'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convscope-lock-'))
  path = join(folder, 'work.lock')
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const nothing = () => Promise.resolve('done')

describe('withLock', () => {
  it('holds the file while it works and removes it after success and failure', async () => {
    expect(await withLock(path, {}, () => Promise.resolve(existsSync(path)))).toBe(true)
    await expect(withLock(path, {}, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    expect(readdirSync(folder)).toEqual([])
  })

  it('never lets two of the same process work at once', async () => {
    let inside = 0
    const work = async () => {
      inside += 1
      expect(inside).toBe(1)
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
      inside -= 1
    }
    await Promise.all(Array.from({ length: 8 }, () => withLock(path, { pollMs: 1 }, work)))
    expect(readdirSync(folder)).toEqual([])
  })

  it.each([
    ['of a process that has ended', () => JSON.stringify({ pid: spawnSync(process.execPath, ['--version']).pid })],
    ['of an earlier process with our number', () => JSON.stringify({ pid: process.pid, started: 'long ago' })],
    ['that is unreadable', () => '{"pi'],
  ])('takes over a lock %s', async (_name, content) => {
    writeFileSync(path, content())
    expect(await withLock(path, {}, nothing)).toBe('done')
    expect(readdirSync(folder)).toEqual([])
  })

  it('waits for a living process, names it, and goes on when it ends', async () => {
    const holder = spawn(process.execPath, ['--eval', 'process.stdin.resume()'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    writeFileSync(path, JSON.stringify({ pid: holder.pid }))
    const waited: number[] = []
    const result = withLock(path, { pollMs: 5, onWait: (pid) => (waited.push(pid), holder.stdin.end()) }, nothing)
    await once(holder, 'exit')
    expect(await result).toBe('done')
    expect(waited).toEqual([holder.pid])
  })

  it('stops waiting when it is told to', async () => {
    writeFileSync(path, JSON.stringify({ pid: process.pid }))
    const interruption = new AbortController()
    const waiting = withLock(path, { signal: interruption.signal, onWait: () => interruption.abort() }, nothing)
    await expect(waiting).rejects.toThrow(/abort/i)
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ pid: process.pid })
  })
})
