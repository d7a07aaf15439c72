import { expect, it } from 'vitest'
import { extend, valueText, type Curve } from './run-curves.ts'

it('keeps first, newest and a thousand points at most', () => {
  let curve: Curve = { x: [], values: [] }
  for (let at = 0; at < 3500; at++) curve = extend(curve, at, -at)
  expect(curve.x.length).toBeLessThanOrEqual(1000)
  expect(curve.x[0]).toBe(0)
  expect(curve.x.at(-1)).toBe(3499)
  expect(curve.values).toEqual(curve.x.map((at) => -at))
  expect(curve.x.every((at, i) => i === 0 || at > (curve.x[i - 1] ?? at))).toBe(true)
})

it('writes values with their names as words', () => {
  const values = { epoch: 2, loss: 1.8512, trainErrorPercent: 7.5, imagesPerSecond: 812.3, learningRate: 0.001 }
  expect(Object.entries(values).map(([name, value]) => valueText(name, value))).toEqual([
    'epoch 2',
    'loss 1.85',
    'train error 7.50 %',
    '812 images / s',
    'learning rate 0.00100',
  ])
})
