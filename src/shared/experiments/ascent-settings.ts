/** One combination of regularisers for activation maximisation, the published ones, and what may change while pictures climb. */
import * as z from 'zod'

const percentile = z.number().min(0, 'a percentile lies in 0 … 100').max(100, 'a percentile lies in 0 … 100')
const rate = z.number().positive().max(1e12)

/**
 * How far a step goes along the gradient g of the unit's activation a (optimize/gradient_optimizer.py of the Deep Visualization Toolbox):
 * - `constant`: `rate`;
 * - `progress`: min(`maxRate`, `desired` / |g|²), so that the linear prediction rises by `desired`;
 * - `progress01`: the same with min(`early`, `late` · (1 − a)) as desired, for probabilities.
 */
export const StepPolicy = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant'), rate: rate.default(100) }),
  z.strictObject({ kind: z.literal('progress'), maxRate: rate.default(100), desired: rate.default(2) }),
  z.strictObject({
    kind: z.literal('progress01'),
    maxRate: rate.default(100),
    early: rate.default(0.03),
    late: rate.default(0.2),
  }),
])
export type StepPolicy = z.infer<typeof StepPolicy>

/** One combination of regularisers. Pictures are in grey levels, 0 … 255 minus the mean, whatever range the network takes. */
export const AscentSettings = z.strictObject({
  name: z.string().min(1).max(60).default('own'),
  iterations: z.number().int().min(1).max(100_000).default(500),
  policy: StepPolicy.prefault({ kind: 'progress' }),
  /**
   * `network`: rates, desired progress and the weight of diversity are multiplied by factors measured on the start pictures (see
   * `ascentScale`), so that published values fit networks of other sizes and ranges; `published`: taken as they are.
   */
  scale: z.enum(['network', 'published']).default('network'),
  /** L2 decay θ: x ← (1 − θ) · x in every iteration. */
  decay: z.number().min(0).lt(1).default(0),
  /** Standard deviation of the Gaussian blur in pixels; 0 for none. */
  blurSigma: z.number().min(0).max(1000).default(0),
  /** The picture is blurred in iterations 0, n, 2n …; 0 for never. */
  blurEvery: z.number().int().min(0).max(100_000).default(0),
  /** Pixels whose norm over the channels lies strictly below this percentile become 0. */
  normPercentile: percentile.default(0),
  /** Pixels whose contribution |Σ g·x| lies strictly below this percentile become 0. */
  contributionPercentile: percentile.default(0),

  // Beyond the paper, each off by default (Olah, Mordvintsev & Schubert, "Feature Visualization", Distill 2017; tensorflow/lucid).

  /**
   * Fourier parameterisation: the gradient step is one in Fourier coefficients that the picture takes times 1 / f^power, f its frequency, so
   * that low frequencies move first. 1 is lucid's; 0 leaves the pixels as they are.
   */
  fourierPower: z.number().min(0).max(4).default(0),
  /** The step is one in colours that natural pictures vary in independently (lucid's matrix from ImageNet). Networks of three colours. */
  decorrelatedColour: z.boolean().default(false),
  /** Before the network looks, the picture is moved by a whole number of pixels drawn from −n … n, both ways. */
  jitterPixels: z.number().int().min(0).max(1000).default(0),
  /** … enlarged by a factor drawn from 1 − s … 1 + s around its middle. */
  scaleRange: z.number().min(0).max(0.9).default(0),
  /** … and turned by an angle drawn from −d … d degrees around its middle. */
  rotationDegrees: z.number().min(0).max(180).default(0),
  /**
   * Weight w of diversity among the starts of one unit: what climbs is the activation minus w times the mean cosine between Gram matrices of
   * the features in `diversityLayer` (lucid's `diversity`).
   */
  diversityWeight: z.number().min(0).max(1e9).default(0),
  /**
   * In so many first iterations a rectifier through which no gradient comes lets positive gradients through (lucid's redirected ReLU
   * gradient, there 16), so that units that begin at 0 climb.
   */
  redirectedIterations: z.number().int().min(0).max(100_000).default(0),
})
export type AscentSettings = z.infer<typeof AscentSettings>

/** The four published combinations (Yosinski et al. 2015, table 1; iterations and rates from the toolbox's documentation). */
export const PUBLISHED_SETTINGS: readonly AscentSettings[] = [
  {
    name: 'Yosinski 1: small norm',
    iterations: 500,
    policy: { kind: 'progress', maxRate: 100, desired: 2 },
    blurSigma: 0.5,
    blurEvery: 4,
    normPercentile: 50,
  },
  {
    name: 'Yosinski 2: decay',
    iterations: 750,
    policy: { kind: 'constant', rate: 100 },
    decay: 0.3,
    normPercentile: 20,
  },
  {
    name: 'Yosinski 3: blur',
    iterations: 1000,
    policy: { kind: 'constant', rate: 100 },
    decay: 0.0001,
    blurSigma: 1,
    blurEvery: 4,
  },
  {
    name: 'Yosinski 4: small contribution',
    iterations: 1000,
    policy: { kind: 'progress', maxRate: 1e8, desired: 2 },
    blurSigma: 0.5,
    blurEvery: 4,
    contributionPercentile: 90,
  },
].map((settings) => AscentSettings.parse(settings))

/** The fields of `AscentSettings` that may change while it runs. */
export const LIVE_PATHS = [
  'decay',
  'blurSigma',
  'blurEvery',
  'normPercentile',
  'contributionPercentile',
  'policy.rate',
  'policy.maxRate',
  'policy.desired',
  'policy.early',
  'policy.late',
  'fourierPower',
  /** 1 or 0. */
  'decorrelatedColour',
  'jitterPixels',
  'scaleRange',
  'rotationDegrees',
  'diversityWeight',
  'redirectedIterations',
] as const

/**
 * What was changed while it ran: from iteration `step` on the setting has another value. `restore` puts every picture back to what it was
 * before iteration `value`. A run of the document repeats them at the same places, so that it is the same run.
 */
export const LiveChange = z
  .strictObject({
    step: z.number().int().nonnegative(),
    path: z.enum([...LIVE_PATHS, 'restore']),
    value: z.number(),
    /** Index into the settings of the one that changes; all of them when left out. */
    setting: z.number().int().nonnegative().max(63).optional(),
  })
  .refine(({ path, setting }) => path !== 'restore' || setting === undefined, {
    message: 'all pictures go back together',
  })
export type LiveChange = z.infer<typeof LiveChange>

/** How a change is named while it runs (`jobs.adjust` and the event `adjusted`): `decay` for all settings, `settings.2.decay` for one. */
export function livePathOf({ path, setting }: Pick<LiveChange, 'path' | 'setting'>): string {
  return setting === undefined ? path : `settings.${setting}.${path}`
}

/** The change that `livePathOf` names. @throws ZodError for another path */
export function liveChangeAt({ step, path, value }: { step: number; path: string; value: number }): LiveChange {
  const [, setting, own] = /^settings\.(\d{1,4})\.(.+)$/.exec(path) ?? []
  return LiveChange.parse(
    own === undefined ? { step, path, value } : { step, path: own, value, setting: Number(setting) },
  )
}
