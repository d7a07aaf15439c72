/** Trying one engine in a process of its own. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { EngineReport, type EngineName } from '../../shared/engines.ts'
import { PROBE_ANSWER_FD, type ProbeRequest } from './probe-request.ts'
import type { EngineOptions } from './start-named.ts'

/** A driver or a download of shaders may hang; nothing healthy takes this long. */
const LIMIT_MS = 90_000

/** The probe's entry point: its source here, or its bundle beside this one. */
export function defaultProbePath(): string {
  const candidates = [import.meta.dirname, dirname(import.meta.dirname)].flatMap((folder) =>
    ['engine-probe.ts', 'engine-probe.js'].map((name) => join(folder, name)),
  )
  return candidates.find((path) => existsSync(path)) ?? join(import.meta.dirname, 'engine-probe.js')
}

/**
 * Starts `name` in a child process (this Node), tests and times it there. Never throws: whatever goes wrong, also a crash or 90 s without
 * an answer, becomes a report with state 'unavailable' or 'failed' and the reason.
 */
export function probeEngine(
  name: EngineName,
  options: EngineOptions,
  settings: { readonly speed?: boolean; readonly probePath?: string } = {},
): Promise<EngineReport> {
  const request: ProbeRequest = { name, options: { ...options }, speed: settings.speed ?? false }
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [settings.probePath ?? defaultProbePath(), JSON.stringify(request)], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
    })
    const pieces: Buffer[] = []
    let log = ''
    child.stderr?.on('data', (piece: Buffer) => (log = (log + piece.toString()).slice(-16_000)))
    child.stdio[PROBE_ANSWER_FD]?.on('data', (piece: Buffer) => pieces.push(piece))
    const fail = (reason: string): void => resolve({ name, state: 'failed', reason })
    child.on('error', (error) => fail(`the process that tries it did not start: ${error.message}`))
    child.on('close', (code, signal) => {
      try {
        resolve(EngineReport.parse(JSON.parse(Buffer.concat(pieces).toString())))
      } catch {
        const end = signal === null ? `exit code ${code}` : `signal ${signal}`
        const reason = lineThatTells(log)
        fail(`the process that tried it ended with ${end}${reason === '' ? '' : `: ${reason}`}`)
      }
    })
  })
}

/** The error's own line where Node printed one with its stack, else the last line before the stacks of an abort. */
function lineThatTells(log: string): string {
  const [said = ''] = log.split('----- Native stack trace')
  const lines = said.split('\n').map((line) => line.trim())
  return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.findLast((line) => line !== '') ?? ''
}
