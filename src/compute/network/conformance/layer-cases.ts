/** The stored single-layer cases: values on the way up, signals on the way down, and the gradients that training uses. */
import * as z from 'zod'
import { GRADIENT_RULES, UnpoolRule } from '../../../shared/network/rules.ts'
import { mapShape, type Tensor, type TensorFlow, type Tensors } from '../layer.ts'
import { switchPlaces } from '../layers/max-pool.ts'
import { windowsOf } from '../windows.ts'
import { CaseFile, take } from './case-file.ts'
import { compare, type Row } from './rows.ts'
import { SingleLayer } from './single-layer.ts'

const Pair = z.tuple([z.number(), z.number()])
const Pad = z.tuple([z.number(), z.number(), z.number(), z.number()])
const Convolution = z.object({
  kernel: Pair,
  stride: Pair,
  pad: Pad,
  groups: z.number().default(1),
  outputShape: z.tuple([z.number(), z.number(), z.number()]),
})
const Pool = z.object({ size: Pair, stride: Pair, pad: Pad, rounding: z.enum(['floor', 'ceil']) })
const Lrn = z.object({ size: z.number(), alpha: z.number(), beta: z.number(), k: z.number(), convention: z.string() })

export async function layerCaseRows(tf: TensorFlow, folder: string): Promise<Row[]> {
  return [
    ...(await convolutions(tf, await CaseFile.read(folder, 'layers-conv'))),
    ...(await transposedConvolutions(tf, await CaseFile.read(folder, 'layers-conv-transpose'))),
    ...(await maxPools(tf, await CaseFile.read(folder, 'layers-max-pool'))),
    ...(await averagePools(tf, await CaseFile.read(folder, 'layers-avg-pool'))),
    ...(await normalisations(tf, await CaseFile.read(folder, 'layers-lrn'))),
    ...(await otherLayers(tf, await CaseFile.read(folder, 'layers-other'))),
  ]
}

/** One part of a case, such as `k3s1p1` with the arrays `k3s1p1/x`, `k3s1p1/y` and so on. */
interface Part {
  readonly file: CaseFile
  readonly name: string
  readonly layer: Readonly<Record<string, unknown>>
  /** Parameter name of the layer → name of the array. */
  readonly weights?: Readonly<Record<string, string>>
  readonly arrays?: { readonly x?: string; readonly dy?: string }
  /** Whether the tape's input gradient is the stored one (it is not at ties). */
  readonly tape?: boolean
}

async function gradientRows(
  tf: TensorFlow,
  { file, name, layer, weights = {}, arrays = {}, tape = true }: Part,
): Promise<Row[]> {
  const title = `${file.name} ${name}`
  const { tolerance } = file.json
  const x = batched(file.tensor(tf, arrays.x ?? `${name}/x`))
  const signal = batched(file.tensor(tf, arrays.dy ?? `${name}/dy`))
  const values: Tensors = Object.fromEntries(
    Object.entries(weights).map(([parameter, array]) => [parameter, file.tensor(tf, `${name}/${array}`)]),
  )
  const single = new SingleLayer(tf, layer, x.shape.slice(1), values)
  const expected = (array: string) => {
    const { shape, data } = file.values(`${name}/${array}`)
    return { shape: shape.length === 1 && array !== 'dbias' ? [1, ...shape] : shape, data }
  }
  const walk = single.up(x)
  const rows = [
    compare(title, 'output', await take(single.output(x)), expected('y'), tolerance),
    compare(
      title,
      'signal at the input',
      await take(single.down(walk, signal, GRADIENT_RULES)),
      expected('dx'),
      tolerance,
    ),
  ]
  if (tape) {
    const gradients = single.tape(x, signal)
    rows.push(compare(title, 'input gradient by the tape', await take(gradients.input), expected('dx'), tolerance))
    for (const [parameter, array] of Object.entries(weights)) {
      const gradient = gradients.weights[parameter]
      if (gradient === undefined || !file.arrayNames.includes(`${name}/d${array}`)) continue
      rows.push(compare(title, `gradient of ${parameter}`, await take(gradient), expected(`d${array}`), tolerance))
    }
  }
  tf.dispose([x, signal, values, walk.outputs, walk.saved])
  return rows
}

/** Arrays stored without a batch are a batch of one. */
function batched(x: Tensor): Tensor {
  if (x.rank !== 1) return x
  const row = x.reshape([1, -1])
  x.dispose()
  return row
}

async function convolutions(tf: TensorFlow, file: CaseFile): Promise<Row[]> {
  const rows: Row[] = []
  for (const [name, value] of Object.entries(file.json.parameters)) {
    const { kernel, stride, pad, groups, outputShape } = Convolution.parse(value)
    const layer = { type: 'conv2d', filters: outputShape[2], kernel, stride, padding: pad, groups }
    const weights = { kernel: 'kernel', bias: 'bias' }
    rows.push(...(await gradientRows(tf, { file, name, layer, weights })))
    if (name.includes('same'))
      rows.push(...(await gradientRows(tf, { file, name, layer: { ...layer, padding: 'same' }, weights })))
  }
  return rows
}

async function transposedConvolutions(tf: TensorFlow, file: CaseFile): Promise<Row[]> {
  const rows: Row[] = []
  for (const [name, value] of Object.entries(file.json.parameters)) {
    const { kernel, stride, pad, outputShape } = Convolution.parse(value)
    const same = name.includes('same') || name.includes('gap')
    const [height, width] = mapShape([file.values(`${name}/x`).shape.slice(1)])
    const bare = [
      (height - 1) * stride[0] + kernel[0] - pad[0] - pad[1],
      (width - 1) * stride[1] + kernel[1] - pad[2] - pad[3],
    ]
    const layer = same
      ? { type: 'conv2d-transpose', filters: outputShape[2], kernel, stride, padding: 'same' }
      : {
          type: 'conv2d-transpose',
          filters: outputShape[2],
          kernel,
          stride,
          padding: pad,
          outputPadding: [outputShape[0] - (bare[0] ?? 0), outputShape[1] - (bare[1] ?? 0)],
        }
    rows.push(...(await gradientRows(tf, { file, name, layer, weights: { kernel: 'kernel', bias: 'bias' } })))
  }
  return rows
}

async function maxPools(tf: TensorFlow, file: CaseFile): Promise<Row[]> {
  const rows: Row[] = []
  for (const [name, value] of Object.entries(file.json.parameters)) {
    const { size, stride, pad, rounding } = Pool.parse(value)
    const title = `${file.name} ${name}`
    const x = file.tensor(tf, `${name}/x`)
    const signal = file.tensor(tf, `${name}/dy`)
    const layer = { kernel: size, stride, padding: pad, rounding }
    const single = new SingleLayer(tf, { type: 'max-pool', ...layer }, x.shape.slice(1), {})
    const [height, width] = mapShape([x.shape.slice(1)])
    const windows = windowsOf(layer, height, width)
    const walk = single.up(x)
    const expected = (array: string) => file.values(`${name}/${array}`)
    const winners = walk.saved['layer']?.['winners'] ?? x
    rows.push(compare(title, 'output', await take(single.output(x)), expected('y'), {}))
    rows.push(compare(title, 'switches', await take(switchPlaces(tf, windows, winners)), expected('switches'), {}))
    for (const unpool of UnpoolRule.options) {
      const down = single.down(walk, signal, { ...GRADIENT_RULES, unpool })
      rows.push(
        compare(title, `unpooling by ${unpool}`, await take(down), expected(`down_${unpool}`), file.json.tolerance),
      )
    }
    if (!name.includes('ties') && !name.includes('zero')) {
      const { input } = single.tape(x, signal)
      rows.push(compare(title, 'input gradient by the tape', await take(input), expected('down_sum'), { rtol: 1e-5 }))
    }
    tf.dispose([x, signal, walk.outputs, walk.saved])
  }
  return rows
}

async function averagePools(tf: TensorFlow, file: CaseFile): Promise<Row[]> {
  const rows: Row[] = []
  for (const [name, value] of Object.entries(file.json.parameters)) {
    const { size, stride, pad, rounding } = Pool.parse(value)
    for (const [array, divisor] of [
      ['caffe', 'caffe'],
      ['exclude-pad', 'valid'],
    ]) {
      const layer = { type: 'avg-pool', kernel: size, stride, padding: pad, rounding, divisor }
      rows.push(...(await gradientRows(tf, { file, name: `${name}/${array}`, layer, arrays: { x: `${name}/x` } })))
    }
  }
  return rows
}

async function normalisations(tf: TensorFlow, file: CaseFile): Promise<Row[]> {
  const rows: Row[] = []
  for (const [name, value] of Object.entries(file.json.parameters)) {
    const { size, alpha, beta, k, convention } = Lrn.parse(value)
    // MatConvNet, like Krizhevsky, does not divide alpha.
    const layer = { type: 'lrn', size, alpha, beta, k, convention: convention === 'caffe' ? 'caffe' : 'krizhevsky' }
    rows.push(...(await gradientRows(tf, { file, name, layer })))
  }
  return rows
}

async function otherLayers(tf: TensorFlow, file: CaseFile): Promise<Row[]> {
  const rows: Row[] = []
  for (const [name, epsilon] of [
    ['batchnorm_eps1e-5', 1e-5],
    ['batchnorm_eps1e-3', 1e-3],
  ] as const) {
    const layer = { type: 'batch-norm', epsilon }
    const weights = { scale: 'gamma', shift: 'beta', mean: 'mean', variance: 'variance' }
    // In training the statistics are the batch's: the stored case is that of inference.
    rows.push(...(await gradientRows(tf, { file, name, layer, weights, tape: false })))
  }
  const units = file.values('dense/dy').shape[1]
  rows.push(
    ...(await gradientRows(tf, {
      file,
      name: 'dense',
      layer: { type: 'dense', units },
      weights: { kernel: 'kernel', bias: 'bias' },
    })),
  )
  for (const [name, layer] of [
    ['relu', { type: 'relu' }],
    ['leaky_relu_0.05', { type: 'leaky-relu', slope: 0.05 }],
    ['leaky_relu_0.1', { type: 'leaky-relu', slope: 0.1 }],
    ['sigmoid', { type: 'sigmoid' }],
    ['tanh', { type: 'tanh' }],
  ] as const) {
    const arrays = { x: 'activation/x', dy: 'activation/dy' }
    rows.push(...(await gradientRows(tf, { file, name: `activation/${name}`, layer, arrays })))
  }
  rows.push(...(await flattenRows(tf, file)))
  rows.push(await softmaxRow(tf, file))
  return rows
}

/** The same dense layer after flattening in either order, with the kernel in that order. */
async function flattenRows(tf: TensorFlow, file: CaseFile): Promise<Row[]> {
  const rows: Row[] = []
  for (const order of ['hwc', 'chw'] as const) {
    const x = file.tensor(tf, 'dense_after_flatten/x')
    const kernel = file.tensor(tf, `dense_after_flatten/kernel_${order}`)
    const single = new SingleLayer(tf, { type: 'flatten', order }, x.shape.slice(1), {})
    const flat = single.output(x)
    const product: Tensor = tf.matMul(flat, kernel)
    const expected = file.values('dense_after_flatten/y')
    rows.push(compare(`${file.name} dense_after_flatten`, order, await take(product), expected, file.json.tolerance))
    tf.dispose([x, kernel, flat])
  }
  return rows
}

async function softmaxRow(tf: TensorFlow, file: CaseFile): Promise<Row> {
  const logits = file.tensor(tf, 'softmax_cross_entropy/logits')
  const single = new SingleLayer(tf, { type: 'softmax' }, logits.shape.slice(1), {})
  const expected = file.values('softmax_cross_entropy/probability')
  const row = compare(
    `${file.name} softmax`,
    'probabilities',
    await take(single.output(logits)),
    expected,
    file.json.tolerance,
  )
  logits.dispose()
  return row
}
