import { expect, it } from 'vitest'
import { extend, valueName, type Curve } from './run-curves.ts'

it('keeps first, newest and a thousand points at most', () => {
  let curve: Curve = { x: [], values: [] }
  for (let at = 0; at < 3500; at++) curve = extend(curve, at, -at)
  expect(curve.x.length).toBeLessThanOrEqual(1000)
  expect(curve.x[0]).toBe(0)
  expect(curve.x.at(-1)).toBe(3499)
  expect(curve.values).toEqual(curve.x.map((at) => -at))
  expect(curve.x.every((at, i) => i === 0 || at > (curve.x[i - 1] ?? at))).toBe(true)
})

it('writes names of values as words', () => {
  expect(['loss', 'trainErrorPercent', 'imagesPerSecond', 'learningRate'].map(valueName)).toEqual([
    'loss',
    'train error %',
    'images / s',
    'learning rate',
  ])
})
