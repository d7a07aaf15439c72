import { describe, expect, it } from 'vitest'
import { colourMap } from './colour-maps.ts'
import { paint, valuesAt } from './paint.ts'
import {
  asPictures,
  DEFAULT_PROJECTION_DISPLAY,
  differenceOf,
  displayNote,
  readProjectionDisplay,
  showProjections,
  type ProjectionDisplay,
} from './projection-display.ts'

// Two pictures of 1 x 2 pixels in colour.
const shape = [2, 1, 2, 3]
const values = new Float32Array([3, -4, 0, 0, 0, 0, 1, 2, 2, 0, 0, -6])
const array = { shape, values }

const shown = (change: Partial<ProjectionDisplay>, scale: 'per-picture' | 'shared' = 'per-picture') =>
  showProjections(array, { ...DEFAULT_PROJECTION_DISPLAY, ...change }, { scale })

function bytes(pictures: ReturnType<typeof shown>, index: number): number[] {
  const source = pictures.source(index)
  const target = new Uint8ClampedArray(source.width * source.height * 4)
  paint(source, pictures.limits(index), { name: pictures.map, table: colourMap(pictures.map) }, target, source.width)
  return [...target].filter((_, at) => at % 4 !== 3)
}

describe('showProjections', () => {
  it('shows colours between symmetric limits, of each picture or of all', () => {
    expect(shown({}).limits(0)).toEqual({ low: -4, high: 4, gamma: 1 })
    expect(shown({}, 'shared').limits(0)).toEqual({ low: -6, high: 6, gamma: 1 })
    expect(bytes(shown({}), 0)).toEqual([Math.round(128 + 0.75 * 127), 0, 128, 128, 128, 128])
  })

  it('raises shares to the power of gamma and keeps zero and the ends where they are', () => {
    expect(bytes(shown({ gamma: 0.5 }), 1)).toEqual(
      [1, 2, 2, 0, 0].map((value) => Math.round(128 + Math.sqrt(value / 6) * 127)).concat(0),
    )
  })

  it('shows norms from zero on, in grey or viridis', () => {
    const norms = shown({ content: 'norm' })
    expect(
      [norms.source(0), norms.source(1)].map((source) => [valuesAt(source, 0, 0), valuesAt(source, 0, 1)]),
    ).toEqual([
      [[5], [0]],
      [[3], [6]],
    ])
    expect(norms.limits(1)).toEqual({ low: 0, high: 6, gamma: 1 })
    expect(bytes(norms, 0)).toEqual([255, 255, 255, 0, 0, 0])
    expect(shown({ content: 'norm', map: 'diverging' }).map).toBe('viridis')
    expect(shown({ map: 'diverging' }).map).toBe('diverging')
  })

  it('blurs norms, and only them', () => {
    const blurred = shown({ content: 'blurred-norm', blurSigma: 1 }).source(0)
    const [centre, beside] = [valuesAt(blurred, 0, 0)[0] ?? 0, valuesAt(blurred, 0, 1)[0] ?? 0]
    expect(beside / centre).toBeCloseTo(Math.exp(-0.5), 5)
    expect(shown({ blurSigma: 8 }).source(0)).toEqual(shown({}).source(0))
  })

  it('gives limits to a picture of nothing', () => {
    const nothing = { shape: [1, 1, 1, 1], values: new Float32Array(1) }
    const limits = (content: ProjectionDisplay['content']) =>
      showProjections(nothing, { ...DEFAULT_PROJECTION_DISPLAY, content }, { scale: 'shared' }).limits(0)
    expect(limits('colour')).toEqual({ low: -1, high: 1, gamma: 1 })
    expect(limits('norm')).toEqual({ low: 0, high: 1, gamma: 1 })
  })

  it('subtracts what is shown', () => {
    const { source } = shown({})
    const difference = differenceOf(source(0), source(1))
    expect([...(difference?.values ?? [])]).toEqual([2, -6, -2, 0, 0, 6])
    expect(differenceOf(source(0), shown({ content: 'norm' }).source(0))).toBeUndefined()
  })
})

it('shows projections of many channels by their norm', () => {
  const many = { values: new Float32Array([3, 4, 0, 0, 0, 0, 6, 8]), shape: [1, 1, 2, 4] }
  const norms = asPictures(many)
  expect([...norms.values]).toEqual([5, 10])
  expect(norms.shape).toEqual([1, 1, 2, 1])
  expect(asPictures({ values: new Float32Array(6), shape: [2, 3] }).shape).toEqual([2, 1, 3, 1])
})

it('reads what was remembered, and defaults for what is damaged', () => {
  expect(readProjectionDisplay({})).toEqual(DEFAULT_PROJECTION_DISPLAY)
  const stored = { map: 'diverging', content: 'norm', gamma: 0.5, blurSigma: 2 }
  expect(readProjectionDisplay(stored)).toEqual(stored)
  expect(readProjectionDisplay({ map: 'rainbow', content: 3, gamma: 0, blurSigma: NaN })).toEqual(
    DEFAULT_PROJECTION_DISPLAY,
  )
})

it('says what is not usual', () => {
  expect(displayNote(DEFAULT_PROJECTION_DISPLAY, 'per-picture')).toBe('')
  const all = { ...DEFAULT_PROJECTION_DISPLAY, content: 'blurred-norm', gamma: 0.7, blurSigma: 2 } as const
  expect(displayNote(all, 'shared')).toBe('norm, blur 2, γ 0.7, shared')
})
