/** What a command writes: its answer to stdout, everything else to stderr. */
import { spoken } from '../../shared/actions.ts'
import type { ErrorReport } from '../../shared/errors.ts'
import { printable } from '../platform/printable.ts'

export interface Streams {
  readonly out: { write(text: string): unknown }
  readonly err: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number }
}

/** Progress is written anew on one line of a terminal, and as a line every few seconds elsewhere. */
const PLAIN_INTERVAL_MS = 5000
const TERMINAL_INTERVAL_MS = 100

export class Terminal {
  readonly #streams: Streams
  readonly json: boolean
  #lastProgressAt = -Infinity
  #lineIsOpen = false

  constructor(streams: Streams, json: boolean) {
    this.#streams = streams
    this.json = json
  }

  /** The command's answer: with `--json` the value, as one JSON value; otherwise the text. */
  answer(value: unknown, text: () => string): void {
    this.#closeLine()
    const answer = this.json ? `${JSON.stringify(value, spokenHere, 2)}\n` : printable(spoken(text(), 'command'))
    this.#streams.out.write(ensureNewline(answer))
  }

  /** A message beside the answer. */
  note(message: string): void {
    this.#closeLine()
    this.#streams.err.write(ensureNewline(printable(spoken(message, 'command'))))
  }

  error(report: ErrorReport): void {
    this.note(`convscope: ${report.message}${report.remedy ? `\n${report.remedy}` : ''}`)
    if (report.code === 'internal' && report.details) this.note(report.details)
  }

  progress(line: string): void {
    const terminal = this.#streams.err.isTTY === true
    const now = performance.now()
    if (now - this.#lastProgressAt < (terminal ? TERMINAL_INTERVAL_MS : PLAIN_INTERVAL_MS)) return
    this.#lastProgressAt = now
    const text = printable(line)
    if (!terminal) {
      this.#streams.err.write(`${text}\n`)
      return
    }
    const width = Math.max((this.#streams.err.columns ?? 80) - 1, 10)
    this.#streams.err.write(`\r${text.slice(0, width)}\u001b[K`)
    this.#lineIsOpen = true
  }

  #closeLine(): void {
    if (!this.#lineIsOpen) return
    this.#lineIsOpen = false
    this.#streams.err.write('\r\u001b[K')
  }
}

/** Sentences within JSON, too, tell what to do on the command line. */
function spokenHere(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? spoken(value, 'command') : value
}

function ensureNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`
}

/** Columns padded to one width, numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const widths = head.map((title, index) =>
    Math.max(title.length, ...rows.map((row) => String(row[index] ?? '').length)),
  )
  const line = (cells: readonly (string | number)[]): string =>
    cells
      .map((cell, index) => {
        const width = widths[index] ?? 0
        return typeof cell === 'number' ? String(cell).padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  return [line(head), ...rows.map(line)].join('\n')
}

/** E.g. "1.3 MB". */
export function byteText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? 'B'}`
}

/** E.g. "12 of 240 pictures", "0 of 1 picture": what is begun does not count. */
export function countText(done: number, total: number, unit: string): string {
  const one = unit.replace(/s$/, '')
  return `${Math.floor(done)} of ${total} ${total === 1 ? one : unit}`
}

/** E.g. "2 min 05 s". */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, '0')} s`
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`
}
