/** Single settings by their paths: read, changed, compared, checked, and put into words. */
import {
  LIVE_PATHS,
  type AscentSettings,
  type LiveChange,
} from '../../../shared/experiments/activation-maximisation.ts'
import { formatTick, formatValue } from '../../lib/format.ts'
import { BEYOND_FIELDS, POLICY_FIELDS, REGULARISER_FIELDS, type LivePath, type SettingField } from './setting-fields.ts'

/** Of every policy too: some paths are there several times. */
export const ALL_FIELDS: readonly SettingField[] = [
  ...REGULARISER_FIELDS,
  ...Object.values(POLICY_FIELDS).flat(),
  ...BEYOND_FIELDS,
]

export const fieldOf = (path: string): SettingField | undefined => ALL_FIELDS.find((field) => field.path === path)

/** What took effect, in words: `Decay θ 0.3`, `Back to iteration 25`; with the name of the setting where only one of several changed. */
export function changeText(
  { path, value, setting }: Omit<LiveChange, 'step'>,
  settings: readonly AscentSettings[] = [],
): string {
  if (path === 'restore') return `Back to iteration ${value}`
  const text =
    path === 'decorrelatedColour'
      ? `Natural colours ${value === 1 ? 'on' : 'off'}`
      : `${fieldOf(path)?.label ?? path} ${formatValue(value)}`
  return setting === undefined || settings.length < 2 ? text : `${settings[setting]?.name ?? setting + 1}: ${text}`
}

/** What is wrong with a value; undefined where nothing is. */
export function problemOf({ label, unit, most, positive = false }: SettingField, value: number): string | undefined {
  const range = positive ? `above 0, up to ${formatTick(most)}` : `in 0 … ${formatTick(most)}${unit ? ` ${unit}` : ''}`
  const fits = Number.isFinite(value) && value <= most && (positive ? value > 0 : value >= 0)
  return fits ? undefined : `${label} lies ${range}`
}
/** The value of a setting, 1 or 0 of a switch; undefined where the policy does not have it. */
export function settingAt(settings: AscentSettings, path: string): number | undefined {
  const [owner, name] = path.startsWith('policy.') ? [settings.policy, path.slice('policy.'.length)] : [settings, path]
  const value: unknown = Object.entries(owner).find(([key]) => key === name)?.[1]
  if (typeof value === 'boolean') return value ? 1 : 0
  return typeof value === 'number' ? value : undefined
}

/** The settings with one value changed; as they are where the policy does not have it. */
export function withSetting(settings: AscentSettings, path: string, value: number): AscentSettings {
  if (settingAt(settings, path) === undefined) return settings
  if (path === 'decorrelatedColour') return { ...settings, decorrelatedColour: value === 1 }
  if (!path.startsWith('policy.')) return { ...settings, [path]: value }
  return { ...settings, policy: { ...settings.policy, [path.slice('policy.'.length)]: value } }
}

/** The paths that both have and whose values differ, with those of the second settings. */
export function changedSettings(from: AscentSettings, to: AscentSettings): { path: LivePath; value: number }[] {
  return LIVE_PATHS.flatMap((path) => {
    const [before, value] = [settingAt(from, path), settingAt(to, path)]
    return before === undefined || value === undefined || value === before ? [] : [{ path, value }]
  })
}
