import { expect, it } from 'vitest'
import type { EngineReport } from '../../../shared/engines.ts'
import { withMeasured } from './measured-engines.ts'

const report = (name: EngineReport['name'], state: EngineReport['state'], more: Partial<EngineReport> = {}) => ({
  ...{ name, state, reason: state },
  ...more,
})

it('joins measured speeds to what the session reports now', () => {
  const measured = [
    report('tensorflow', 'taken', { matmulGflops: 13, calibrationMs: 99 }),
    report('wasm', 'available', { matmulGflops: 7 }),
  ]
  expect(withMeasured([], measured).map(({ name, state }) => [name, state])).toEqual([
    ['tensorflow', 'available'],
    ['wasm', 'available'],
  ])
  const [native, wasm] = withMeasured([report('wasm', 'taken', { calibrationMs: 400 })], measured)
  expect(native).toMatchObject({ name: 'tensorflow', state: 'available', matmulGflops: 13, calibrationMs: 99 })
  expect(wasm).toMatchObject({ name: 'wasm', state: 'taken', matmulGflops: 7, calibrationMs: 400 })
})
