import { expect, it } from 'vitest'
import { curveLabels } from './curve-labels.ts'

const curve = (...values: number[]) => ({ x: values.map((_, index) => index), values })
const labels = (curves: Parameters<typeof curveLabels>[0]): string[] =>
  curveLabels(curves, ['decay', 'blur', 'norm']).map(({ label }) => label)

it('names curves of several settings after their settings', () => {
  const curves = { objective: curve(1), objective2: curve(2), setting: curve(0, 0), setting2: curve(2, 2) }
  expect(labels(curves)).toEqual(['decay', 'norm'])
  expect(curveLabels(curves, []).map(({ curve: name }) => name)).toEqual(['objective', 'objective2'])
})

it('counts pictures of one setting', () => {
  expect(labels({ objective: curve(1) })).toEqual(['activation'])
  expect(labels({ objective: curve(1), objective2: curve(2) })).toEqual(['1', '2'])
  const same = { objective: curve(1), objective2: curve(2), setting: curve(1), setting2: curve(1) }
  expect(labels(same)).toEqual(['1', '2'])
})
