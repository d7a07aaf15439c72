import type { StepPolicy } from '../../shared/experiments/activation-maximisation.ts'

/** How the length of a step is found, for lists. */
export const POLICY_OPTIONS: readonly { value: StepPolicy['kind']; label: string; note: string }[] = [
  { value: 'constant', label: 'Constant', note: 'η' },
  { value: 'progress', label: 'Progress', note: 'η from |g|²' },
  { value: 'progress01', label: 'Progress to 1', note: 'for probabilities' },
]

export const POLICY_DEFAULTS: Readonly<Record<StepPolicy['kind'], StepPolicy>> = {
  constant: { kind: 'constant', rate: 100 },
  progress: { kind: 'progress', maxRate: 100, desired: 2 },
  progress01: { kind: 'progress01', maxRate: 100, early: 0.03, late: 0.2 },
}
