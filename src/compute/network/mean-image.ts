/**
 * The mean picture that some networks subtract. It is a tensor of the weights file, because a preprocessing document is JSON; in the
 * worker it lies beside the document that it belongs to.
 */
import { ConvScopeError } from '../../shared/errors.ts'
import { MEAN_IMAGE_TENSOR, type NetworkSpec, type Preprocessing } from '../../shared/network/spec.ts'
import type { SafeTensor } from './safetensors.ts'

const images = new WeakMap<Preprocessing, Float32Array>()

/**
 * The specification with its mean picture at hand for `preprocess` and `toPicture`; the same object where it has none.
 * @throws ConvScopeError 'damaged' where the picture is missing or not of the input's shape
 */
export function withMeanImage(spec: NetworkSpec, tensors: ReadonlyMap<string, SafeTensor>): NetworkSpec {
  const [input] = spec.layers
  if (spec.preprocessing.meanImage === undefined || input?.type !== 'input') return spec
  const tensor = tensors.get(MEAN_IMAGE_TENSOR)
  const shape = input.shape.join(', ')
  if (tensor?.shape.join(', ') !== shape) {
    const found = tensor === undefined ? 'missing' : `of shape [${tensor.shape.join(', ')}] and not [${shape}]`
    throw new ConvScopeError('damaged', `The mean picture of the network ${spec.name} is ${found}.`, {
      remedy: 'Use the weights file that belongs to this network.',
    })
  }
  const preprocessing = { ...spec.preprocessing }
  images.set(preprocessing, Float32Array.from(tensor.data))
  return { ...spec, preprocessing }
}

/**
 * The mean picture, in network channel order; undefined for a pipeline that has none.
 * @throws Error for a document whose network was not loaded
 */
export function meanImageOf(preprocessing: Preprocessing): Float32Array | undefined {
  if (preprocessing.meanImage === undefined) return undefined
  const image = images.get(preprocessing)
  if (image === undefined)
    throw new Error('the mean picture was not loaded: take the specification of the loaded network')
  return image
}

/**
 * The specification with another pipeline, which goes on with the mean picture that was at hand if it subtracts one.
 * @throws ConvScopeError 'invalid-input' where it subtracts one and there is none
 */
export function withPreprocessing(spec: NetworkSpec, preprocessing: Preprocessing): NetworkSpec {
  const changed = { ...preprocessing }
  const image = images.get(spec.preprocessing)
  if (changed.meanImage !== undefined) {
    if (image === undefined) {
      throw new ConvScopeError('invalid-input', `The network ${spec.name} has no mean picture.`, {
        remedy: 'Subtract a mean of each channel.',
      })
    }
    images.set(changed, image)
  }
  return { ...spec, preprocessing: changed }
}
