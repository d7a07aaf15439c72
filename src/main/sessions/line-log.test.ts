import { describe, expect, it } from 'vitest'
import { LineLog } from './line-log.ts'

describe('LineLog', () => {
  it('joins what arrives in pieces, also inside a character', () => {
    const lines: string[] = []
    const log = new LineLog((line) => lines.push(line))
    const bytes = Buffer.from('größe 1\r\n\nzweite Zeile\nRest')
    for (const byte of bytes) log.push(new Uint8Array([byte]))
    log.end()
    expect(lines).toEqual(['größe 1', 'zweite Zeile', 'Rest'])
  })

  it('keeps the last lines only, and cuts lines without end', () => {
    const lines: string[] = []
    const log = new LineLog((line) => lines.push(line), 2)
    log.push(Buffer.from(`one\ntwo\n${'x'.repeat(10_000)}`))
    log.end()
    expect(lines[2]).toHaveLength(4000)
    expect(log.tail).toBe(lines.slice(-2).join('\n'))
  })
})
