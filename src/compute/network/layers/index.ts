/** Every layer kind with its implementation. */
import type { LayerSpec, LayerType } from '../../../shared/network/spec.ts'
import type { LayerImplementation } from '../layer.ts'
import { add } from './add.ts'
import { avgPool } from './avg-pool.ts'
import { batchNorm } from './batch-norm.ts'
import { concat } from './concat.ts'
import { conv2d } from './conv2d.ts'
import { conv2dTranspose } from './conv2d-transpose.ts'
import { dense } from './dense.ts'
import { dropout } from './dropout.ts'
import { elu } from './elu.ts'
import { flatten } from './flatten.ts'
import { gelu } from './gelu.ts'
import { globalAvgPool } from './global-avg-pool.ts'
import { globalMaxPool } from './global-max-pool.ts'
import { input } from './input.ts'
import { leakyRelu } from './leaky-relu.ts'
import { lrn } from './lrn.ts'
import { maxPool } from './max-pool.ts'
import { padding } from './padding.ts'
import { relu } from './relu.ts'
import { relu6 } from './relu6.ts'
import { sigmoid } from './sigmoid.ts'
import { silu } from './silu.ts'
import { softmax } from './softmax.ts'
import { tanh } from './tanh.ts'
import { upsample } from './upsample.ts'

const implementations: { readonly [T in LayerType]: LayerImplementation<T> } = {
  input,
  conv2d,
  'conv2d-transpose': conv2dTranspose,
  relu,
  'leaky-relu': leakyRelu,
  relu6,
  elu,
  silu,
  gelu,
  sigmoid,
  tanh,
  'max-pool': maxPool,
  'avg-pool': avgPool,
  'global-max-pool': globalMaxPool,
  'global-avg-pool': globalAvgPool,
  lrn,
  'batch-norm': batchNorm,
  dense,
  dropout,
  softmax,
  flatten,
  padding,
  upsample,
  add,
  concat,
}

/** The implementation that belongs to a layer of the graph. */
export function implementationOf(spec: LayerSpec): LayerImplementation<LayerType> {
  return implementations[spec.type] as LayerImplementation<LayerType>
}
