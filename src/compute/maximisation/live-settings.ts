/** Changes of settings while pictures climb. */
import { ConvScopeError } from '../../shared/errors.ts'
import { AscentSettings, liveChangeAt, type LiveChange } from '../../shared/experiments/ascent-settings.ts'
import type { Adjustment } from '../experiments/experiment.ts'

/**
 * The settings with one value changed. A rate that the policy does not have leaves it as it is.
 * @throws ConvScopeError 'invalid-input' for a value outside of its range
 */
function withChange(settings: AscentSettings, { path, value }: LiveChange): AscentSettings {
  if (path === 'restore') return settings
  const changed = path.startsWith('policy.')
    ? { ...settings, policy: withMember(settings.policy, path.slice('policy.'.length), value) }
    : { ...settings, [path]: path === 'decorrelatedColour' ? switchOf(value) : value }
  const parsed = AscentSettings.safeParse(changed)
  if (parsed.success) return parsed.data
  throw new ConvScopeError('invalid-input', `${path} cannot be ${value}: ${parsed.error.issues[0]?.message ?? ''}`, {
    remedy: 'Choose a value inside its range.',
  })
}

/** Whether it is on; another number stays one, and is refused. */
function switchOf(value: number): boolean | number {
  return value === 0 || value === 1 ? value === 1 : value
}

function withMember<T extends object>(policy: T, member: string, value: number): T {
  return Object.hasOwn(policy, member) ? { ...policy, [member]: value } : policy
}

/**
 * Settings of pictures after a change of one of the document's settings, or of all.
 * @param numbers which of the document's settings each picture has
 * @throws ConvScopeError 'invalid-input' for a value outside of its range, or where no picture has that setting
 */
export function changedSettings(
  settings: readonly AscentSettings[],
  numbers: readonly number[],
  change: LiveChange,
): AscentSettings[] {
  const { setting } = change
  if (setting !== undefined && !numbers.includes(setting)) {
    throw new ConvScopeError('invalid-input', `There are no settings ${setting} in this run`, {
      remedy: `Choose one of 0 to ${Math.max(...numbers)}, or change all.`,
    })
  }
  return settings.map((own, index) =>
    setting === undefined || numbers[index] === setting ? withChange(own, change) : own,
  )
}

/** What came from the user as a change of the document from iteration `step` on. @throws ConvScopeError 'invalid-input' */
export function changeOf({ path, value }: Adjustment, step: number): LiveChange {
  try {
    return liveChangeAt({ step, path, value })
  } catch (cause) {
    throw new ConvScopeError('invalid-input', `"${path}" cannot be changed while it runs`, {
      remedy: 'Start a new run with the setting that you want.',
      cause,
    })
  }
}
