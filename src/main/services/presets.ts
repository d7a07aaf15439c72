/** Named settings, one list a kind of experiment, in the project's settings. */
import * as z from 'zod'
import { ConvScopeError } from '../../shared/errors.ts'
import { Preset } from '../../shared/presets.ts'
import type { ExperimentKindName } from '../../shared/experiments/index.ts'
import type { Project } from '../project/project.ts'
import type { PresetsService } from './services.ts'

const MOST_PRESETS = 1000
const Presets = z.array(Preset)

export function createPresets({ settings }: Pick<Project, 'settings'>): PresetsService {
  const key = (kind: ExperimentKindName): string => `presets:${kind}`
  const read = (kind: ExperimentKindName): Preset[] => settings.get(key(kind), Presets, [])
  return {
    list: async ({ kind }) => read(kind),
    save: async (preset) => {
      const others = read(preset.kind).filter(({ name }) => name !== preset.name)
      if (others.length >= MOST_PRESETS) {
        throw new ConvScopeError('too-large', `There are already ${MOST_PRESETS} presets`, {
          remedy: 'Remove some first.',
        })
      }
      const all = [...others, preset].sort((a, b) => a.name.localeCompare(b.name))
      settings.set(key(preset.kind), all)
    },
    remove: async ({ kind, name }) => {
      const all = read(kind)
      const rest = all.filter((preset) => preset.name !== name)
      if (rest.length === all.length) throw new ConvScopeError('not-found', `There is no preset "${name}"`)
      settings.set(key(kind), rest)
    },
  }
}
