import { expect, it } from 'vitest'
import { Settings, SettingsChange } from './system.ts'

it('a change of the settings names only what changes', () => {
  expect(SettingsChange.parse({ threads: 1 })).toEqual({ threads: 1 })
  expect(SettingsChange.parse({ theme: 'dark' })).toEqual({ theme: 'dark' })
  expect(Settings.parse({})).toEqual({ engine: 'auto', theme: 'system' })
})
