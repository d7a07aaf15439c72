import { expect, it } from 'vitest'
import { describeDocument, parseDocument } from './index.ts'

const upgraded = (params: object): unknown =>
  parseDocument({
    kind: 'train-classifier',
    version: 1,
    seed: 3,
    params: { architecture: 'mnist-convnet', dataset: 'mnist', ...params },
  })

it('brings documents of version 1 to what they meant', () => {
  const document = parseDocument(
    upgraded({ epochs: 5, schedule: { epochs: [4, 5], factor: 0.3 }, shiftPixels: 1, trainCount: 7 }),
  )
  expect(document).toMatchObject({
    version: 2,
    seed: 3,
    params: {
      start: { from: 'architecture', name: 'mnist-convnet' },
      epochs: 5,
      trainCount: 7,
      schedule: { kind: 'steps', epochs: [4, 5], factor: 0.3 },
      augmentation: { shiftPixels: 1, flip: false },
      weightDecay: { lambda: 0 },
    },
  })
  expect(describeDocument(document)).toBe('Training of mnist-convnet on mnist, 5 epochs')
  expect(upgraded({ schedule: { epochs: [], factor: 0.1 } })).toMatchObject({
    params: { schedule: { kind: 'constant' } },
  })
})

it.each([
  ['version 1 without an architecture', 1, { dataset: 'mnist' }, 'params.start'],
  ['another schedule', 2, { schedule: { kind: 'sometimes' } }, 'params.schedule'],
  ['a list of λ that is empty', 2, { weightDecay: { lambda: [] } }, 'params.weightDecay.lambda'],
])('names the mistake in %s', (_, version, params, place) => {
  const start = { from: 'architecture', name: 'mnist-convnet' }
  const document = {
    kind: 'train-classifier',
    version,
    params: version === 1 ? params : { start, dataset: 'mnist', ...params },
  }
  expect(() => parseDocument(document)).toThrow(place)
})
