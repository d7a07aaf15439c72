import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import { ConvScopeError } from '../../../shared/errors.ts'
import { sourceFileOf, type SourceFile } from '../../files/source-file.ts'
import { CaseFile } from '../../network/conformance/case-file.ts'
import { failures } from '../../network/conformance/index.ts'
import { compare } from '../../network/conformance/rows.ts'
import { importNetwork } from '../index.ts'
import { CONFORMANCE_FOLDER, exampleBytes, exampleFiles } from '../testing/example-files.ts'
import { fuzzImporter } from '../testing/fuzz.ts'
import { activationRows, weightsOf } from '../testing/layer-activations.ts'
import { storedSpec } from '../testing/stored-spec.ts'
import { Network } from '../../network/network.ts'
import { tfjsLayers } from '../tfjs-layers/tfjs-layers.ts'
import { keras } from './keras.ts'

const TFJS = ['ta-tfjs/model.json', 'ta-tfjs/group1-shard1of2.bin', 'ta-tfjs/group1-shard2of2.bin']

async function refusal(work: Promise<unknown>): Promise<ConvScopeError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof ConvScopeError) return error
  throw new Error(`no ConvScopeError but ${String(error)}`)
}

/** What TensorFlow.js saves of a model, as files. */
async function saved(model: tf.LayersModel): Promise<SourceFile[]> {
  let artifacts: tf.io.ModelArtifacts | undefined
  await model.save({
    save: (given) => {
      artifacts = given
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } })
    },
  })
  const { modelTopology, weightSpecs, weightData } = artifacts ?? {}
  const bytes = tf.io.CompositeArrayBuffer.join(weightData ?? [])
  const json = { format: 'layers-model', modelTopology, weightsManifest: [{ paths: ['w.bin'], weights: weightSpecs }] }
  return [
    sourceFileOf('model.json', new TextEncoder().encode(JSON.stringify(json))),
    sourceFileOf('w.bin', new Uint8Array(bytes)),
  ]
}

/** Weights that are no constants, so that a wrong order shows. */
function randomise(model: tf.LayersModel): void {
  model.setWeights(
    model.getWeights().map((weight, index) => {
      const noise: tf.Tensor = tf.randomUniform(weight.shape, -0.5, 0.5, 'float32', index + 1)
      return model.weights[index]?.name.includes('variance') ? tf.add(tf.abs(noise), 0.5) : noise
    }),
  )
}

async function expectSame(model: tf.LayersModel, files: readonly SourceFile[]): Promise<void> {
  const imported = await importNetwork(files, { name: 'x' })
  const network = Network.load(tf, imported.spec, weightsOf(imported))
  const input: tf.Tensor = tf.randomUniform(
    [2, ...(model.inputs[0]?.shape.slice(1) ?? [])] as number[],
    -1,
    1,
    'float32',
    99,
  )
  const expected = model.predict(input) as tf.Tensor
  const activations = network.forward(input, { backward: false })
  const actual = activations.get(network.graph.output.name)
  const values = async (tensor: tf.Tensor) => ({ shape: tensor.shape, data: await tensor.data() })
  const row = compare('model', 'output', await values(actual), await values(expected), {
    rtol: 1e-4,
    atolRelativeToMax: 1e-5,
  })
  expect(row).toMatchObject({ pass: true })
  expect(imported.findings.filter(({ severity }) => severity === 'error')).toEqual([])
}

/** `.h5` and `model.json` need layers; this is the smallest. */
function described(...layers: readonly object[]): SourceFile[] {
  const json = {
    modelTopology: { class_name: 'Sequential', config: { name: 'small', layers } },
    weightsManifest: [{ paths: ['w.bin'], weights: [] }],
  }
  return [
    sourceFileOf('model.json', new TextEncoder().encode(JSON.stringify(json))),
    sourceFileOf('w.bin', new Uint8Array(4)),
  ]
}

const pool = (config: object = {}) => ({
  class_name: 'MaxPooling2D',
  config: { name: 'pool', pool_size: 2, batch_input_shape: [null, 8, 8, 3], ...config },
})

describe('import of Keras and TensorFlow.js models', () => {
  it.for([
    { files: ['ta.keras'], stored: 'files-ta', count: 10 },
    { files: ['ta-keras3-legacy.h5'], stored: 'files-ta', count: 10 },
    { files: ['ta-keras2.h5'], stored: 'files-ta', count: 10 },
    { files: TFJS, stored: 'files-ta', count: 10 },
    { files: ['tk.keras'], stored: 'files-tk', count: 11 },
    { files: ['tk-keras3-legacy.h5'], stored: 'files-tk', count: 11 },
  ])('computes what Keras computes: $files.0', async ({ files, stored, count }) => {
    const file = await CaseFile.read(CONFORMANCE_FOLDER, stored)
    const imported = await importNetwork(exampleFiles(...files), { name: 'x' })
    const rows = await activationRows(imported, file, file.values('x'))
    expect(failures(rows)).toEqual([])
    expect(rows).toHaveLength(count)
    expect(imported.findings.map(({ code }) => code)).toEqual(['guessed-preprocessing'])
  })

  it.for([
    { files: ['keras-nested.keras'], stored: 'files-keras-nested', count: 5 },
    { files: ['keras-nested.h5'], stored: 'files-keras-nested', count: 5 },
    { files: ['keras-transfer.keras'], stored: 'files-keras-transfer', count: 2 },
  ])('computes what Keras computes with models within models: $files.0', async ({ files, stored, count }) => {
    const file = await CaseFile.read(CONFORMANCE_FOLDER, stored)
    const imported = await importNetwork(exampleFiles(...files), { name: 'x' })
    const rows = await activationRows(imported, file, file.values('x'))
    expect(failures(rows)).toEqual([])
    expect(rows).toHaveLength(count)
    expect(imported.spec.layers.map(({ name }) => name)).toContain('block.inner.depth')
    expect(imported.findings.filter(({ severity }) => severity === 'error')).toEqual([])
  })

  it('takes models of TensorFlow.js within models, and names what it cannot take apart', async () => {
    await tf.setBackend('cpu')
    const { layers } = tf
    const inner = (activation: 'relu' | 'tanh'): tf.Sequential =>
      tf.sequential({
        layers: [
          layers.conv2d({
            inputShape: [7, 7, 3],
            filters: 3,
            kernelSize: 3,
            padding: 'same',
            name: `conv-${activation}`,
            activation,
          }),
        ],
      })
    const model = tf.sequential({
      layers: [inner('relu'), inner('tanh'), layers.flatten(), layers.dense({ units: 2 })],
    })
    randomise(model)
    await expectSame(model, await saved(model))
    const endless = (depth: number): object =>
      depth === 0 ? pool() : { class_name: 'Sequential', config: { name: 'deeper', layers: [endless(depth - 1)] } }
    const error = await refusal(importNetwork(described(endless(12)), { name: 'x' }))
    expect(error.message).toMatch(/lie in one another more than/)
  })

  it.for(['ta.weights.h5', 'ta-keras2-weights.h5'])('takes weights alone with an architecture: %s', async (name) => {
    const file = await CaseFile.read(CONFORMANCE_FOLDER, 'files-ta')
    const imported = await importNetwork(exampleFiles(name), { name: 'x', architecture: storedSpec(file) })
    const rows = await activationRows(imported, file, file.values('x'))
    expect(failures(rows)).toEqual([])
    expect(rows).toHaveLength(10)
    const error = await refusal(importNetwork(exampleFiles(name), { name: 'x' }))
    expect(error.remedy).toMatch(/model\.save\("model\.keras"\)/)
  })

  it('computes what TensorFlow.js computes for branches, depthwise, separable, transposed and normalised layers', async () => {
    await tf.setBackend('cpu')
    const { layers } = tf
    const input = tf.input({ shape: [9, 10, 3] })
    const apply = (layer: tf.layers.Layer, x: tf.SymbolicTensor | tf.SymbolicTensor[]) =>
      layer.apply(x) as tf.SymbolicTensor
    const a = apply(
      layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same', activation: 'elu' }),
      input,
    )
    const b = apply(
      layers.separableConv2d({ filters: 6, kernelSize: [3, 2], padding: 'same', useBias: true, activation: 'tanh' }),
      input,
    )
    const c = apply(layers.concatenate(), [apply(layers.batchNormalization({ scale: false }), a), b])
    const d = apply(
      layers.leakyReLU({ alpha: 0.1 }),
      apply(
        layers.zeroPadding2d({
          padding: [
            [1, 0],
            [2, 1],
          ],
        }),
        c,
      ),
    )
    const e = apply(layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, dilationRate: 1, activation: 'sigmoid' }), d)
    const f = apply(layers.conv2dTranspose({ filters: 4, kernelSize: 2, strides: 3, padding: 'valid' }), e)
    const g = apply(layers.conv2d({ filters: 4, kernelSize: 2, dilationRate: 2, padding: 'same', useBias: false }), f)
    const h = apply(layers.add(), [f, apply(layers.reLU({ maxValue: 6 }), g)])
    const i = apply(
      layers.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
      apply(layers.upSampling2d({ size: [2, 1] }), h),
    )
    const j = apply(layers.dense({ units: 5, activation: 'relu' }), i)
    const k = apply(layers.globalAveragePooling2d({}), apply(layers.dropout({ rate: 0.4 }), j))
    const l = apply(layers.dense({ units: 3, activation: 'softmax' }), k)
    const model = tf.model({ inputs: input, outputs: l })
    randomise(model)
    await expectSame(model, await saved(model))
  })

  it('restores quantised weights', async () => {
    const weights = [
      {
        name: 'c/kernel',
        shape: [1, 1, 1, 3],
        dtype: 'float32',
        quantization: { dtype: 'uint8', scale: 0.5, min: -1 },
      },
      { name: 'c/bias', shape: [3], dtype: 'float32', quantization: { dtype: 'float16' } },
    ]
    const layer = {
      class_name: 'Conv2D',
      config: { name: 'c', filters: 3, kernel_size: 1, batch_input_shape: [null, 2, 2, 1] },
    }
    const json = {
      modelTopology: { class_name: 'Sequential', config: [layer] },
      weightsManifest: [{ paths: ['a/w.bin'], weights }],
    }
    const bytes = new Uint8Array(9)
    bytes.set([0, 1, 255])
    bytes.set(new Uint8Array(Uint16Array.of(0x3c00, 0xc500, 0).buffer), 3)
    const files = [
      sourceFileOf('model.json', new TextEncoder().encode(JSON.stringify(json))),
      sourceFileOf('w.bin', bytes),
    ]
    const { tensors } = await importNetwork(files, { name: 'x' })
    expect([...(tensors.get('c/kernel')?.values() ?? [])]).toEqual([-1, -0.5, 126.5])
    expect([...(tensors.get('c/bias')?.values() ?? [])]).toEqual([1, -5, 0])
  })

  it('takes rescaling and normalisation at the beginning into the preprocessing', async () => {
    const files = described(
      {
        class_name: 'Rescaling',
        config: { name: 'r', scale: 1 / 127.5, offset: -1, batch_input_shape: [null, 8, 8, 3] },
      },
      { class_name: 'Normalization', config: { name: 'n', mean: [0.5, 0, -0.5], variance: [4, 1, 0.25] } },
      pool(),
    )
    const { spec, findings } = await importNetwork(files, { name: 'x' })
    const { scale, mean, std } = spec.preprocessing
    // ((v / 127.5 - 1) - mean) / sqrt(variance)
    expect(scale).toBeCloseTo(1 / 127.5, 12)
    expect(mean).toEqual([1.5, 1, 0.5])
    expect(std).toEqual([2, 1, 0.5])
    expect(spec.layers.map(({ name }) => name)).toEqual(['input', 'pool'])
    expect(findings).toEqual([])
  })

  it('opens the network up to a layer that ConvScope does not have, and names it', async () => {
    const files = described(
      pool(),
      { class_name: 'Lambda', config: { name: 'trick', function: ['evil'] } },
      pool({ name: 'after' }),
    )
    const { spec, findings } = await importNetwork(files, { name: 'x' })
    expect(spec.layers.map(({ name }) => name)).toEqual(['input', 'pool'])
    expect(findings.map(({ code, message }) => `${code}: ${message}`)).toContainEqual(
      expect.stringMatching(/^unsupported-operator: .*Lambda \(layer trick\)/),
    )
    const nothing = await refusal(
      importNetwork(described({ class_name: 'LSTM', config: { name: 'l', batch_input_shape: [null, 8, 8] } }), {
        name: 'x',
      }),
    )
    expect(nothing.code).toBe('unsupported')
    expect(nothing.message).toMatch(/LSTM \(layer l\)/)
  })

  it('names a missing shard, a missing weight and an open input size', async () => {
    const [json] = exampleFiles(...TFJS)
    const shard = await refusal(importNetwork(json === undefined ? [] : [json], { name: 'x' }))
    expect(shard.message).toMatch(/model\.json needs group1-shard1of2\.bin/)
    const conv = {
      class_name: 'Conv2D',
      config: { name: 'c', filters: 3, kernel_size: 1, batch_input_shape: [null, 2, 2, 1] },
    }
    const weight = await refusal(importNetwork(described(conv), { name: 'x' }))
    expect(weight.message).toMatch(/layer c: its kernel of \[1, 1, 1, 3\] is not in the file/)
    const open = await refusal(
      importNetwork(described(pool({ batch_input_shape: [null, null, null, 3] })), { name: 'x' }),
    )
    expect(open.message).toMatch(/\[null,null,null,3\], and not a fixed height/)
  })

  it.for<[string, RegExp]>([
    ['truncated-ta-keras2.h5', /structure is broken or it ends early/],
    ['truncated-ta.keras', /directory is missing/],
  ])('refuses damaged files: %s', async ([name, message]) => {
    const error = await refusal(importNetwork(exampleFiles(`damaged/${name}`), { name: 'x' }))
    expect(error.code).toBe('damaged')
    expect(error.message).toContain(name)
    expect(error.message).toMatch(message)
  })

  it.for([
    { files: ['ta.keras'], importer: keras, mutations: 500 },
    { files: ['ta-keras2.h5'], importer: keras, mutations: 500 },
    // Each of the files at least 500 times.
    { files: TFJS, importer: tfjsLayers, mutations: 1600 },
  ])('never crashes, hangs or grows when bytes are changed: $files.0', async ({ files, importer, mutations }) => {
    const report = await fuzzImporter(importer, exampleBytes(...files), { mutations })
    expect(report.refused).toBeGreaterThan(50)
  })

  it('never crashes, hangs or grows when bytes of weights alone are changed', async () => {
    const architecture = storedSpec(await CaseFile.read(CONFORMANCE_FOLDER, 'files-ta'))
    const report = await fuzzImporter(keras, exampleBytes('ta.weights.h5'), { architecture })
    expect(report.refused).toBeGreaterThan(50)
  })
})
