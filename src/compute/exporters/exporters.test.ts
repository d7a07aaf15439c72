import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NetworkSpec } from '../../shared/network/spec.ts'
import { sizeOf } from '../../shared/size-of.ts'
import { openSourceFile, sourceFileOf } from '../files/source-file.ts'
import { openZip } from '../files/zip-reader.ts'
import { importNetwork } from '../importers/index.ts'
import { convscope } from '../importers/convscope/convscope.ts'
import { fuzzImporter } from '../importers/testing/fuzz.ts'
import { weightsOf } from '../importers/testing/layer-activations.ts'
import { compare } from '../network/conformance/rows.ts'
import { buildGraph, parseNetworkSpec } from '../network/graph.ts'
import { Network } from '../network/network.ts'
import { encodeSafetensors, type SafeTensor } from '../network/safetensors.ts'
import { RandomStream } from '../random.ts'
import { exportNetwork, type ExportFormat } from './index.ts'

const spec = parseNetworkSpec({
  format: 'convscope-network',
  version: 1,
  name: 'many-layers',
  title: 'Many layers',
  preprocessing: { channelOrder: 'rgb' },
  classes: ['a', 'b', 'c', 'd'],
  layers: [
    { name: 'input', type: 'input', shape: [13, 12, 4] },
    { name: 'conv1', type: 'conv2d', filters: 6, kernel: [3, 5], stride: [1, 2], padding: 'same', groups: 2 },
    { name: 'bn1', type: 'batch-norm', scale: false, epsilon: 1e-3 },
    { name: 'elu1', type: 'elu', alpha: 0.7 },
    { name: 'pool1', type: 'max-pool', kernel: [3, 3], stride: [2, 2], rounding: 'ceil' },
    { name: 'lrn1', type: 'lrn', size: 3, alpha: 0.2, beta: 0.75, k: 2, convention: 'krizhevsky' },
    { name: 'gelu1', type: 'gelu' },
    { name: 'up1', type: 'upsample', factor: [2, 3], method: 'bilinear' },
    { name: 'up2', type: 'upsample', factor: [2, 1] },
    { name: 'avg1', type: 'avg-pool', kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1], rounding: 'ceil' },
    { name: 'avg2', type: 'avg-pool', kernel: [3, 3], stride: [1, 1], padding: 'same', divisor: 'valid' },
    { name: 'relu6', type: 'relu6' },
    { name: 'padded', type: 'padding', amounts: [1, 0, 2, 1] },
    { name: 'deconv', type: 'conv2d-transpose', filters: 5, kernel: [3, 2], stride: [2, 2], padding: 'same' },
    { name: 'silu1', type: 'silu' },
    {
      name: 'dilated',
      type: 'conv2d',
      filters: 5,
      kernel: [3, 3],
      dilation: [2, 2],
      padding: [2, 2, 2, 2],
      bias: false,
    },
    { name: 'sum', type: 'add', inputs: ['dilated', 'silu1'] },
    { name: 'leaky', type: 'leaky-relu', slope: 0.1, inputs: ['deconv'] },
    { name: 'both', type: 'concat', inputs: ['sum', 'leaky'] },
    { name: 'tanh1', type: 'tanh' },
    { name: 'drop', type: 'dropout', rate: 0.5 },
    { name: 'small', type: 'max-pool', kernel: [6, 6], stride: [6, 6], rounding: 'floor' },
    { name: 'flat', type: 'flatten', order: 'hwc' },
    { name: 'fc1', type: 'dense', units: 7 },
    { name: 'sigmoid1', type: 'sigmoid' },
    { name: 'fc2', type: 'dense', units: 4, bias: false },
    { name: 'prob', type: 'softmax' },
  ],
})

function randomWeights(of: NetworkSpec): Uint8Array {
  const stream = new RandomStream(7, 'weights')
  const tensors: Record<string, SafeTensor> = {}
  for (const layer of buildGraph(of).layers) {
    for (const { name, shape } of layer.parameters) {
      const data = new Float32Array(sizeOf(shape))
      for (let index = 0; index < data.length; index++)
        data[index] = name === 'variance' ? 0.5 + stream.uniform() : 0.3 * stream.normal()
      tensors[`${layer.name}/${name}`] = { dtype: 'F32', shape, data }
    }
  }
  return encodeSafetensors(tensors)
}

async function outputOf(of: NetworkSpec, weights: Uint8Array) {
  await tf.setBackend('cpu')
  const network = Network.load(tf, of, weights)
  const input: tf.Tensor = tf.randomUniform([2, ...network.graph.input.shape] as number[], -1, 1, 'float32', 5)
  const activations = network.forward(input, { backward: false })
  const output = activations.get(network.graph.output.name)
  return { shape: output.shape, data: await output.data() }
}

describe('exports', () => {
  let folder = ''
  const weights = randomWeights(spec)
  const source = { spec, weights: sourceFileOf('weights.safetensors', weights) }
  const write = async (format: ExportFormat, name: string): Promise<string> => {
    const path = join(folder, name)
    await exportNetwork(format, source, path)
    return path
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'convscope-exports-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('ONNX computes the same when it is imported again', async () => {
    const file = openSourceFile(await write('onnx', 'network.onnx'))
    const imported = await importNetwork([file], { name: 'again' })
    expect(imported.findings.map(({ code }) => code)).toEqual(['renamed-layers'])
    expect(imported.spec).toMatchObject({ preprocessing: spec.preprocessing, classes: spec.classes, title: spec.title })
    const row = compare(
      'onnx',
      'output',
      await outputOf(imported.spec, weightsOf(imported)),
      await outputOf(spec, weights),
      {
        rtol: 1e-4,
        atolRelativeToMax: 1e-5,
      },
    )
    file.close()
    expect(row).toMatchObject({ pass: true })
  })

  it('ONNX keeps a mean picture', async () => {
    const examples = join(import.meta.dirname, '../../../tests/conformance/files')
    const names = ['tb-v2.prototxt', 'tb-v2.caffemodel', 'tb-mean.npy']
    const files = names.map((name) => openSourceFile(join(examples, name)))
    const original = await importNetwork(files, { name: 'tb' })
    const bytes = weightsOf(original)
    const path = join(folder, 'tb.onnx')
    await exportNetwork('onnx', { spec: original.spec, weights: sourceFileOf('w', bytes) }, path)
    const file = openSourceFile(path)
    const again = await importNetwork([file], { name: 'again' })
    expect(again.spec.preprocessing).toEqual(original.spec.preprocessing)
    const [before, after] = [original, again].map(({ tensors }) => tensors.get('preprocessing/mean')?.values())
    expect(after).toEqual(before)
    for (const open of [...files, file]) open.close()
  })

  it('ONNX begins with its version, says its operator set, and is the same at every writing', async () => {
    const first = await readFile(await write('onnx', 'a.onnx'))
    const second = await readFile(await write('onnx', 'b.onnx'))
    expect(first.equals(second)).toBe(true)
    // ir_version = 8, producer_name = "ConvScope"; at the end opset_import { version: 17 }.
    expect([...first.subarray(0, 4)]).toEqual([0x08, 8, 0x12, 9])
    expect([...first.subarray(-4)]).toEqual([0x42, 2, 0x10, 17])
  })

  it('a folder and an archive hold the specification and the same bytes of weights', async () => {
    const path = await write('convscope', 'own')
    expect((await readFile(join(path, 'weights.safetensors'))).equals(weights)).toBe(true)
    expect(JSON.parse(await readFile(join(path, 'network.json'), 'utf8'))).toEqual(spec)
    const zip = openSourceFile(await write('convscope', 'own.zip'))
    expect([...openZip(zip).entries.keys()]).toEqual(['network.json', 'weights.safetensors'])
    const files = [openSourceFile(join(path, 'network.json')), openSourceFile(join(path, 'weights.safetensors'))]
    for (const given of [files, [zip]]) {
      const imported = await importNetwork(given, { name: 'again' })
      expect(imported.spec).toEqual({ ...spec, name: 'again' })
      expect(Buffer.from(weightsOf(imported)).equals(Buffer.from(weights))).toBe(true)
    }
    for (const file of [...files, zip]) file.close()
  })

  it('safetensors are read again with the architecture', async () => {
    const file = openSourceFile(await write('safetensors', 'w.safetensors'))
    const imported = await importNetwork([file], { name: 'again', architecture: spec })
    expect(Buffer.from(weightsOf(imported)).equals(Buffer.from(weights))).toBe(true)
    file.close()
  })

  it('do not write over a file', async () => {
    await write('onnx', 'there.onnx')
    await expect(write('onnx', 'there.onnx')).rejects.toMatchObject({ code: 'disk' })
  })

  it('of its own form are refused where they are damaged', async () => {
    const zip = new Uint8Array(await readFile(await write('convscope', 'fuzz.zip')))
    const report = await fuzzImporter(convscope, [{ name: 'fuzz.zip', bytes: zip }])
    expect(report.refused).toBeGreaterThan(100)
    const files = [
      { name: 'network.json', bytes: new TextEncoder().encode(JSON.stringify(spec)) },
      { name: 'weights.safetensors', bytes: weights },
    ]
    const loose = await fuzzImporter(convscope, files, { mutations: 1050 })
    expect(loose.refused).toBeGreaterThan(100)
  })
})
