import {
  LIVE_PATHS,
  type AscentSettings,
  type StepPolicy,
} from '../../../shared/experiments/activation-maximisation.ts'
import type { SliderRange } from '../../lib/slider-scale.ts'

/** A setting that can change while the pictures climb. */
export type LivePath = (typeof LIVE_PATHS)[number]

export interface SettingField {
  readonly path: LivePath
  readonly label: string
  /** Unit of the number; none where it is a factor. */
  readonly unit?: string
  readonly help: string
  readonly reference?: string
  /** Of the slider; 0 is off where `zero` says so. */
  readonly range: SliderRange
  /** Largest number that can be typed. */
  readonly most: number
  readonly whole?: boolean
}

const REFERENCE = 'Yosinski et al. 2015, section 3'

export const REGULARISER_FIELDS: readonly SettingField[] = [
  {
    path: 'decay',
    label: 'Decay θ',
    help: 'L2 decay: in every iteration the picture is multiplied by 1 − θ, which keeps few extreme pixels from dominating. 0: off.',
    reference: REFERENCE,
    range: { low: 1e-5, high: 0.9, logarithmic: true, zero: true },
    most: 0.999,
  },
  {
    path: 'blurSigma',
    label: 'Blur σ',
    unit: 'px',
    help: 'Standard deviation of the Gaussian blur in pixels; it removes high frequencies. Below 0.3 it does nearly nothing. 0: off.',
    reference: REFERENCE,
    range: { low: 0, high: 4 },
    most: 1000,
  },
  {
    path: 'blurEvery',
    label: 'Blur every',
    unit: 'iter.',
    help: 'The picture is blurred in iterations 0, n, 2n …: blurring is costly, and rarely is enough. 0: never.',
    reference: REFERENCE,
    range: { low: 0, high: 32 },
    most: 100_000,
    whole: true,
  },
  {
    path: 'normPercentile',
    label: 'Small norm',
    unit: '%',
    help: 'Pixels whose norm over the colours lies below this percentile become the mean colour. 0: off.',
    reference: REFERENCE,
    range: { low: 0, high: 100 },
    most: 100,
  },
  {
    path: 'contributionPercentile',
    label: 'Contribution',
    unit: '%',
    help: 'Pixels that contribute least to the activation, |Σ g·x| below this percentile, become the mean colour. 0: off.',
    reference: REFERENCE,
    range: { low: 0, high: 100 },
    most: 100,
  },
]

const RATE: SliderRange = { low: 1e-2, high: 1e8, logarithmic: true }

/** What each policy asks for. */
export const POLICY_FIELDS: Readonly<Record<StepPolicy['kind'], readonly SettingField[]>> = {
  constant: [
    {
      path: 'policy.rate',
      label: 'Rate η',
      help: 'The step is η times the gradient.',
      range: { ...RATE, high: 1e5 },
      most: 1e12,
    },
  ],
  progress: [
    {
      path: 'policy.desired',
      label: 'Progress',
      help: 'How much each step should raise the activation, by linear prediction: η = progress / |g|².',
      range: { low: 0.01, high: 100, logarithmic: true },
      most: 1e12,
    },
    {
      path: 'policy.maxRate',
      label: 'Rate η up to',
      help: 'η never becomes larger than this.',
      range: RATE,
      most: 1e12,
    },
  ],
  progress01: [
    {
      path: 'policy.early',
      label: 'Early',
      help: 'The progress asked of a step while the probability is small.',
      range: { low: 0.001, high: 1, logarithmic: true },
      most: 1e12,
    },
    {
      path: 'policy.late',
      label: 'Late',
      help: 'Near 1 the progress asked is this times what is missing to 1.',
      range: { low: 0.001, high: 1, logarithmic: true },
      most: 1e12,
    },
    {
      path: 'policy.maxRate',
      label: 'Rate η up to',
      help: 'η never becomes larger than this.',
      range: RATE,
      most: 1e12,
    },
  ],
}

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

/** How rates fit a network; said beside the choice, because it decides what the numbers mean. */
export const SCALE_TEXTS: Readonly<Record<AscentSettings['scale'], string>> = {
  network:
    'Progress 2 means one standard deviation s of the layer on uniform noise; rate 100 the step that raises the unit by 4 s at its start. The published numbers were tuned to CaffeNet.',
  published: 'Numbers are used as they are, for pictures of 0 … 255 grey levels.',
}

const ALL_FIELDS = [...REGULARISER_FIELDS, ...Object.values(POLICY_FIELDS).flat()]

/** What a path is called in lists of changes. */
export function pathText(path: string): string {
  return path === 'restore' ? 'Back to' : (ALL_FIELDS.find((field) => field.path === path)?.label ?? path)
}

/** The value of a setting; undefined where the policy does not have it. */
export function settingAt(settings: AscentSettings, path: string): number | undefined {
  const [owner, name] = path.startsWith('policy.') ? [settings.policy, path.slice('policy.'.length)] : [settings, path]
  const value: unknown = Object.entries(owner).find(([key]) => key === name)?.[1]
  return typeof value === 'number' ? value : undefined
}

/** The settings with one value changed; as they are where the policy does not have it. */
export function withSetting(settings: AscentSettings, path: string, value: number): AscentSettings {
  if (settingAt(settings, path) === undefined) return settings
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
