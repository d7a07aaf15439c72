/** How a signal is carried down through the layers whose way down is a matter of choice. */
import * as z from 'zod'

/**
 * The rule at rectifiers, with f the layer's input on the way up and R the signal from above (Zeiler & Fergus 2013, section 2.1;
 * Springenberg et al. 2014, section 3.4):
 * - `gradient`: f'(f) · R, for a ReLU R where f > 0 (at 0 the derivative of ReLU is 0);
 * - `deconvnet`: rect(R), whatever f was;
 * - `guided`: f'(f) · rect(R).
 *
 * rect(R) is max(0, R) for ReLU, ReLU6, ELU, SiLU and GELU. A leaky ReLU keeps its slope: rect(R) is R where R > 0, `slope · R` elsewhere,
 * so that slope 0 is a ReLU. Sigmoid, tanh and softmax do not rectify: they use their derivative under every rule.
 */
export const ReluRule = z.enum(['gradient', 'deconvnet', 'guided'])
export type ReluRule = z.infer<typeof ReluRule>

/**
 * What a cell gets that several max-pool windows selected: the `sum` of what they send, what the last window in row-major order
 * sends (`overwrite`), or the largest value sent (`max`). Every window sends its value, zeros too. Only `sum` is the gradient.
 */
export const UnpoolRule = z.enum(['sum', 'overwrite', 'max'])
export type UnpoolRule = z.infer<typeof UnpoolRule>

/** Local response normalisation: the exact `derivative` at the activations of the way up, or `identity` (passed through). */
export const LrnRule = z.enum(['identity', 'derivative'])
export type LrnRule = z.infer<typeof LrnRule>

/** One choice per kind; every other layer uses its exact derivative. */
export const BackwardRules = z.strictObject({
  relu: ReluRule,
  unpool: UnpoolRule,
  lrn: LrnRule,
})
export type BackwardRules = z.infer<typeof BackwardRules>

/**
 * The rules of a walk, some of which no document names. `redirected` is lucid's gradient of a rectifier (misc/redirected_relu_grad.py): f'(f) · R,
 * but rect(R) for a picture of whose R nothing would come through the layer.
 */
export type WalkRules = Omit<BackwardRules, 'relu'> & { readonly relu: ReluRule | 'redirected' }

/** The exact gradient (saliency maps, activation maximisation, pre-images, attacks). */
export const GRADIENT_RULES: BackwardRules = { relu: 'gradient', unpool: 'sum', lrn: 'derivative' }

/** The projection of Zeiler & Fergus, as the Deep Visualization Toolbox computes it. */
export const DECONVNET_RULES: BackwardRules = { relu: 'deconvnet', unpool: 'sum', lrn: 'derivative' }
