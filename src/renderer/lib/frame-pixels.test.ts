import { expect, it } from 'vitest'
import { frameSize } from '../../shared/network/frame-size.ts'
import { centreCrop, invertColours } from './frame-pixels.ts'

it('crops the middle with the aspect of the frame', () => {
  expect(centreCrop({ width: 640, height: 480 }, { width: 28, height: 28 })).toEqual([80, 0, 480, 480])
  expect(centreCrop({ width: 100, height: 400 }, { width: 20, height: 10 })).toEqual([0, 175, 100, 50])
  expect(centreCrop({ width: 8, height: 6 }, { width: 4, height: 3 })).toEqual([0, 0, 8, 6])
})

it('makes frames as large as the network resizes them to', () => {
  const resize = { mode: 'exact', height: 120, width: 160, filter: 'caffe' } as const
  expect(frameSize([28, 30, 1], {})).toEqual({ width: 30, height: 28 })
  expect(frameSize([100, 100, 3], { resize })).toEqual({ width: 160, height: 120 })
  expect(frameSize([100, 100, 3], { resize: { ...resize, mode: 'short-side' } })).toEqual({ width: 120, height: 120 })
})

it('inverts colours and leaves the opacity', () => {
  const pixels = new Uint8ClampedArray([0, 10, 255, 255, 1, 2, 3, 0])
  invertColours(pixels)
  expect([...pixels]).toEqual([255, 245, 0, 255, 254, 253, 252, 0])
})
