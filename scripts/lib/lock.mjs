import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync, linkSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** When the process started, in clock ticks since boot (Linux only): tells a process from a later one with its number. */
function startTime(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ')[19]
  } catch {
    return ''
  }
}

function isAlive({ pid, started }) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error.code !== 'EPERM') return false
  }
  const now = startTime(pid)
  return !started || !now || now === started
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

function parse(text) {
  try {
    const holder = JSON.parse(text)
    return Number.isInteger(holder?.pid) ? holder : undefined
  } catch {
    return undefined
  }
}

/** Writes the lock in one step: a reader never sees half of it. */
function take(path, mine) {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, mine)
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    // A file system without hard links.
    try {
      writeFileSync(path, mine, { flag: 'wx' })
      return true
    } catch (inner) {
      if (inner.code === 'EEXIST') return false
      throw inner
    }
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Removes the lock of a holder that is gone, unless somebody else has already done so and taken it. */
function removeStale(path, text) {
  const aside = `${path}.stale.${process.pid}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if (error.code === 'ENOENT') return
    throw error
  }
  if (read(aside) !== text) {
    try {
      linkSync(aside, path)
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
  }
  rmSync(aside, { force: true })
}

/**
 * Runs `work` while no other process does the same. The lock is a file with the holder's process id; that of a holder
 * that is gone is taken over.
 * @template Result
 * @param {string} path
 * @param {{ onWait?: (pid: number) => void, signal?: AbortSignal, pollMs?: number }} options `onWait` is called once
 *   when another living process holds the lock
 * @param {() => Promise<Result>} work
 * @returns {Promise<Result>}
 */
export async function withLock(path, { onWait, signal, pollMs = 200 }, work) {
  mkdirSync(dirname(path), { recursive: true })
  const mine = JSON.stringify({ pid: process.pid, started: startTime(process.pid) })
  let told = false
  while (!take(path, mine)) {
    signal?.throwIfAborted()
    const text = read(path)
    if (text === undefined) continue
    const holder = parse(text)
    if (!holder || !isAlive(holder)) {
      removeStale(path, text)
      continue
    }
    if (!told) onWait?.(holder.pid)
    told = true
    await wait(pollMs, undefined, { signal })
  }
  try {
    return await work()
  } finally {
    if (read(path) === mine) rmSync(path, { force: true })
  }
}
