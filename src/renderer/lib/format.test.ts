import { describe, expect, it } from 'vitest'
import * as format from './format.ts'

describe('format', () => {
  it.each([
    [0, '0'],
    [1.23456, '1.23'],
    [-0.0045, '\u22120.00450'],
    [12345, '12345'],
    [1.2e-7, '1.20e\u22127'],
    [-3e9, '\u22123.00e9'],
    [Number.NaN, 'NaN'],
  ])('value %f is %s', (value, text) => expect(format.formatValue(value)).toBe(text))

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1500, '1.5 kB'],
    [612_000_000, '612 MB'],
    [999_999, '1.0 MB'],
  ])('%i bytes are %s', (bytes, text) => expect(format.formatBytes(bytes)).toBe(text))

  it.each([
    [1, '100 %'],
    [0.9924, '99.2 %'],
    [0.0003, '0.03 %'],
    [1e-9, '< 0.01 %'],
    [0, '0.00 %'],
  ])('probability %f is %s', (fraction, text) => expect(format.formatPercent(fraction)).toBe(text))

  it.each([
    [4.25, '4.3 ms'],
    [84, '84 ms'],
    [1234, '1.2 s'],
    [200_000, '3 min 20 s'],
    [7_500_000, '2 h 5 min'],
  ])('%f ms are %s', (milliseconds, text) => expect(format.formatMilliseconds(milliseconds)).toBe(text))

  it('separates thousands and joins sizes', () => {
    expect(format.formatCount(60000)).toBe('60\u202f000')
    expect(format.formatCount(7)).toBe('7')
    expect(format.formatShape([24, 24, 64])).toBe('24 × 24 × 64')
  })

  it('says how long ago and how long still', () => {
    const now = Date.UTC(2026, 2, 10, 12)
    expect(format.formatAgo(now - 5000, now)).toBe('just now')
    expect(format.formatAgo(now - 3 * 3600_000, now)).toBe('3 h ago')
    expect(format.formatAgo(now - 5 * 86_400_000, now)).toBe('2026-03-05')
    expect(format.formatTimeLeft(0.2)).toBe('1 s')
    expect(format.formatTimeLeft(200)).toBe('4 min')
  })

  it('writes numbers beside axes as elsewhere on the page', () => {
    expect([0, 1200, -10_000, 0.5, -0.25].map(format.formatTick)).toEqual([
      '0',
      '1\u202f200',
      '\u221210\u202f000',
      '0.5',
      '\u22120.25',
    ])
  })

  it('counts threads', () => {
    expect([1, 2].map(format.formatThreads)).toEqual(['1 thread', '2 threads'])
  })
})
