import { describe, expect, it } from 'vitest'
import { valueText } from './follow-run.ts'
import { byteText, countText, durationText, table, Terminal } from './terminal.ts'

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

  it('lets nothing that others wrote control the terminal', () => {
    const { written, streams } = recorded(true)
    const terminal = new Terminal(streams, false)
    const title = 'harmless\u001b]0;window title\u0007\u001b[2J\u009b31m\r\u202Etxt.exe'
    const shown = 'harmless\uFFFD]0;window title\uFFFD\uFFFD[2J\uFFFD31m\uFFFD\uFFFDtxt.exe\n'
    terminal.answer({}, () => title)
    terminal.note(title)
    expect(written).toEqual({ out: shown, err: shown })
    terminal.progress('a\u001b[2Jb')
    expect(written.err).toBe(`${shown}\ra\uFFFD[2Jb\u001b[K`)
  })

  it('names reason and remedy of an error', () => {
    const { written, streams } = recorded(false)
    new Terminal(streams, false).error({ code: 'not-found', message: 'There is no run x', remedy: 'List them.' })
    expect(written.err).toBe('convscope: There is no run x\nList them.\n')
  })
})

it.each([
  ['trainErrorPercent', 12.3456, 'train error 12.35 %'],
  ['imagesPerSecond', 812.34, '812.3 images/s'],
  ['learningRate', 0.001, 'learning rate 0.001'],
  ['loss', 0.5, 'loss 0.5'],
])('writes %s for people', (name, value, text) => {
  expect(valueText(name, value)).toBe(text)
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
  expect([countText(34.96, 240, 'pictures'), countText(0, 1, 'pictures')]).toEqual([
    '34 of 240 pictures',
    '0 of 1 picture',
  ])
  expect([durationText(5), durationText(125), durationText(7260)]).toEqual(['5 s', '2 min 05 s', '2 h 01 min'])
})
