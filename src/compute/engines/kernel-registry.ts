/** Replacing kernels and gradients in tfjs's registry. */
import type { KernelConfig, NamedAttrMap, Tensor, TensorInfo } from '@tensorflow/tfjs'
import type { Tfjs } from './engine.ts'

/** A kernel written with tfjs operations or by calling a stock kernel. tfjs guarantees the inputs and attributes of its kind of kernel. */
export type KernelBody = (call: {
  inputs: Readonly<Record<string, Tensor>>
  attrs: NamedAttrMap
  backend: object
}) => TensorInfo

/** The kernel that the backend's package registered, or undefined where it has none. */
export function stockKernel(tf: Tfjs, backendName: string, kernelName: string): KernelBody | undefined {
  const config = tf.getKernel(kernelName, backendName) as KernelConfig | undefined
  if (config === undefined) return undefined
  return ({ inputs, attrs, backend }) => {
    const result = config.kernelFunc({ inputs: { ...inputs }, attrs, backend })
    const single = Array.isArray(result) ? result[0] : result
    if (single === undefined) throw new Error(`the kernel ${kernelName} returned nothing`)
    return single
  }
}

/** Registers `body` for one backend in place of what is there. */
export function replaceKernel(tf: Tfjs, backendName: string, kernelName: string, body: KernelBody): void {
  if (stockKernel(tf, backendName, kernelName) !== undefined) tf.unregisterKernel(kernelName, backendName)
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc: ({ inputs, attrs, backend }) =>
      body({ inputs: inputs as Readonly<Record<string, Tensor>>, attrs: attrs ?? {}, backend }),
  })
}

/** A list-or-number attribute such as `strides` as [height, width]. */
export function pairAttribute(value: unknown): readonly [number, number] {
  if (typeof value === 'number') return [value, value]
  if (Array.isArray(value) && typeof value[0] === 'number' && typeof value[1] === 'number') return [value[0], value[1]]
  throw new TypeError(`expected a number or two numbers, not ${JSON.stringify(value)}`)
}

/** The attribute as it is, for the tfjs helper that expects it. */
export function attribute<T>(attrs: NamedAttrMap, name: string): T {
  return attrs[name] as T
}

const isRegistered = (info: TensorInfo): info is Tensor => 'isDisposedInternal' in info

/** What a kernel returned, as a tensor: some backends return one, others its bare description, which must be registered once and only once. */
export function asTensor(tf: Tfjs, info: TensorInfo): Tensor {
  return isRegistered(info) ? info : tf.engine().makeTensorFromTensorInfo(info)
}
