/** Telling a process from a later one with the same number. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { errorCodeOf } from './disk-error.ts'

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    return errorCodeOf(error) === 'EPERM'
  }
}

/**
 * A text that is the same for one process as long as it lives, and another one for every other process with its number,
 * after a restart of the machine too. Undefined where the process is gone or the system does not tell (Windows).
 */
export function processStart(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') return linuxStart(pid)
    if (process.platform === 'darwin') {
      const text = execFileSync('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], {
        encoding: 'utf8',
        env: { LC_ALL: 'C' },
      })
      return text.trim() || undefined
    }
  } catch {
    return undefined
  }
  return undefined
}

function linuxStart(pid: number): string | undefined {
  // Field 22 of the line; field 2 is the name in parentheses, which may hold anything.
  const line = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  const ticks = fields[19]
  // A zombie holds nothing any more.
  if (ticks === undefined || state === 'Z' || state === 'X') return undefined
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return `${boot}:${ticks}`
}

/** Whether the process that said `start` of itself still lives. Where the system tells no start, the number has to do. */
export function isSameProcess(pid: number, start: string | undefined): boolean {
  if (!isAlive(pid)) return false
  const now = processStart(pid)
  if (now === undefined) return process.platform !== 'linux'
  return start === undefined || now === start
}
