/** Below tfjs's public interface: variables, shared data, uploads. */
import type { Tensor, Variable } from '@tensorflow/tfjs'
import type { Tfjs } from '../engine.ts'
import type { NodeBinding, TensorMetadata } from '../tensorflow-kernels.ts'

/** Variables live as long as they are not disposed, in a list of tfjs's engine. */
export function registeredVariables(tf: Tfjs): Variable[] {
  return Object.values(tf.engine().state.registeredVariables)
}

/** A tensor with the data of another one, kept; no kernel runs. */
export function sharingData(tf: Tfjs, tensor: Tensor): Tensor {
  const { dataId, shape, dtype } = tensor
  const engine = tf.engine()
  engine.backend.incRef(dataId)
  return tf.keep(engine.makeTensorFromTensorInfo({ dataId, shape, dtype }))
}

/** tfjs-node uploads values when they are first used. */
export function uploadPending(binding: NodeBinding, info: TensorMetadata & { values: unknown }): void {
  if (info.values === null) return
  info.id = binding.createTensor(info.shape, info.dtype, info.values)
  info.values = null
}
