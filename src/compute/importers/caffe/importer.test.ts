import { describe, expect, it } from 'vitest'
import { sourceFileOf } from '../../files/source-file.ts'
import { CaseFile } from '../../network/conformance/case-file.ts'
import { failures } from '../../network/conformance/index.ts'
import { importNetwork } from '../index.ts'
import { CONFORMANCE_FOLDER, exampleBytes, exampleFiles } from '../testing/example-files.ts'
import { fuzzImporter } from '../testing/fuzz.ts'
import { activationRows, preprocessedRow } from '../testing/layer-activations.ts'
import { refusal } from '../testing/refusal.ts'
import { caffeImporter } from './importer.ts'

const options = { name: 'tb' }

function described(layers: string, input = [3, 8, 8]): string {
  return `name: "d"\ninput: "data"\ninput_shape { dim: 1 ${input.map((size) => `dim: ${size}`).join(' ')} }\n${layers}`
}

function imported(text: string) {
  return caffeImporter.read([sourceFileOf('net.prototxt', new TextEncoder().encode(text))], options)
}

describe('import of Caffe networks', () => {
  it.for([
    { files: ['tb-v2.prototxt', 'tb-v2.caffemodel', 'tb-mean.binaryproto'] },
    { files: ['tb-v1.caffemodel', 'tb-v1.prototxt', 'tb-mean.npy'] },
    { files: ['tb-v1.caffemodel'] },
    { files: ['tb-v2.prototxt', 'tb-v1.caffemodel'] },
  ])('computes what Caffe computes: $files', async ({ files }) => {
    const file = await CaseFile.read(CONFORMANCE_FOLDER, 'files-tb')
    const network = await importNetwork(exampleFiles(...files), options)
    // The dropout layer of the trained file passes its input on.
    const rows = await activationRows(network, file, file.values('x'), { flatten: 'fc3-flatten' })
    expect(failures(rows)).toEqual([])
    expect(rows).toHaveLength(12)
  })

  it('takes weights bit by bit', async () => {
    const file = await CaseFile.read(CONFORMANCE_FOLDER, 'files-tb')
    const { tensors } = await importNetwork(exampleFiles('tb-v2.prototxt', 'tb-v2.caffemodel'), options)
    for (const parameter of ['conv1/kernel', 'conv1/bias', 'conv2/kernel', 'fc4/kernel']) {
      expect(tensors.get(parameter)?.values()).toEqual(file.values(`weights/${parameter}`).data)
    }
  })

  it.for(['tb-mean.binaryproto', 'tb-mean.npy'])('subtracts the mean picture as Caffe does: %s', async (mean) => {
    const file = await CaseFile.read(CONFORMANCE_FOLDER, 'files-tb')
    const { data } = file.values('mean')
    const { spec, tensors, findings } = await importNetwork(
      exampleFiles('tb-v2.prototxt', 'tb-v2.caffemodel', mean),
      options,
    )
    expect(spec.preprocessing).toMatchObject({ channelOrder: 'bgr', scale: 1, meanImage: 'preprocessing/mean' })
    const picture = tensors.get('preprocessing/mean')?.values()
    expect(Math.max(...(picture ?? []).map((value, index) => Math.abs(value - (data[index] ?? NaN))))).toBeLessThan(
      1e-4,
    )
    for (const [channel, value] of spec.preprocessing.mean.entries()) {
      const values = Array.from(data).filter((_, index) => index % 3 === channel)
      expect(value).toBeCloseTo(values.reduce((sum, each) => sum + each, 0) / values.length, 3)
    }
    expect(findings.map(({ code }) => code)).toEqual(['caffe-preprocessing'])
    expect(await preprocessedRow({ spec, tensors, findings }, file)).toMatchObject({ pass: true })
  })

  it('warns that nothing is subtracted where no mean is given', async () => {
    const { spec, findings } = await importNetwork(exampleFiles('tb-v1.caffemodel'), options)
    expect(spec.preprocessing.mean).toEqual([])
    expect(findings).toContainEqual(expect.objectContaining({ code: 'guessed-preprocessing', severity: 'warning' }))
  })

  it('reads pooling, rectifiers and sums as Caffe means them', async () => {
    const { spec } = await imported(
      described(`
        layer { name: "p" type: "Pooling" bottom: "data" top: "p" pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 } }
        layer { name: "r" type: "ReLU" bottom: "p" top: "p" relu_param { negative_slope: 0.1 } }
        layer { name: "q" type: "Pooling" bottom: "data" top: "q" pooling_param { kernel_h: 3 kernel_w: 2 stride: 2 round_mode: FLOOR pad: 1 } }
        layer { name: "n" type: "LRN" bottom: "q" top: "n" }
        layer { name: "s" type: "Split" bottom: "p" top: "p1" top: "p2" }
        layer { name: "e" type: "Eltwise" bottom: "p1" bottom: "p2" top: "e" }
        layer { name: "c" type: "Concat" bottom: "e" bottom: "p2" top: "c" }
        layer { name: "g" type: "Pooling" bottom: "c" top: "g" pooling_param { pool: AVE global_pooling: true } }
        layer { name: "prob" type: "Softmax" bottom: "g" top: "prob" }`),
    )
    expect(spec.layers.slice(1)).toMatchObject([
      {
        name: 'p',
        type: 'avg-pool',
        kernel: [3, 3],
        stride: [2, 2],
        padding: [1, 1, 1, 1],
        rounding: 'ceil',
        divisor: 'caffe',
      },
      { name: 'r', type: 'leaky-relu' },
      { name: 'q', type: 'max-pool', inputs: ['data'], kernel: [3, 2], rounding: 'floor' },
      { name: 'n', type: 'lrn', size: 5, alpha: 1, beta: 0.75, k: 1, convention: 'caffe' },
      { name: 'e', type: 'add', inputs: ['r', 'r'] },
      { name: 'c', type: 'concat', inputs: ['e', 'r'] },
      { name: 'g', type: 'global-avg-pool' },
      { name: 'prob', type: 'softmax' },
    ])
  })

  it('keeps the branch beside an unsupported layer and leaves out what is above it', async () => {
    const { spec, findings } = await imported(
      described(`
        layer { name: "a" type: "ReLU" bottom: "data" top: "a" }
        layer { name: "roi" type: "ROIPooling" bottom: "a" top: "roi" }
        layer { name: "above" type: "Sigmoid" bottom: "roi" top: "above" }
        layer { name: "within" type: "LRN" bottom: "a" top: "w" lrn_param { norm_region: WITHIN_CHANNEL } }
        layer { name: "b" type: "TanH" bottom: "a" top: "b" }`),
    )
    expect(spec.layers.map(({ name }) => name)).toEqual(['data', 'a', 'b'])
    const unsupported = findings.filter(({ code }) => code === 'unsupported-operator')
    expect(unsupported.map(({ message }) => message)).toEqual([
      expect.stringContaining('ROIPooling (layer roi)'),
      expect.stringContaining('WITHIN_CHANNEL'),
    ])
  })

  it('leaves out the layers of training: data, losses, accuracies and what only training includes', async () => {
    const { spec } = await imported(
      described(`
        layer { name: "d" type: "Data" top: "data" top: "label" include { phase: TRAIN } }
        layer { name: "a" type: "ReLU" bottom: "data" top: "a" }
        layer { name: "t" type: "Sigmoid" bottom: "a" top: "a" include { phase: TRAIN } }
        layer { name: "acc" type: "Accuracy" bottom: "a" bottom: "label" top: "acc" }
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "a" bottom: "label" top: "loss" }`),
    )
    expect(spec.layers.map(({ type }) => type)).toEqual(['input', 'relu', 'softmax'])
  })

  it.for([
    { files: ['damaged/broken.prototxt'], code: 'damaged', message: 'line 2' },
    { files: ['damaged/unknown-layer.prototxt'], code: 'unsupported', message: 'ROIPooling (layer roi)' },
    { files: ['damaged/wrong-blob-size.caffemodel'], code: 'damaged', message: 'needs 450 values and has 440' },
    { files: ['damaged/truncated-tb-v1.caffemodel'], code: 'damaged', message: 'at byte 3010' },
    { files: ['damaged/truncated-tb-v2.caffemodel', 'tb-v2.prototxt'], code: 'damaged', message: 'at byte 3114' },
    { files: ['damaged/random-bytes.caffemodel'], code: 'damaged', message: 'random-bytes.caffemodel' },
    { files: ['damaged/image-as.caffemodel'], code: 'damaged', message: 'a PNG picture' },
    { files: ['damaged/empty-tb-v2.caffemodel'], code: 'damaged', message: 'is empty' },
    {
      files: ['tb-v2.prototxt', 'tb-v2.caffemodel', 'damaged/truncated-tb-mean.binaryproto'],
      code: 'damaged',
      message: 'truncated-tb-mean.binaryproto',
    },
    { files: ['tb-mean.binaryproto'], code: 'invalid-input', message: 'without the network' },
    { files: ['tb-v2.caffemodel'], code: 'invalid-input', message: 'how large the pictures are' },
    {
      files: ['tb-v2.prototxt'],
      code: 'damaged',
      message: 'layer conv1: its kernel of [5, 5, 3, 6] is not in the file',
    },
    { files: ['tb-v2.prototxt', 'tb-v1.prototxt'], code: 'invalid-input', message: 'are both the description' },
  ])('refuses $files', async ({ files, code, message }) => {
    const error = await refusal(importNetwork(exampleFiles(...files), options))
    expect(error.code).toBe(code)
    expect(error.message).toContain(message)
    expect(error.remedy).toBeDefined()
  })

  it('names both shapes where weights do not belong to the description', async () => {
    const [prototxt, model] = exampleBytes('tb-v2.prototxt', 'tb-v2.caffemodel')
    const changed = new TextDecoder().decode(prototxt?.bytes).replace('num_output: 10', 'num_output: 12')
    const files = [
      sourceFileOf('net.prototxt', new TextEncoder().encode(changed)),
      sourceFileOf('m.caffemodel', model?.bytes ?? new Uint8Array()),
    ]
    const error = await refusal(importNetwork(files, options))
    expect(error.message).toContain('layer fc3')
    expect(error.message).toContain('[128, 10]')
    expect(error.message).toContain('[128, 12]')
  })

  // Each of the files at least 500 times.
  it.for([
    { names: ['tb-v2.prototxt', 'tb-v2.caffemodel', 'tb-mean.binaryproto'], mutations: 1600 },
    { names: ['tb-v1.caffemodel'], mutations: 500 },
  ])('refuses or reads damaged copies of $names, soon', async ({ names, mutations }) => {
    const { refused, read } = await fuzzImporter(caffeImporter, exampleBytes(...names), { mutations })
    expect(refused).toBeGreaterThan(100)
    expect(read + refused).toBe(mutations)
  })
})
