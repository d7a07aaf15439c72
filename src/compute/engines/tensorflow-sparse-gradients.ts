/**
 * Gradients that come from a max pooling are mostly zeros, and ReLU's gradient leaves them so: the gradient of the convolution below is then
 * computed by the addon's kernel for such signals.
 */
import type { Tensor, Tensor4D } from '@tensorflow/tfjs'
import type { Tfjs } from './engine.ts'
import { attribute, replaceKernel, stockKernel, type KernelBody } from './kernel-registry.ts'
import { geometryOf } from './tensorflow-convolutions.ts'
import { TENSORFLOW_BACKEND } from './tensorflow-kernels.ts'
import { CELLS_EACH_WINDOW, sparseInputGradient } from './tensorflow-walk-kernels.ts'

/** What tensors hold, by their data: a tensor that is reshaped keeps it. */
const sparse = new WeakSet()

/** Call after the kernels that it stands before have been registered. */
export function useSparseGradients(tf: Tfjs): void {
  stand(tf, 'MaxPoolGrad', (next) => (call) => {
    const { dy, input } = call.inputs as { dy: Tensor4D; input: Tensor4D }
    const result = next(call)
    const [windows, cells] = [dy, input].map(({ shape }) => shape[1] * shape[2]) as [number, number]
    if (cells >= CELLS_EACH_WINDOW * windows) sparse.add(result.dataId)
    return result
  })
  stand(tf, 'ConvScopeReluGradient', (next) => (call) => {
    const result = next(call)
    if (sparse.has((call.inputs['dy'] as Tensor).dataId)) sparse.add(result.dataId)
    return result
  })
  stand(tf, 'Conv2DBackpropInput', (next) => (call) => {
    const { dy, filter } = call.inputs as { dy: Tensor4D; filter: Tensor4D }
    if (!sparse.has(dy.dataId)) return next(call)
    const geometry = geometryOf(tf, call.attrs, attribute<number[]>(call.attrs, 'inputShape'), filter.shape)
    return (geometry && sparseInputGradient(tf, dy, filter, geometry)) ?? next(call)
  })
}

function stand(tf: Tfjs, kernelName: string, before: (next: KernelBody) => KernelBody): void {
  const next = stockKernel(tf, TENSORFLOW_BACKEND, kernelName)
  if (next === undefined) throw new Error(`there is no ${kernelName} kernel`)
  replaceKernel(tf, TENSORFLOW_BACKEND, kernelName, before(next))
}
