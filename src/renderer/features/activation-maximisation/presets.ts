import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import * as z from 'zod'
import { AscentSettings, PUBLISHED_SETTINGS } from '../../../shared/experiments/activation-maximisation.ts'
import { ConvScopeError } from '../../../shared/errors.ts'
import { PresetName } from '../../../shared/presets.ts'
import { reportOf } from '../../lib/report.ts'
import { useClient } from '../../rpc/use-client.ts'
import { showError } from '../../ui/toasts.ts'

const KIND = 'activation-maximisation'
const MOST_FILE_BYTES = 1_000_000

/** A file of presets, as it is exported and imported. */
const PresetFile = z.strictObject({
  format: z.literal('convscope-presets'),
  version: z.literal(1),
  presets: z
    .array(AscentSettings.extend({ name: PresetName }))
    .min(1)
    .max(1000),
})

/** The file's text. */
export function presetFile(presets: readonly AscentSettings[]): string {
  return `${JSON.stringify({ format: 'convscope-presets', version: 1, presets }, undefined, 2)}\n`
}

/** @throws ConvScopeError 'invalid-input' or 'too-large' that names the file and the field */
export function readPresetFile(name: string, text: string): AscentSettings[] {
  if (text.length > MOST_FILE_BYTES) {
    throw new ConvScopeError('too-large', `${name} is too large for a file of presets`, {
      remedy: 'Choose a file that was exported here.',
    })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new ConvScopeError('invalid-input', `${name} is not JSON`, {
      remedy: 'Choose a file that was exported here.',
      cause,
    })
  }
  const parsed = PresetFile.safeParse(value)
  if (parsed.success) return parsed.data.presets
  const [issue] = parsed.error.issues
  throw new ConvScopeError(
    'invalid-input',
    `${name} is not a file of presets: ${issue?.path.join('.') || 'the file'}: ${issue?.message ?? ''}`,
    { remedy: 'Choose a file that was exported here.', details: z.prettifyError(parsed.error) },
  )
}

/** The published combinations, and those that the user named. */
export const usePresets = defineStore('maximisation-presets', () => {
  const client = useClient()
  const own = shallowRef<readonly AscentSettings[]>([])
  const all = computed(() => [...PUBLISHED_SETTINGS, ...own.value])
  const isPublished = (name: string): boolean => PUBLISHED_SETTINGS.some((preset) => preset.name === name)

  async function load(): Promise<void> {
    try {
      const presets = await client.presets.list({ kind: KIND })
      own.value = presets.flatMap(({ name, settings }) => {
        const parsed = AscentSettings.safeParse(settings)
        return parsed.success ? [{ ...parsed.data, name }] : []
      })
    } catch (thrown) {
      showError(reportOf(thrown))
    }
  }

  /** @returns the settings as they were saved; undefined where that failed, which has been said */
  async function save(settings: AscentSettings, wanted: string): Promise<AscentSettings | undefined> {
    try {
      const name = PresetName.safeParse(wanted)
      if (!name.success) throw invalidName(name.error.issues[0]?.message ?? 'a preset needs a name')
      if (isPublished(name.data)) throw invalidName(`"${name.data}" is the name of a published preset`)
      const saved = { ...settings, name: name.data }
      await client.presets.save({ kind: KIND, name: name.data, settings: JSON.parse(JSON.stringify(saved)) })
      await load()
      return saved
    } catch (thrown) {
      showError(reportOf(thrown))
      return undefined
    }
  }

  async function remove(name: string): Promise<boolean> {
    try {
      await client.presets.remove({ kind: KIND, name })
      await load()
      return true
    } catch (thrown) {
      showError(reportOf(thrown))
      return false
    }
  }

  /** @returns how many presets of the file were saved */
  async function importFile(file: File): Promise<number> {
    try {
      const presets = readPresetFile(
        file.name,
        file.size > MOST_FILE_BYTES ? ' '.repeat(MOST_FILE_BYTES + 1) : await file.text(),
      )
      let saved = 0
      for (const preset of presets) {
        if (await save(preset, isPublished(preset.name) ? `${preset.name} (imported)`.slice(0, 60) : preset.name))
          saved++
      }
      return saved
    } catch (thrown) {
      showError(reportOf(thrown))
      return 0
    }
  }

  return { own, all, isPublished, load, save, remove, importFile }
})

function invalidName(reason: string): ConvScopeError {
  return new ConvScopeError('invalid-input', `The preset was not saved: ${reason}`, { remedy: 'Choose another name.' })
}
