import type { AscentOutcome } from '../../../shared/experiments/activation-maximisation.ts'
import type { LayerPage } from '../../../shared/network/page.ts'
import { formatValue } from '../../lib/format.ts'
import type { MaximisationDraft } from './maximisation-draft.ts'
import { fieldOf, settingAt, withSetting } from './setting-values.ts'
import type { LivePath } from './setting-fields.ts'

/** Something to try after a climb that failed: what the form becomes. */
export interface Remedy {
  readonly label: string
  readonly change: Partial<MaximisationDraft>
}

/** lucid's number of first iterations in which gradients are redirected. */
const REDIRECTED = 16
/** How far steps go, the first that a policy has. */
const STEP_PATHS = ['policy.desired', 'policy.rate', 'policy.early'] as const

/** What to try next, as changes of the form; none after a success. */
export function remediesOf(
  outcome: AscentOutcome,
  draft: MaximisationDraft,
  layers: readonly LayerPage[],
): readonly Remedy[] {
  if (outcome === 'zero-gradient') return [...beforeRelu(draft, layers), ...redirected(draft), otherStart(draft)]
  if (outcome === 'diverged') return steps(draft, 0.1)
  return outcome === 'majority-failure' ? [longer(draft), ...steps(draft, 4)] : []
}

function beforeRelu({ layer, channel, position }: MaximisationDraft, layers: readonly LayerPage[]): Remedy[] {
  const found = layers.find(({ name }) => name === layer)
  const [below] = found?.type === 'relu' ? found.inputs : []
  return below === undefined ? [] : [{ label: `Maximise ${below}`, change: { layer: below, channel, position } }]
}

function redirected({ settings }: MaximisationDraft): Remedy[] {
  if (settings.redirectedIterations > 0) return []
  const change = { settings: { ...settings, redirectedIterations: REDIRECTED } }
  return [{ label: `Redirect gradients in ${REDIRECTED} iterations`, change }]
}

function otherStart({ start, seed }: MaximisationDraft): Remedy {
  const noisy = start.kind !== 'mean' && start.kind !== 'picture'
  if (noisy) return { label: `Try seed ${seed + 1}`, change: { seed: seed + 1 } }
  return { label: 'Start from noise', change: { start: { kind: 'mean-plus-noise', standardDeviation: 10 } } }
}

function longer({ settings }: MaximisationDraft): Remedy {
  const iterations = Math.min(100_000, 2 * settings.iterations)
  return { label: `${iterations} iterations`, change: { settings: { ...settings, iterations } } }
}

function steps({ settings }: MaximisationDraft, factor: number): Remedy[] {
  const path: LivePath | undefined = STEP_PATHS.find((candidate) => settingAt(settings, candidate) !== undefined)
  const field = path && fieldOf(path)
  if (!field) return []
  const value = Number(((settingAt(settings, field.path) ?? 0) * factor).toPrecision(3))
  return [
    {
      label: `${field.label} ${formatValue(value, 2)}`,
      change: { settings: withSetting(settings, field.path, value) },
    },
  ]
}
