import { expect, it } from 'vitest'
import type { NetworkSpec } from '../../shared/network/spec.ts'
import type { ExperimentEvent } from '../experiments/experiment.ts'
import { FillingSheet } from './filling-sheet.ts'
import type { GreyLevels } from './grey-levels.ts'

const grey: GreyLevels = { shape: [1, 1, 1], mean: new Float32Array([100]), toNetwork: new Float32Array([1]) }
const spec = { preprocessing: { channelOrder: 'grey' } } as NetworkSpec

/** The four pictures of a pixel in a sheet of 2 × 2. */
function levels(event: ExperimentEvent | undefined): number[] {
  if (event?.type !== 'preview') throw new Error('no sheet')
  const { width, pixels } = event
  return [2, 5].flatMap((row) => [2, 5].map((column) => pixels[row * width + column] ?? -1))
}

it('holds what is done and what climbs, and leaves places for the others', () => {
  const sheet = new FillingSheet(4, grey, spec)
  expect(levels(sheet.climbing(new Float32Array([10]), 0)[0])).toEqual([110, 128, 128, 128])
  expect(sheet.climbing(new Float32Array([20]), 500)).toEqual([])
  sheet.add(new Float32Array([30, -40]))
  expect(levels(sheet.event())).toEqual([130, 60, 128, 128])
  expect(levels(sheet.climbing(new Float32Array([5]), 1500)[0])).toEqual([130, 60, 105, 128])
})
