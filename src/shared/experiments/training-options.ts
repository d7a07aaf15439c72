/** How weights are trained: optimisers, schedules of the learning rate, weight decay. */
import * as z from 'zod'

const rate = z.number().positive().max(10)
const lambda = z.number().min(0).max(1000)

export const Optimiser = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('adam'),
    learningRate: rate.default(0.001),
    beta1: z.number().min(0).lt(1).default(0.9),
    beta2: z.number().min(0).lt(1).default(0.999),
    /** Added after the square root of the corrected second moment. */
    epsilon: z.number().positive().default(1e-8),
  }),
  z.strictObject({
    kind: z.literal('momentum'),
    learningRate: rate.default(0.01),
    momentum: z.number().min(0).lt(1).default(0.9),
    /** Nesterov's accelerated gradient, in torch's form: the step is `g + momentum * a`. */
    nesterov: z.boolean().default(false),
  }),
  /** On all pictures at once, with float64 vectors and a line search for the strong Wolfe conditions. */
  z.strictObject({
    kind: z.literal('l-bfgs'),
    /** Pairs of steps and gradient changes that are kept. */
    memory: z.number().int().min(1).max(100).default(10),
    /** Ends where no component of the gradient is larger. */
    tolerance: z.number().min(0).default(1e-5),
  }),
])
export type Optimiser = z.infer<typeof Optimiser>

/** The learning rate over the epochs, which are counted from 1. L-BFGS has none. */
export const Schedule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant') }),
  /** Multiplied by `factor` at the start of each listed epoch. */
  z.strictObject({
    kind: z.literal('steps'),
    epochs: z.array(z.number().int().min(2)).min(1),
    factor: z.number().positive().lt(1).default(0.1),
  }),
  /** Rises in a line over the first `warmUpEpochs`, then falls along half a cosine to 0 (Loshchilov & Hutter 2016), step by step. */
  z.strictObject({ kind: z.literal('cosine'), warmUpEpochs: z.number().min(0).max(100).default(0) }),
  /** Multiplied by `factor` whenever the test error has not become smaller for `patience` epochs. */
  z.strictObject({
    kind: z.literal('when-stalled'),
    factor: z.number().positive().lt(1).default(0.1),
    patience: z.number().int().min(1).max(1000).default(3),
  }),
])
export type Schedule = z.infer<typeof Schedule>

/**
 * Before the training, the first layer is learned as the encoder of a sparse autoencoder (`sigmoid(W x + b)` and back by other weights),
 * and then stays as it is. For every picture ½ · Σ (output - x)², and in addition `sparsityWeight` · Σ over its units of
 * KL(`activity` ‖ mean activation over the batch) and ½ · λ · Σ w² over both kernels, by Adam; its rate is constant for half of the steps
 * and then falls in a line to a fiftieth.
 */
export const Pretraining = z.strictObject({
  kind: z.literal('sparse-autoencoder'),
  epochs: z.number().int().min(1).max(1000).default(60),
  batchSize: z.number().int().min(1).max(4096).default(500),
  learningRate: rate.default(0.002),
  /** Mean activation that every unit is drawn to. */
  activity: z.number().gt(0).lt(1).default(0.1),
  sparsityWeight: z.number().min(0).max(1000).default(0.5),
  lambda: z.number().min(0).max(1000).default(0.002),
})
export type Pretraining = z.infer<typeof Pretraining>

/**
 * A term that is added to the mean cross-entropy, summed over the layers:
 * - `kernels`: `½ · λ · Σ w²` over kernels, not biases: the usual one;
 * - `szegedy`: `½ · λ · Σ w²` over kernels and biases, the reading of Szegedy et al. (2013) with which the errors of their table 1 come out;
 * - `szegedy-printed`: `λ · Σ w² / k` over kernels, k the layer's units or filters: as section 4 of that paper prints it.
 */
export const WeightDecay = z.strictObject({
  reading: z.enum(['kernels', 'szegedy', 'szegedy-printed']).default('kernels'),
  /** One for all layers, or one for each layer with weights, in order. */
  lambda: z.union([lambda, z.array(lambda).min(1)]).default(0),
})
export type WeightDecay = z.infer<typeof WeightDecay>
