import type { AscentSettings, LIVE_PATHS, StepPolicy } from '../../../shared/experiments/activation-maximisation.ts'
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
  /** Largest number that is accepted. */
  readonly most: number
  readonly whole?: boolean
  /** 0 is not accepted. */
  readonly positive?: boolean
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
      positive: true,
    },
  ],
  progress: [
    {
      path: 'policy.desired',
      label: 'Progress',
      help: 'How much each step should raise the activation, by linear prediction: η = progress / |g|².',
      range: { low: 0.01, high: 100, logarithmic: true },
      most: 1e12,
      positive: true,
    },
    {
      path: 'policy.maxRate',
      label: 'Rate η up to',
      help: 'η never becomes larger than this.',
      range: RATE,
      most: 1e12,
      positive: true,
    },
  ],
  progress01: [
    {
      path: 'policy.early',
      label: 'Early',
      help: 'The progress asked of a step while the probability is small.',
      range: { low: 0.001, high: 1, logarithmic: true },
      most: 1e12,
      positive: true,
    },
    {
      path: 'policy.late',
      label: 'Late',
      help: 'Near 1 the progress asked is this times what is missing to 1.',
      range: { low: 0.001, high: 1, logarithmic: true },
      most: 1e12,
      positive: true,
    },
    {
      path: 'policy.maxRate',
      label: 'Rate η up to',
      help: 'η never becomes larger than this.',
      range: RATE,
      most: 1e12,
      positive: true,
    },
  ],
}

const LUCID = 'Olah, Mordvintsev & Schubert, “Feature Visualization”, Distill 2017; lucid'

/** What came after the paper: each off at 0, so that the four regularisers can be compared with it. */
export const BEYOND_FIELDS: readonly SettingField[] = [
  {
    path: 'fourierPower',
    label: 'Fourier',
    help: 'The step is one in Fourier coefficients times 1 / frequency to this power: low frequencies move first. 1: lucid’s; 0: pixels.',
    reference: LUCID,
    range: { low: 0, high: 2 },
    most: 4,
  },
  {
    path: 'jitterPixels',
    label: 'Jitter ±',
    unit: 'px',
    help: 'In every iteration the network sees the picture moved by up to so many pixels, at random. 0: off.',
    reference: LUCID,
    range: { low: 0, high: 16 },
    most: 1000,
    whole: true,
  },
  {
    path: 'scaleRange',
    label: 'Scale ±',
    help: 'In every iteration the network sees the picture enlarged by a factor of 1 ± this, at random. 0: off.',
    reference: LUCID,
    range: { low: 0, high: 0.5 },
    most: 0.9,
  },
  {
    path: 'rotationDegrees',
    label: 'Turn ±',
    unit: '°',
    help: 'In every iteration the network sees the picture turned by up to so many degrees, at random. 0: off.',
    reference: LUCID,
    range: { low: 0, high: 45 },
    most: 180,
  },
  {
    path: 'diversityWeight',
    label: 'Diversity',
    help: 'Pictures of one unit are pushed apart in what the layer below sees, by this weight: several different maximisers. 0: off.',
    reference: LUCID,
    range: { low: 0.01, high: 100, logarithmic: true, zero: true },
    most: 1e9,
  },
  {
    path: 'redirectedIterations',
    label: 'Redirect',
    help: 'In so many first iterations a ReLU without gradient lets it through, so that units that begin at 0 climb. lucid: 16; 0: off.',
    reference: LUCID,
    range: { low: 0, high: 64 },
    most: 100_000,
    whole: true,
  },
]

/** How rates fit a network; said beside the choice, because it decides what the numbers mean. */
export const SCALE_TEXTS: Readonly<Record<AscentSettings['scale'], string>> = {
  network:
    'Progress 2 means one standard deviation s of the layer on uniform noise; rate 100 the step that raises the unit by 4 s at its start. The published numbers were tuned to CaffeNet.',
  published: 'Numbers are used as they are, for pictures of 0 … 255 grey levels.',
}
