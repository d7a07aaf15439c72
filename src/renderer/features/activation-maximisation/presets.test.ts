import { expect, it } from 'vitest'
import { AscentSettings } from '../../../shared/experiments/activation-maximisation.ts'
import { presetFile, readPresetFile } from './presets.ts'

const preset = AscentSettings.parse({ name: 'Mine', decay: 0.02 })

it('reads a file of presets again as it was written', () => {
  expect(readPresetFile('p.json', presetFile([preset]))).toEqual([preset])
})

it.each([
  ['{', /p\.json is not JSON/],
  ['{}', /p\.json is not a file of presets: format/],
  [presetFile([{ ...preset, decay: 2 }]), /presets\.0\.decay/],
  [presetFile([]), /presets: /],
  [' '.repeat(1_000_001), /too large/],
])('refuses %s with the reason', (text, message) => {
  expect(() => readPresetFile('p.json', text)).toThrow(message)
})
