import { expect, it } from 'vitest'
import { AscentSettings } from '../../shared/experiments/ascent-settings.ts'
import { changedSettings, changeOf } from './live-settings.ts'

const both = [AscentSettings.parse({}), AscentSettings.parse({})]
const changed = (path: string, value: number): AscentSettings[] =>
  changedSettings(both, [0, 1], changeOf({ path, value }, 5))

it('switches the natural colours of one setting, or of all', () => {
  expect(changed('decorrelatedColour', 1).map(({ decorrelatedColour }) => decorrelatedColour)).toEqual([true, true])
  const one = changed('settings.1.decorrelatedColour', 1)
  expect(one.map(({ decorrelatedColour }) => decorrelatedColour)).toEqual([false, true])
})

it('refuses what is neither on nor off', () => {
  expect(() => changed('decorrelatedColour', 0.5)).toThrow(/decorrelatedColour cannot be 0.5/)
})
