import { describe, expect, it } from 'vitest'
import { channelOrder } from './look-view.ts'
import { projectionLimits } from './projection-limits.ts'
import {
  changeSelection,
  completeSelection,
  DEFAULT_RULES,
  defaultLayer,
  toQuery,
  type Selection,
} from './selection.ts'
import { DATASET, NETWORK_PAGE } from './testing/fixtures.ts'
import { tileSize } from './tile-size.ts'

const complete = (query: Record<string, string>): Selection => completeSelection(query, NETWORK_PAGE, [DATASET])!

describe('addresses', () => {
  it('come back as they were', () => {
    const query = {
      ...{
        network: 'net',
        dataset: 'digits',
        split: 'train',
        index: '7',
        layer: 'conv1',
        channel: '1',
        row: '0',
        column: '1',
      },
      ...{ relu: 'guided', unpool: 'max', lrn: 'derivative', seed: 'map', units: '9', scale: 'shared' },
    }
    expect(toQuery(complete(query))).toEqual(query)
  })

  it('leave the usual rules out', () => {
    expect(toQuery(complete({}))).toEqual({
      network: 'net',
      dataset: 'digits',
      split: 'test',
      index: '0',
      layer: 'relu1',
    })
  })

  it.each([
    [{ layer: 'nowhere' }, { layer: 'relu1' }],
    [{ layer: 'data' }, { layer: 'relu1' }],
    [{ index: '99999' }, { index: 9 }],
    [{ index: '-1' }, { index: 0 }],
    [{ channel: '3' }, { channel: null }],
    [
      { channel: '1', row: '2', column: '0' },
      { channel: 1, position: null },
    ],
    [{ row: '0', column: '0' }, { position: null }],
    [
      { layer: 'out', channel: '4', row: '0', column: '0' },
      { channel: 4, position: null },
    ],
    [
      { relu: 'magic', units: '0', split: 'x' },
      { relu: 'deconvnet', count: 1, split: 'test' },
    ],
  ])('with mistakes: %o is read as %o', (query: Record<string, string>, expected) => {
    expect(complete(query)).toMatchObject(expected)
  })

  it('need a data set', () => {
    expect(completeSelection({}, NETWORK_PAGE, [])).toBeUndefined()
  })
})

describe('changes', () => {
  const selection = complete({ layer: 'conv1', channel: '1', row: '0', column: '1' })

  it('of the layer forget channel and place', () => {
    expect(changeSelection(selection, { layer: 'relu1' })).toMatchObject({ channel: null, position: null })
  })

  it('of the picture keep the channel and forget the place', () => {
    expect(changeSelection(selection, { index: 3 })).toMatchObject({ channel: 1, position: null })
  })

  it('of the channel forget the place unless one is given', () => {
    expect(changeSelection(selection, { channel: 2 }).position).toBeNull()
    expect(changeSelection(selection, { channel: 2, position: [1, 1] }).position).toEqual([1, 1])
  })

  it('of a rule keep everything else', () => {
    expect(changeSelection(selection, { relu: 'guided' })).toEqual({ ...selection, relu: 'guided' })
  })
})

it('begins with the last rectified layer that has places', () => {
  expect(defaultLayer(NETWORK_PAGE.layers)).toBe('relu1')
  expect(defaultLayer(NETWORK_PAGE.layers.filter(({ type }) => type !== 'relu'))).toBe('conv1')
  expect(DEFAULT_RULES.count).toBe(64)
})

it('sorts channels by index or strength, ties by lower index', () => {
  const channels = [1, 3, 3].map((maximum) => ({ maximum, mean: 0, position: null }))
  const result = { channels } as Parameters<typeof channelOrder>[0]
  expect(channelOrder(result, 'index')).toEqual([0, 1, 2])
  expect(channelOrder(result, 'strength')).toEqual([1, 2, 0])
})

it('scales grey levels by each picture or by all, and never to nothing', () => {
  const unit = { channel: 0, position: null, value: 1, field: null }
  const units = [2, 5, 0].map((magnitude) => ({ ...unit, magnitude }))
  expect(projectionLimits({ units }, 0, 'per-picture')).toEqual({ low: -2, high: 2 })
  expect(projectionLimits({ units }, 0, 'shared')).toEqual({ low: -5, high: 5 })
  expect(projectionLimits({ units }, 2, 'per-picture')).toEqual({ low: -1, high: 1 })
})

it('scales tiles by whole factors', () => {
  expect(tileSize(8, 8, 40)).toEqual({ width: 40, height: 40 })
  expect(tileSize(24, 24, 40)).toEqual({ width: 48, height: 48 })
  expect(tileSize(1, 1, 40)).toEqual({ width: 24, height: 24 })
  expect(tileSize(224, 224, 40)).toEqual({ width: 75, height: 75 })
})
