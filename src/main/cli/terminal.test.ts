import { describe, expect, it } from 'vitest'
import { byteText, durationText, table, Terminal } from './terminal.ts'

function recorded(isTTY: boolean) {
  const written = { out: '', err: '' }
  const streams = {
    out: { write: (text: string) => (written.out += text) },
    err: { write: (text: string) => (written.err += text), isTTY, columns: 20 },
  }
  return { written, streams }
}

describe('Terminal', () => {
  it('prints one JSON value on stdout and everything else on stderr', () => {
    const { written, streams } = recorded(false)
    const terminal = new Terminal(streams, true)
    terminal.progress('half')
    terminal.note('a note')
    terminal.answer({ a: [1] }, () => 'text')
    expect(JSON.parse(written.out)).toEqual({ a: [1] })
    expect(written.err).toBe('half\na note\n')
  })

  it('redraws progress on a terminal and clears it before the answer', () => {
    const { written, streams } = recorded(true)
    const terminal = new Terminal(streams, false)
    terminal.progress('a line that is longer than the terminal')
    terminal.answer({}, () => 'done')
    expect(written.out).toBe('done\n')
    expect(written.err).toBe('\ra line that is long\u001b[K\r\u001b[K')
  })

  it('names reason and remedy of an error', () => {
    const { written, streams } = recorded(false)
    new Terminal(streams, false).error({ code: 'not-found', message: 'There is no run x', remedy: 'List them.' })
    expect(written.err).toBe('convscope: There is no run x\nList them.\n')
  })
})

it('lays out tables, sizes and durations', () => {
  expect(
    table(
      ['name', 'count'],
      [
        ['a', 5],
        ['longer', 10],
      ],
    ),
  ).toBe('name    count\na           5\nlonger     10')
  expect([byteText(999), byteText(1_250_000)]).toEqual(['999 B', '1.3 MB'])
  expect([durationText(5), durationText(125), durationText(7260)]).toEqual(['5 s', '2 min 05 s', '2 h 01 min'])
})
