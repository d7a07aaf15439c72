import { expect, it } from 'vitest'
import { Schedule, type EpochRecord } from '../../shared/experiments/train-classifier.ts'
import { learningRateAt } from './learning-rate.ts'

const records = (errors: number[]): EpochRecord[] =>
  errors.map((testErrorPercent, index) => ({
    epoch: index + 1,
    trainLoss: 1,
    trainErrorPercent: 1,
    testErrorPercent,
    seconds: 1,
  }))
const rates = (schedule: object, places: [epoch: number, batch: number][], errors: number[] = []): number[] =>
  places.map(([epoch, batch]) =>
    learningRateAt(2, Schedule.parse(schedule), {
      epoch,
      batch,
      batchesPerEpoch: 10,
      epochs: 6,
      records: records(errors.slice(0, epoch - 1)),
    }),
  )

it('stays, or falls at the start of the listed epochs', () => {
  expect(
    rates({ kind: 'constant' }, [
      [1, 0],
      [6, 9],
    ]),
  ).toEqual([2, 2])
  const steps = { kind: 'steps', epochs: [3, 5], factor: 0.5 }
  expect(
    rates(steps, [
      [2, 9],
      [3, 0],
      [4, 9],
      [5, 0],
      [6, 9],
    ]),
  ).toEqual([2, 1, 1, 0.5, 0.5])
})

it('rises over the warm-up, then falls along half a cosine', () => {
  const cosine = { kind: 'cosine', warmUpEpochs: 1 }
  const [first, last, top, middle, end] = rates(cosine, [
    [1, 0],
    [1, 9],
    [2, 0],
    [4, 5],
    [6, 9],
  ])
  expect([first, last, top]).toEqual([0.2, 2, 2])
  expect(middle).toBeCloseTo(1, 12)
  expect(end).toBeCloseTo(1 - Math.cos(Math.PI / 50), 12)
})

it('falls when the test error has stalled, and waits again', () => {
  const stalled = { kind: 'when-stalled', factor: 0.1, patience: 2 }
  const errors = [10, 9, 9, 9.5, 8]
  const [second, fourth, fifth, sixth] = rates(
    stalled,
    [
      [2, 0],
      [4, 0],
      [5, 0],
      [6, 0],
    ],
    errors,
  )
  expect([second, fourth]).toEqual([2, 2])
  expect([fifth, sixth]).toEqual([0.2, 0.2])
})
