import { describe, expect, it } from 'vitest'
import { encodeCsv, type CsvCell } from './csv.ts'

const text = (columns: string[], rows: CsvCell[][]): string => new TextDecoder().decode(encodeCsv({ columns, rows }))

describe('comma-separated values', () => {
  it('keep every digit, and leave empty what is missing', () => {
    expect(
      text(
        ['a', 'b'],
        [
          [Math.fround(0.1), 1e-30],
          [NaN, null],
        ],
      ),
    ).toBe('a,b\r\n0.10000000149011612,1e-30\r\n,\r\n')
  })

  it('quote what would end a cell, and let nothing be a formula', () => {
    expect(text(['name'], [['a,b'], ['say "x"'], ['two\nlines'], ['=1+1'], ['-3'], ['ä']])).toBe(
      'name\r\n"a,b"\r\n"say ""x"""\r\n"two\nlines"\r\n\'=1+1\r\n\'-3\r\nä\r\n',
    )
  })

  it('refuse a row of another length', () => {
    expect(() => encodeCsv({ columns: ['a'], rows: [[1, 2]] })).toThrow(RangeError)
  })
})
