import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { sourceFileOf } from '../../files/source-file.ts'
import { CaseFile } from '../../network/conformance/case-file.ts'
import { failures } from '../../network/conformance/index.ts'
import { importNetwork } from '../index.ts'
import { CONFORMANCE_FOLDER, exampleBytes, exampleFiles } from '../testing/example-files.ts'
import { fuzzImporter } from '../testing/fuzz.ts'
import { redFirst } from '../testing/imported-cases.ts'
import { activationRows } from '../testing/layer-activations.ts'
import { refusal } from '../testing/refusal.ts'
import { matconvnetImporter } from './importer.ts'

const options = { name: 'tb' }
const FILES = ['tb-matconvnet.mat', 'tb-matconvnet-old.mat', 'tb-matconvnet-v73.mat']

function header(): Buffer {
  const bytes = Buffer.alloc(128, ' ')
  bytes.write('MATLAB 5.0 MAT-file')
  bytes.writeUInt16LE(0x0100, 124)
  bytes.write('IM', 126)
  return bytes
}

function element(type: number, data: Uint8Array): Buffer {
  const tag = Buffer.alloc(8)
  tag.writeUInt32LE(type, 0)
  tag.writeUInt32LE(data.byteLength, 4)
  return Buffer.concat([tag, data])
}

describe('import of MatConvNet networks', () => {
  it.for(FILES)('computes what MatConvNet computes: %s', async (name) => {
    const file = await CaseFile.read(CONFORMANCE_FOLDER, 'files-tb')
    const network = await importNetwork(exampleFiles(name), options)
    const rows = await activationRows(network, file, redFirst(file.values('x')), { flatten: 'fc3-flatten' })
    expect(failures(rows)).toEqual([])
    expect(rows).toHaveLength(12)
  })

  it.for(FILES)('reads classes, colours and means: %s', async (name) => {
    const file = await CaseFile.read(CONFORMANCE_FOLDER, 'files-tb')
    const { spec } = await importNetwork(exampleFiles(name), options)
    expect(spec.classes).toEqual([0, 1, 2, 3, 4].map((index) => `class ${index}, süß`))
    expect(spec.preprocessing).toMatchObject({ channelOrder: 'rgb', scale: 1 })
    const blues = Array.from(file.values('mean').data).filter((_, index) => index % 3 === 0)
    const blue = blues.reduce((sum, value) => sum + value, 0) / blues.length
    expect(spec.preprocessing.mean[2]).toBeCloseTo(blue, 3)
  })

  it('reads strides, padding on four sides and one mean a channel', async () => {
    const { spec } = await importNetwork(exampleFiles('matconvnet-small-v73.mat'), options)
    expect(spec.layers).toMatchObject([
      { type: 'input', shape: [6, 5, 3] },
      { name: 'conv1', type: 'conv2d', filters: 4, kernel: [3, 2], stride: [2, 1], padding: [1, 0, 1, 0] },
      { name: 'prob', type: 'softmax' },
    ])
    expect(spec.preprocessing.mean).toEqual([120, 110, 100])
  })

  it('computes what a graph of layers (DagNN) computes', async () => {
    const file = await CaseFile.read(CONFORMANCE_FOLDER, 'files-matconvnet-dag')
    const network = await importNetwork(exampleFiles('matconvnet-dag.mat'), options)
    const rows = await activationRows(network, file, file.values('x'))
    expect(failures(rows)).toEqual([])
    expect(rows).toHaveLength(12)
    expect(network.findings).toEqual([])
    expect(network.spec.layers.at(-1)).toMatchObject({ name: 'prob', type: 'softmax' })
    expect(network.spec.layers.find(({ name }) => name === 'fc')?.type).toBe('dense')
    expect(network.spec.preprocessing.mean).toEqual([120, 110, 100])
    expect(network.spec.classes[4]).toBe('class 4')
  })

  it('keeps of a graph what does not stand above an unknown block, and names the block', async () => {
    const [file] = exampleBytes('matconvnet-dag.mat')
    const bytes = Buffer.from(file?.bytes ?? [])
    bytes.write('dagnn.LRX', bytes.indexOf('dagnn.LRN'))
    const { spec, findings } = await importNetwork([sourceFileOf('dag.mat', bytes)], options)
    expect(spec.layers.map(({ name }) => name)).toEqual(['input', 'conv1', 'bn1', 'relu1', 'branch', 'sum', 'mean'])
    expect(findings[0]?.message).toContain('dagnn.LRX (layer norm)')
  })

  it.for([
    { file: 'damaged/truncated-tb-matconvnet.mat', message: 'an element claims' },
    { file: 'damaged/truncated-tb-matconvnet-v73.mat', message: 'truncated-tb-matconvnet-v73.mat' },
    { file: 'damaged/wrong-endian-mark.mat', message: 'byte order "XX"' },
    { file: 'damaged/v4-or-garbage.mat', message: 'no MAT-file' },
  ])('refuses $file', async ({ file, message }) => {
    const error = await refusal(importNetwork(exampleFiles(file), options))
    expect(error.code).toBe('damaged')
    expect(error.message).toContain(message)
    expect(error.remedy).toBeDefined()
  })

  it('refuses a compressed bomb by the size that it claims, without making room for it', async () => {
    const claim = Buffer.alloc(8)
    claim.writeUInt32LE(14, 0)
    claim.writeUInt32LE(0xf000_0000, 4)
    const bomb = Buffer.concat([header(), element(15, deflateSync(Buffer.concat([claim, Buffer.alloc(2 ** 20)])))])
    const error = await refusal(importNetwork([sourceFileOf('bomb.mat', bomb)], options))
    expect(error.code).toBe('too-large')
  })

  it('stops inflating where the data are longer than they claim', async () => {
    const claim = Buffer.alloc(8)
    claim.writeUInt32LE(14, 0)
    claim.writeUInt32LE(64, 4)
    const bomb = Buffer.concat([header(), element(15, deflateSync(Buffer.concat([claim, Buffer.alloc(2 ** 24)])))])
    const error = await refusal(importNetwork([sourceFileOf('bomb.mat', bomb)], options))
    expect(error).toMatchObject({ code: 'damaged' })
    expect(error.message).toContain('longer than the 72 bytes')
  })

  // Of the larger file of version 7.3 a small one has every part: the library needs long for each value.
  it.for([
    ['tb-matconvnet.mat', 500],
    ['tb-matconvnet-old.mat', 150],
    ['matconvnet-dag.mat', 300],
    ['matconvnet-small-v73.mat', 500],
  ] as const)('refuses or reads damaged copies of %s, soon', async ([name, mutations]) => {
    const { refused, read } = await fuzzImporter(matconvnetImporter, exampleBytes(name), { mutations })
    expect(refused).toBeGreaterThan(mutations / 10)
    expect(read + refused).toBe(mutations)
  })
})
