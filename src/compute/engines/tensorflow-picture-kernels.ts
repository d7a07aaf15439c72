/** The addon's kernels for operations on whole pictures. */
import type { Tensor } from '@tensorflow/tfjs'
import type { Tfjs } from './engine.ts'
import { attribute, replaceKernel } from './kernel-registry.ts'
import { BLUR, KEEP_LARGEST } from './picture-operations.ts'
import { TENSORFLOW_BACKEND, type NodeBackend } from './tensorflow-kernels.ts'
import { ownAttributes } from './tensorflow-own-operations.ts'

/** The names are those of the addon's operations; tfjs-node has no such kernels. */
export function usePictureKernels(tf: Tfjs): void {
  replaceKernel(tf, TENSORFLOW_BACKEND, KEEP_LARGEST, ({ inputs, attrs, backend }) => {
    const { pictures, factors, rank } = inputs as { pictures: Tensor; factors?: Tensor; rank: Tensor }
    const [batch, height, width, channels] = attribute<[number, number, number, number]>(attrs, 'shape')
    const numbers = [batch, height * width, channels, factors === undefined ? 0 : 1]
    return run(backend, KEEP_LARGEST, numbers, [pictures, ...(factors === undefined ? [] : [factors]), rank])
  })
  replaceKernel(tf, TENSORFLOW_BACKEND, BLUR, ({ inputs, attrs, backend }) => {
    const { pictures, rows, columns } = inputs as { pictures: Tensor; rows: Tensor; columns: Tensor }
    return run(backend, BLUR, attribute<number[]>(attrs, 'shape'), [rows, columns, pictures])
  })
}

function run(backend: object, operation: string, numbers: readonly number[], inputs: readonly Tensor[]): Tensor {
  const node = backend as NodeBackend
  return node.executeSingleOutput(operation, ownAttributes(node.binding, inputs.length, numbers), inputs) as Tensor
}
