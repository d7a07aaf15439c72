import { describe, expect, it } from 'vitest'
import { activeShares, channelOrder } from './look-view.ts'
import {
  changeSelection,
  completeSelection,
  DEFAULT_RULES,
  defaultLayer,
  liveViewOf,
  queryOf,
  toQuery,
  type Selection,
} from './selection.ts'
import { LiveView } from '../../../shared/live.ts'
import { DATASET, NETWORK_PAGE } from './testing/fixtures.ts'
import { tileSize } from '../../lib/tile-size.ts'

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
      compare: 'gradient.overwrite.identity.one-hot',
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

it('sorts channels by index, strength or sparsity, ties by lower index', () => {
  const channels = [1, 3, 3, 0].map((maximum) => ({ maximum, mean: 0, position: null }))
  // Two places: channel 0 is active in one, channels 1 and 2 in both, channel 3 nowhere.
  const activations = { values: new Float32Array([1, 3, 3, 0, 0, 2, 1, 0]), shape: [1, 2, 4] }
  const view = { result: { channels }, activations } as unknown as Parameters<typeof channelOrder>[0]
  expect(channelOrder(view, 'index')).toEqual([0, 1, 2, 3])
  expect(channelOrder(view, 'strength')).toEqual([1, 2, 0, 3])
  expect(channelOrder(view, 'sparsity')).toEqual([0, 1, 2, 3])
  expect(activeShares(view.activations)).toEqual([0.5, 1, 1, 0])
})

it('scales tiles by whole factors', () => {
  expect(tileSize(8, 8, 40)).toEqual({ width: 40, height: 40 })
  expect(tileSize(24, 24, 40)).toEqual({ width: 48, height: 48 })
  expect(tileSize(1, 1, 40)).toEqual({ width: 24, height: 24 })
  expect(tileSize(224, 224, 40)).toEqual({ width: 75, height: 75 })
})

it('takes the first of what stands in an address several times, and nothing but text', () => {
  expect(queryOf({ layer: ['conv1', 'conv2'], channel: '3', unit: null })).toEqual({ layer: 'conv1', channel: '3' })
})

it('asks a live view for the strongest unit, or for the one that is chosen', () => {
  const view = (query: Record<string, string>): LiveView => LiveView.parse(liveViewOf(complete(query)))
  expect(view({ relu: 'guided' })).toMatchObject({
    network: 'net',
    rules: { relu: 'guided' },
    units: { kind: 'strongest', count: 1 },
  })
  expect(view({ layer: 'conv1', channel: '2', row: '1', column: '0' })).toMatchObject({
    layer: 'conv1',
    units: { kind: 'list', units: [{ channel: 2, position: [1, 0] }] },
  })
})
