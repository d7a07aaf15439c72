import { expect, it } from 'vitest'
import { firstConvolution, receptiveFieldText } from './network-facts.ts'

it('finds the first convolution and says how far a unit sees', () => {
  expect(firstConvolution({ layers: [{ name: 'data', type: 'input', shape: [1, 1, 1] }] })).toBeUndefined()
  const axis = { size: 5, stride: 1, offset: 0 }
  expect(receptiveFieldText({ receptiveField: { rows: axis, columns: { ...axis, size: 7 } } })).toBe('5 × 7')
  expect(receptiveFieldText({})).toBe('all')
})
