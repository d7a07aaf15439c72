/** The program's log: to stderr, and to a file that is rotated. What looks like a secret is blanked in both. */
import { appendFileSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { printable } from './printable.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export type LogFields = Readonly<Record<string, unknown>>
export type Logger = Readonly<Record<LogLevel, (message: string, fields?: LogFields) => void>>

export interface LogSettings {
  /** The least level that is written, for stderr and for the file. */
  readonly stderr: LogLevel | 'off'
  readonly file: LogLevel | 'off'
  /** No file is written without a path. */
  readonly path?: string
  /** The file is set aside at this size, and so many older ones are kept (`.1` is the newest). */
  readonly maxBytes: number
  readonly keep: number
}

let settings: LogSettings = { stderr: 'warn', file: 'off', maxBytes: 2_000_000, keep: 4 }
const secrets = new Set<string>()

/** Entry points call this once; everything before goes to stderr from 'warn' on. */
export function configureLogging(changes: Partial<LogSettings>): void {
  settings = { ...settings, ...changes }
}

/** From now on `value` is blanked wherever it appears. */
export function keepOutOfLog(value: string): void {
  if (value.length >= 8) secrets.add(value)
}

const PATTERNS: readonly [RegExp, string][] = [
  [/\b(authorization|cookie|set-cookie)(["']?\s*[:=]\s*["']?)[^\r\n"']+/gi, '$1$2[redacted]'],
  [/\b(\w*(?:token|password|passwd|secret|api[-_]?key))(["']?\s*[:=]\s*["']?)[^\s"'&;,}]+/gi, '$1$2[redacted]'],
  [/\b(bearer)\s+\S+/gi, '$1 [redacted]'],
  [/(:\/\/[^/\s:@]+:)[^/\s@]+@/g, '$1[redacted]@'],
]

/** The text without registered secrets and without what follows `token=`, `Authorization:` and the like. */
export function redact(text: string): string {
  let clean = text
  for (const secret of secrets) clean = clean.replaceAll(secret, '[redacted]')
  for (const [pattern, replacement] of PATTERNS) clean = clean.replace(pattern, replacement)
  return clean
}

/** A logger whose lines name `part`. */
export function createLogger(part: string): Logger {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => writeLine(level, part, message, fields)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function writeLine(level: LogLevel, part: string, message: string, fields: LogFields | undefined): void {
  const toStderr = isWanted(level, settings.stderr)
  const toFile = settings.path !== undefined && isWanted(level, settings.file)
  if (!toStderr && !toFile) return
  const text = redact(`${level} ${part}: ${message}${fields ? ` ${fieldsText(fields)}` : ''}`)
  const line = printable(text.replaceAll(/[\r\n]+/g, ' ⏎ '))
  if (toStderr) process.stderr.write(`${line}\n`)
  if (toFile && settings.path) appendRotating(settings.path, `${new Date().toISOString()} ${line}\n`)
}

function isWanted(level: LogLevel, least: LogLevel | 'off'): boolean {
  return least !== 'off' && LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least)
}

function fieldsText(fields: LogFields): string {
  const plain = Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? value.stack : value])
  try {
    return JSON.stringify(Object.fromEntries(plain))
  } catch {
    return '[fields that cannot be written]'
  }
}

/** A log that cannot be written must not stop the program. */
function appendRotating(path: string, line: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true })
    const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
    if (bytes > 0 && bytes + Buffer.byteLength(line) > settings.maxBytes) rotate(path)
    appendFileSync(path, line, { mode: 0o600 })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    settings = { ...settings, file: 'off' }
    process.stderr.write(redact(`warn log: the log file is given up: ${reason}\n`))
  }
}

function rotate(path: string): void {
  rmSync(`${path}.${settings.keep}`, { force: true })
  for (let number = settings.keep - 1; number >= 1; number--) {
    if (statSync(`${path}.${number}`, { throwIfNoEntry: false }))
      renameSync(`${path}.${number}`, `${path}.${number + 1}`)
  }
  renameSync(path, `${path}.1`)
}
