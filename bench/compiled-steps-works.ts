/** The works of compiled-steps.ts: a description that PyTorch's side understands too, and the step with its inputs. */
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import type { Engine, Step, TensorTree } from '../src/compute/engines/index.ts'

export type LayerForm =
  | { kind: 'convolution'; kernel: number; channels: number; stride: number; groups: number }
  | { kind: 'pool'; size: number; stride: number }
  | { kind: 'normalisation' }
  | { kind: 'dense'; channels: number }

export type WorkForm =
  | { kind: 'autoencoder'; batch: number; kernel: number; encoder: number[]; decoder: number[] }
  | { kind: 'network'; size: number; layers: LayerForm[] }
  | { kind: 'dense'; batch: number; sizes: number[] }

export interface Work {
  readonly name: string
  readonly form: WorkForm
  /** Wanted: compiled against operation by operation, and against PyTorch. */
  readonly targets: { readonly eager: number; readonly pytorch: number }
}

export interface MadeWork {
  readonly inputs: TensorTree
  readonly step: Step<TensorTree, TensorTree>
  dispose(): void
}

const convolution = (kernel: number, channels: number, stride = 1, groups = 1): LayerForm => ({
  kind: 'convolution',
  kernel,
  channels,
  stride,
  groups,
})
const pool = (size: number, stride: number): LayerForm => ({ kind: 'pool', size, stride })
const denseLayers = [4096, 4096, 1000].map((channels): LayerForm => ({ kind: 'dense', channels }))

const CAFFENET: LayerForm[] = [
  convolution(11, 96, 4),
  pool(3, 2),
  { kind: 'normalisation' },
  convolution(5, 256, 1, 2),
  pool(3, 2),
  { kind: 'normalisation' },
  convolution(3, 384),
  convolution(3, 384, 1, 2),
  convolution(3, 256, 1, 2),
  pool(3, 2),
  ...denseLayers,
]
const VGG: LayerForm[] = [
  ...[
    [64, 64],
    [128, 128],
    [256, 256, 256],
    [512, 512, 512],
    [512, 512, 512],
  ].flatMap((block) => [...block.map((channels) => convolution(3, channels)), pool(2, 2)]),
  ...denseLayers,
]
const SMALL_DENSE = [784, 100, 100, 10]
const smallDense = (batch: number, eager: number, pytorch: number): Work => ({
  name: `784-100-100-10 loss + input gradient, batch ${batch}`,
  form: { kind: 'dense', batch, sizes: SMALL_DENSE },
  targets: { eager, pytorch },
})

export const WORKS: readonly Work[] = [
  {
    name: 'CIFAR autoencoder, batch 128, Adam',
    form: { kind: 'autoencoder', batch: 128, kernel: 4, encoder: [16, 32, 64, 128], decoder: [64, 32, 16, 3] },
    targets: { eager: 2, pytorch: 1.1 },
  },
  {
    name: 'CaffeNet-size forward + input gradient',
    form: { kind: 'network', size: 227, layers: CAFFENET },
    targets: { eager: 1.5, pytorch: 1 },
  },
  {
    name: 'VGG-16-size forward + input gradient',
    form: { kind: 'network', size: 224, layers: VGG },
    targets: { eager: 1.25, pytorch: 0.9 },
  },
  smallDense(1, 10, 1),
  // No target was set for this size.
  smallDense(32, NaN, NaN),
  smallDense(256, 2, 0.8),
]

const noise = ({ tf }: Engine, shape: number[], scale: number, seed: number): Tensor =>
  tf.randomUniform(shape, -scale, scale, 'float32', seed)

export function makeWork(engine: Engine, { form }: Work): MadeWork {
  const { tf } = engine
  const before = new Set<Tensor>()
  const keep = <T extends Tensor>(tensor: T): T => {
    before.add(tensor)
    return tensor
  }
  const made =
    form.kind === 'autoencoder'
      ? autoencoder(engine, form, keep)
      : form.kind === 'network'
        ? inputGradient(engine, form, keep)
        : dense(engine, form, keep)
  return { ...made, dispose: () => tf.dispose([...before]) }
}

type Keep = <T extends Tensor>(tensor: T) => T
type Made = Omit<MadeWork, 'dispose'>

/** Strided convolutions and transposed ones with biases and ReLU, the mean squared error of the reconstruction, one step of Adam. */
function autoencoder(engine: Engine, form: WorkForm & { kind: 'autoencoder' }, keep: Keep): Made {
  const { tf } = engine
  const depth = form.encoder.length
  const layers = [...form.encoder, ...form.decoder].map((outer, index, all) => ({ inner: all[index - 1] ?? 3, outer }))
  const parameters = layers.flatMap(({ inner, outer }, index) => {
    const shape = index < depth ? [inner, outer] : [outer, inner]
    const range = Math.sqrt(6 / (form.kernel ** 2 * inner))
    return [noise(engine, [form.kernel, form.kernel, ...shape], range, index), tf.zeros([outer])].map(keep)
  })
  const images = keep(tf.tidy(() => tf.abs(noise(engine, [form.batch, 32, 32, 3], 1, 99)))) as Tensor4D
  const zeros = (): Tensor[] => parameters.map(({ shape }) => keep(tf.zeros(shape)))
  const inputs = {
    parameters,
    first: zeros(),
    second: zeros(),
    images,
    rate: keep(tf.scalar(1e-3)),
    firstCorrection: keep(tf.scalar(0.1)),
    secondCorrection: keep(tf.scalar(0.001)),
  }
  const reconstruct = (values: readonly Tensor[], given: Tensor4D): Tensor4D => {
    let x = given
    for (const [index, { outer }] of layers.entries()) {
      const filter = values[2 * index] as Tensor4D
      const bias = values[2 * index + 1] as Tensor
      const shape = [form.batch, 2 * x.shape[1], 2 * x.shape[2], outer] as [number, number, number, number]
      const sums = index < depth ? tf.conv2d(x, filter, 2, 'same') : tf.conv2dTranspose(x, filter, shape, 2, 'same')
      x = tf.add(sums, bias)
      if (index < layers.length - 1) x = tf.relu(x)
    }
    return x
  }
  const step = (given: typeof inputs): TensorTree => {
    const loss = (...values: Tensor[]): Tensor =>
      tf.mean(tf.square(tf.sub(reconstruct(values, given.images), given.images)))
    const { value, grads } = tf.valueAndGrads(loss as Parameters<typeof tf.valueAndGrads>[0])(given.parameters)
    const gradient = (index: number): Tensor => grads[index] as Tensor
    const first = given.first.map((moment, index) => tf.add(tf.mul(moment, 0.9), tf.mul(gradient(index), 0.1)))
    const second = given.second.map((moment, index) =>
      tf.add(tf.mul(moment, 0.999), tf.mul(tf.square(gradient(index)), 0.001)),
    )
    const next = given.parameters.map((parameter, index) => {
      const scale = tf.add(tf.sqrt(tf.div(second[index] as Tensor, given.secondCorrection)), 1e-7)
      const direction = tf.div(tf.div(first[index] as Tensor, given.firstCorrection), scale)
      return tf.sub(parameter, tf.mul(given.rate, direction))
    })
    return { loss: value, parameters: next, first, second }
  }
  return { inputs, step: step as unknown as Made['step'] }
}

/** Forward through the layers with biases and ReLU between them, and the gradient of one score by the picture. */
function inputGradient(engine: Engine, { size, layers }: WorkForm & { kind: 'network' }, keep: Keep): Made {
  const { tf } = engine
  const shape = { size, channels: 3, flat: false }
  const parameters = layers.map((layer, index): readonly Tensor[] => {
    if (layer.kind === 'normalisation') return []
    if (layer.kind === 'pool') {
      shape.size = Math.floor((shape.size - layer.size) / layer.stride) + 1
      return []
    }
    const fan =
      layer.kind === 'convolution'
        ? (layer.kernel ** 2 * shape.channels) / layer.groups
        : shape.flat
          ? shape.channels
          : shape.size ** 2 * shape.channels
    const filter =
      layer.kind === 'convolution'
        ? [layer.kernel, layer.kernel, shape.channels / layer.groups, layer.channels]
        : [fan, layer.channels]
    if (layer.kind === 'dense') shape.flat = true
    else if (layer.stride > 1) shape.size = Math.floor((shape.size - layer.kernel) / layer.stride) + 1
    shape.channels = layer.channels
    return [noise(engine, filter, Math.sqrt(6 / fan), index), noise(engine, [layer.channels], 0.1, 50 + index)].map(
      keep,
    )
  })
  const score = (picture: Tensor): Tensor => {
    let x = picture
    for (const [index, layer] of layers.entries()) {
      const [filter, bias] = parameters[index] ?? []
      if (layer.kind === 'pool') x = tf.maxPool(x as Tensor4D, layer.size, layer.stride, 'valid')
      else if (layer.kind === 'normalisation') x = tf.localResponseNormalization(x as Tensor4D, 2, 1, 1e-4 / 5, 0.75)
      else if (filter !== undefined && bias !== undefined) {
        const sums =
          layer.kind === 'convolution'
            ? grouped(engine, x as Tensor4D, filter as Tensor4D, layer.stride, layer.groups)
            : tf.matMul(x.rank === 2 ? (x as Tensor2D) : tf.reshape(x, [1, -1]), filter as Tensor2D)
        x = tf.add(sums, bias)
        if (index < layers.length - 1) x = tf.relu(x)
      }
    }
    return tf.sum(tf.slice(x, [0, 3], [1, 1]))
  }
  const inputs = { picture: keep(noise(engine, [1, size, size, 3], 50, 99)) }
  return { inputs, step: ((given: typeof inputs) => tf.grad(score)(given.picture)) as unknown as Made['step'] }
}

function grouped({ tf }: Engine, x: Tensor4D, filter: Tensor4D, stride: number, groups: number): Tensor4D {
  const pad = stride === 1 ? 'same' : 'valid'
  if (groups === 1) return tf.conv2d(x, filter, stride, pad)
  const filters = tf.split(filter, groups, 3) as Tensor4D[]
  const parts = tf.split(x, groups, 3) as Tensor4D[]
  return tf.concat(
    parts.map((part, index) => tf.conv2d(part, filters[index] as Tensor4D, stride, pad)),
    3,
  )
}

/** Sigmoids between the layers; the loss and its gradient by the pictures. */
function dense(engine: Engine, { batch, sizes }: WorkForm & { kind: 'dense' }, keep: Keep): Made {
  const { tf } = engine
  const layers = sizes.slice(1).map((size, index) => ({
    weight: keep(noise(engine, [sizes[index] ?? 0, size], 0.1, index)) as Tensor2D,
    bias: keep(noise(engine, [size], 0.1, 10 + index)),
  }))
  const loss = (labels: Tensor, pictures: Tensor): Tensor => {
    let x = pictures as Tensor2D
    for (const [index, { weight, bias }] of layers.entries()) {
      const sums: Tensor2D = tf.add(tf.matMul(x, weight), bias)
      x = index < layers.length - 1 ? tf.sigmoid(sums) : sums
    }
    return tf.losses.softmaxCrossEntropy(labels, x)
  }
  const inputs = {
    pictures: keep(noise(engine, [batch, sizes[0] ?? 0], 1, 30)),
    labels: keep(tf.tidy(() => tf.oneHot(tf.zeros([batch], 'int32'), 10, 1, 0, 'float32'))),
  }
  const step = (given: typeof inputs): TensorTree => ({
    ...tf.valueAndGrad((x) => loss(given.labels, x as Tensor))(given.pictures),
  })
  return { inputs, step: step as unknown as Made['step'] }
}
