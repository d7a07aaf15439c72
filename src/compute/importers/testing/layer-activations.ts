/** Every layer of an imported network beside the stored activations of the library that wrote the file. */
import * as cpu from '@tensorflow/tfjs'
import type { CaseFile } from '../../network/conformance/case-file.ts'
import { compare, type Row, type Values } from '../../network/conformance/rows.ts'
import { buildGraph } from '../../network/graph.ts'
import type { TensorFlow } from '../../network/layer.ts'
import { Network } from '../../network/network.ts'
import { preprocess } from '../../network/preprocess.ts'
import { encodeSafetensors, type SafeTensor } from '../../network/safetensors.ts'
import { storedTensors } from '../../network/weights.ts'
import type { ImportedNetwork } from '../imported-network.ts'

/**
 * One row for each stored array `act/<layer>`. Where sizes of 1 are missing or too many the values are compared all the same, and a
 * flattening in the order c, h, w is brought into the stored order h, w, c.
 * @param layers the imported layer for a stored one that is called otherwise
 * @param input `[batch, height, width, channels]` in network space
 * @param engine TensorFlow.js with a backend; its own on the CPU when left out
 */
export async function activationRows(
  imported: ImportedNetwork,
  file: CaseFile,
  input: Values,
  layers: Readonly<Record<string, string>> = {},
  engine?: TensorFlow,
): Promise<Row[]> {
  if (engine === undefined) await cpu.setBackend('cpu')
  const tf = engine ?? cpu
  const network = Network.load(tf, imported.spec, weightsOf(imported))
  const x = tf.tensor(Float32Array.from(input.data), [...input.shape])
  const activations = network.forward(x, { keep: 'all', backward: false })
  const rows: Row[] = []
  for (const array of file.arrayNames.filter((name) => name.startsWith('act/'))) {
    const stored = array.slice('act/'.length)
    const layer = network.layers.find(({ name }) => name === (layers[stored] ?? stored))
    if (layer === undefined) continue
    const output = activations.get(layer.name)
    const expected = file.values(array)
    const [batch = 1] = expected.shape
    const below = network.graph.byName.get(layer.inputs[0] ?? '')?.shape ?? []
    const [height = 1, width = 1, channels = 1] = below
    const ordered =
      layer.spec.type === 'flatten' && layer.spec.order === 'chw' && below.length === 3
        ? tf.transpose(tf.reshape(output, [batch, channels, height, width]), [0, 2, 3, 1])
        : output
    const data = await ordered.data()
    rows.push(compare(file.name, array, { shape: expected.shape, data }, expected, file.json.tolerance))
  }
  activations.dispose()
  network.dispose()
  x.dispose()
  return rows
}

/** The stored input beside what the imported pipeline, mean picture included, makes of the first of the stored pictures of bytes. */
export async function preprocessedRow(imported: ImportedNetwork, file: CaseFile): Promise<Row> {
  await cpu.setBackend('cpu')
  const network = Network.load(cpu, imported.spec, weightsOf(imported))
  const [, height = 0, width = 0, channels = 0] = file.values('pixels').shape
  const size = height * width * channels
  const pixels = Uint8Array.from(Array.from(file.values('pixels').data).slice(0, size))
  const { preprocessing } = network.spec
  const { data } = preprocess(
    { shape: [height, width, channels], data: pixels },
    preprocessing,
    network.graph.input.shape,
  )
  network.dispose()
  const expected = { shape: [size], data: Array.from(file.values('x').data).slice(0, size) }
  return compare(file.name, 'preprocessed picture', { shape: [size], data }, expected, { atolRelativeToMax: 1e-5 })
}

/** The weights as `writeSafetensors` would put them into a file. */
export function weightsOf({ spec, tensors }: ImportedNetwork): Uint8Array {
  const stored: Record<string, SafeTensor> = {}
  for (const { path } of storedTensors(buildGraph(spec))) {
    const tensor = tensors.get(path)
    if (tensor === undefined) throw new Error(`${path} is missing`)
    stored[path] = { dtype: 'F32', shape: [...tensor.shape], data: tensor.values() }
  }
  return encodeSafetensors(stored)
}
