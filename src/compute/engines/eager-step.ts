/** Steps on engines without graphs: each call runs the function operation by operation. */
import { ConvScopeError } from '../../shared/errors.ts'
import { callStep } from './call-step.ts'
import type { CompiledStep, CompileOptions, Step, StepStatistics, TensorTree, Tfjs } from './engine.ts'
import { assertBackend } from './tfjs.ts'

/**
 * A compiled step that calls `step` inside `tf.tidy`: intermediate results are freed, the results are checked to be tensors and kept.
 * A step that returns a Promise or anything else is refused with 'internal', because such a step could not be captured as a graph.
 */
export function eagerStep<I extends TensorTree, O extends TensorTree>(
  tf: Tfjs,
  backendName: string,
  step: Step<I, O>,
  options: CompileOptions = {},
): CompiledStep<I, O> {
  const name = options.name ?? (step.name || 'step')
  let statistics: StepStatistics = { name, calls: 0, totalMs: 0, lastMs: 0, captured: false, variants: [] }
  let disposed = false

  return {
    async run(inputs) {
      if (disposed) throw new ConvScopeError('internal', `The step ${name} was run after it had been disposed`)
      assertBackend(tf, backendName)
      const started = performance.now()
      const result = callStep(tf, name, step, inputs)
      const lastMs = performance.now() - started
      statistics = { ...statistics, calls: statistics.calls + 1, totalMs: statistics.totalMs + lastMs, lastMs }
      return result
    },
    stats: () => statistics,
    dispose() {
      disposed = true
    },
  }
}
