/** How a signal is carried down through the layers where the gradient is not the only choice. */
import * as z from 'zod'

export const BackwardRules = z.strictObject({
  /**
   * At a ReLU with forward input f and signal R from above: 'gradient' passes R where f > 0, 'deconvnet' where R > 0,
   * 'guided' where both are (Zeiler & Fergus 2013; Springenberg et al. 2014).
   */
  relu: z.enum(['gradient', 'deconvnet', 'guided']),
  /** Where overlapping pooling windows share a switch: add up, last window in row-major order wins, or the largest signal wins. */
  unpool: z.enum(['sum', 'overwrite', 'max']),
  /** Local response normalisation: passed through unchanged, or by its derivative. */
  lrn: z.enum(['identity', 'derivative']),
})
export type BackwardRules = z.infer<typeof BackwardRules>

/** The true gradient of the forward pass. */
export const GRADIENT_RULES: BackwardRules = { relu: 'gradient', unpool: 'sum', lrn: 'derivative' }
