/** Named tensors between the engine and safetensors. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { Tfjs } from '../engines/engine.ts'
import type { SafeTensor } from '../network/safetensors.ts'
import type { Tensors } from './optimiser.ts'

/** Float32 values of named tensors, read back from the engine; the tensors stay. */
export async function downloadTensors(tensors: Tensors): Promise<Record<string, SafeTensor>> {
  const entries = Object.entries(tensors).map(async ([name, tensor]): Promise<[string, SafeTensor]> => {
    const data = await tensor.data()
    return [name, { dtype: 'F32', shape: [...tensor.shape], data: Float32Array.from(data) }]
  })
  return Object.fromEntries(await Promise.all(entries))
}

/** Float32 tensors of those values, owned by the caller. */
export function uploadTensors(tf: Tfjs, values: Iterable<readonly [string, SafeTensor]>): Tensors {
  const tensors: Tensors = {}
  for (const [name, { data, shape }] of values) {
    if (!(data instanceof Float32Array)) throw new ConvScopeError('damaged', `The tensor ${name} is not of type F32`)
    tensors[name] = tf.tensor(data, [...shape], 'float32')
  }
  return tensors
}
