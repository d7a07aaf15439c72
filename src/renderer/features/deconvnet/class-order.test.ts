import { expect, it } from 'vitest'
import { inReadingOrder } from './class-order.ts'

it('classes that show the same percentage stand in the order of their numbers', () => {
  const entry = (index: number, probability: number) => ({ index, label: String(index), probability })
  const order = inReadingOrder([entry(7, 0.6), entry(1, 0.39), entry(9, 3e-6), entry(2, 2e-6), entry(5, 1e-7)])
  expect(order.map(({ index }) => index)).toEqual([7, 1, 2, 5, 9])
})
