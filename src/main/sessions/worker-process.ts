/** The end of a worker process, and words for it. */
import type { ChildProcess } from 'node:child_process'
import { ConvScopeError, type ErrorCode } from '../../shared/errors.ts'

/** How long the output of a process that has exited may still be under way. */
export const DRAIN_MS = 1000

export interface Exit {
  /** Continues "The compute worker …". */
  readonly how: string
  /** With exit code 0. */
  readonly orderly: boolean
}

/** Resolves when the process is gone and its output read; never rejects. */
export function waitForExit(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ how: `could not be started: ${error.message}`, orderly: false }))
    child.once('exit', (code, signal) => {
      const how = `ended unexpectedly (${signal === null ? `exit code ${code}` : `signal ${signal}`})`
      const exit = { how, orderly: code === 0 }
      // A process that the worker started may keep the pipes open.
      const drained = setTimeout(() => resolve(exit), DRAIN_MS)
      child.once('close', () => {
        clearTimeout(drained)
        resolve(exit)
      })
    })
  })
}

/** An error about a worker, with the last lines of its log as details. */
export function workerError(
  code: ErrorCode,
  message: string,
  log: string,
  { details = '', remedy = 'Start it again; if it happens again, copy the details.' } = {},
): ConvScopeError {
  const parts = [details, log && `Last lines of the log:\n${log}`].filter((part) => part !== '')
  return new ConvScopeError(code, `The compute worker ${message}`, { remedy, details: parts.join('\n') || undefined })
}

const MEBIBYTE = 2 ** 20

/** The error for a worker above its memory limit. */
export function memoryError(usedBytes: number, limitBytes: number, log: string): ConvScopeError {
  const [used, limit] = [usedBytes, limitBytes].map((bytes) => Math.round(bytes / MEBIBYTE))
  const remedy = 'Use a smaller batch, image or network.'
  return workerError('memory', `used ${used} MiB of memory; its limit is ${limit} MiB`, log, { remedy })
}
