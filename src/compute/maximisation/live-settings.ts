/** Changes of settings while pictures climb. */
import { ConvScopeError } from '../../shared/errors.ts'
import { AscentSettings, LiveChange } from '../../shared/experiments/activation-maximisation.ts'
import type { Adjustment } from '../experiments/experiment.ts'

/**
 * The settings with one value changed. A rate that the policy does not have leaves it as it is.
 * @throws ConvScopeError 'invalid-input' for a value outside of its range
 */
export function withChange(settings: AscentSettings, { path, value }: LiveChange): AscentSettings {
  if (path === 'restore') return settings
  const changed = path.startsWith('policy.')
    ? { ...settings, policy: withMember(settings.policy, path.slice('policy.'.length), value) }
    : { ...settings, [path]: value }
  const parsed = AscentSettings.safeParse(changed)
  if (parsed.success) return parsed.data
  throw new ConvScopeError('invalid-input', `${path} cannot be ${value}: ${parsed.error.issues[0]?.message ?? ''}`, {
    remedy: 'Choose a value inside its range.',
  })
}

function withMember<T extends object>(policy: T, member: string, value: number): T {
  return Object.hasOwn(policy, member) ? { ...policy, [member]: value } : policy
}

/** What came from the user as a change of the document from iteration `step` on. @throws ConvScopeError 'invalid-input' */
export function changeOf({ path, value }: Adjustment, step: number): LiveChange {
  const parsed = LiveChange.safeParse({ step, path, value })
  if (parsed.success) return parsed.data
  throw new ConvScopeError('invalid-input', `"${path}" cannot be changed while it runs`, {
    remedy: 'Start a new run with the setting that you want.',
  })
}
