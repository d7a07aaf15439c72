/** Running a step operation by operation: the rules about its results, for every engine. */
import type { Tensor } from '@tensorflow/tfjs'
import { ConvScopeError } from '../../shared/errors.ts'
import type { Step, TensorTree, Tfjs } from './engine.ts'
import { runInterruptibly } from './eager-interruption.ts'
import { disposeTensors, mapTensors } from './tensor-tree.ts'

/**
 * Runs the step inside `tf.tidy`. Every tensor of the result is kept and a new one: what the step got or found outside, variables, and what it
 * returned twice are returned as tensors that share their data. Throws 'internal' where the result is not made of tensors,
 * 'cancelled' where the engine was interrupted meanwhile.
 */
export function callStep<I extends TensorTree, O extends TensorTree>(
  tf: Tfjs,
  name: string,
  step: Step<I, O>,
  inputs: I,
): O {
  const result: { tree?: O } = {}
  const kept: Tensor[] = []
  tf.tidy(() => {
    // Tensors are numbered in the order in which they are made.
    const firstId = tf.scalar(0).id
    const tree = runInterruptibly(tf, () => step(inputs))
    const seen = new Set<Tensor>()
    try {
      result.tree = mapTensors(tree, (tensor) => {
        const foreign = tensor.id < firstId || seen.has(tensor) || tensor instanceof tf.Variable
        const own = tf.keep(foreign ? tensor.clone() : tensor)
        seen.add(tensor)
        kept.push(own)
        return own
      })
    } catch (error) {
      disposeTensors(kept)
      const message = error instanceof Error ? error.message : String(error)
      throw new ConvScopeError('internal', `The step ${name} must return tensors: ${message}`, { cause: error })
    }
  })
  if (result.tree === undefined) throw new ConvScopeError('internal', `The step ${name} returned nothing`)
  return result.tree
}
