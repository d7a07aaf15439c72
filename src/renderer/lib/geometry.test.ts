import { describe, expect, it } from 'vitest'
import { toPictureValues } from './picture-space.ts'
import { boxOf, receptiveBox } from './receptive-field.ts'

describe('receptiveBox', () => {
  const axis = { size: 5, stride: 2, offset: -1 }
  const layer = { receptiveField: { rows: axis, columns: { ...axis, offset: 0 } } }

  it('is clipped to the input', () => {
    expect(receptiveBox(layer, [0, 0], [28, 28])).toEqual({ row0: 0, row1: 4, column0: 0, column1: 5 })
    expect(receptiveBox(layer, [12, 13], [28, 28])).toEqual({ row0: 23, row1: 28, column0: 26, column1: 28 })
  })

  it('is missing where a unit sees everything', () => {
    expect(receptiveBox({}, [0, 0], [28, 28])).toBeUndefined()
    expect(boxOf(null)).toBeUndefined()
    expect(boxOf([1, 2, 3, 4])).toEqual({ row0: 1, row1: 2, column0: 3, column1: 4 })
  })
})

describe('toPictureValues', () => {
  it('undoes scale, mean and standard deviation a channel and clips', () => {
    const input = { shape: [1, 2, 2], values: new Float32Array([0, 1, -9, 2]) }
    const { values } = toPictureValues(input, { channelOrder: 'rgb', scale: 0.01, mean: [0.5, 0.2], std: [0.1, 0.4] })
    expect([...values].map(Math.round)).toEqual([50, 60, 0, 100])
  })

  it('leaves values alone that were only scaled', () => {
    const { values } = toPictureValues(
      { shape: [1, 1, 1], values: new Float32Array([1]) },
      { channelOrder: 'grey', scale: 1 / 255, mean: [], std: [] },
    )
    expect([...values]).toEqual([255])
  })
})
