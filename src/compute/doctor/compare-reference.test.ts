import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { LayerSpec, NetworkSpec, Preprocessing } from '../../shared/network/spec.ts'
import { encodeNpy } from '../../shared/npy.ts'
import { sizeOf } from '../../shared/size-of.ts'
import { startCpu } from '../engines/cpu.ts'
import type { Engine } from '../engines/engine.ts'
import { sourceFileOf } from '../files/source-file.ts'
import { storedSpec } from '../importers/testing/stored-spec.ts'
import { CaseFile } from '../network/conformance/case-file.ts'
import { Network } from '../network/network.ts'
import { encodeSafetensors, type SafeTensor } from '../network/safetensors.ts'
import { compareReference } from './compare-reference.ts'
import { readReference, type ReferenceArray } from './reference-file.ts'

let engine: Engine
let file: CaseFile
let network: Network | undefined
beforeAll(async () => {
  engine = await startCpu()
  file = await CaseFile.read(join(import.meta.dirname, '../../../tests/conformance'), 'files-tb')
})
afterEach(() => {
  network?.dispose()
  network = undefined
})

const PREPROCESSING: Preprocessing = {
  channelOrder: 'bgr',
  scale: 1,
  mean: [],
  std: [],
  meanImage: 'preprocessing/mean',
}

/** The stored network with its mean picture; `change` alters layers. */
function load(preprocessing: Preprocessing, change: (layer: LayerSpec) => LayerSpec = (layer) => layer): Network {
  const stored = storedSpec(file)
  const spec: NetworkSpec = { ...stored, preprocessing, layers: stored.layers.map(change) }
  const tensors: Record<string, SafeTensor> = {}
  for (const name of ['mean', ...file.arrayNames.filter((array) => array.startsWith('weights/'))]) {
    const { shape, data } = file.values(name)
    const path = name === 'mean' ? 'preprocessing/mean' : name.slice('weights/'.length)
    tensors[path] = { dtype: 'F32', shape, data: Float32Array.from(data) }
  }
  network = Network.load(engine.tf, spec, encodeSafetensors(tensors))
  return network
}

/** Activations of the first picture, maps with their channels first as other programs save them. */
function reference(...names: string[]): Map<string, ReferenceArray> {
  return new Map(
    names.map((name) => {
      const { shape, data } = file.values(name === 'input' ? 'x' : `act/${name}`)
      const [, ...sizes] = shape
      const size = sizeOf(sizes)
      const first = Float32Array.from(Array.from(data).slice(0, size))
      const [height = 1, width = 1, channels = 1] = sizes
      if (sizes.length === 1) return [name, { shape: sizes, values: first }]
      const values = first.map((_, index) => {
        const place = index % (height * width)
        return first[place * channels + Math.floor(index / (height * width))] ?? 0
      })
      return [name, { shape: [1, channels, height, width], values }]
    }),
  )
}

function picture() {
  const { data } = file.values('pixels')
  return { shape: [16, 16, 3] as const, data: Float32Array.from(Array.from(data).slice(0, 768)) }
}

const LAYERS = ['conv1', 'relu1', 'norm1', 'pool1', 'conv2', 'relu2', 'pool2', 'fc3', 'fc4', 'prob']

describe('compareReference', () => {
  it('finds that everything fits, from the picture on', async () => {
    const before = engine.memory().tensors
    const { comparison, findings } = await compareReference(
      engine,
      load(PREPROCESSING),
      reference(...LAYERS),
      picture(),
    )
    expect(comparison.layers.map(({ layer, fits }) => [layer, fits])).toEqual(LAYERS.map((layer) => [layer, true]))
    expect(Math.max(...comparison.layers.map(({ deviation }) => deviation))).toBeLessThan(1e-5)
    expect(comparison.firstDeviating).toBeUndefined()
    expect(comparison.pipelines[0]).toMatchObject({ own: true, description: 'BGR, 0…255 less the mean picture' })
    expect(findings).toMatchObject([{ code: 'reference-preprocessing-fits' }])
    network?.dispose()
    network = undefined
    expect(engine.memory().tensors).toBe(before)
  })

  it('tells another preprocessing from wrong layers', async () => {
    const wrong = { ...PREPROCESSING, channelOrder: 'rgb' as const }
    const alone = await compareReference(engine, load(wrong), reference('conv1', 'pool1'), picture())
    expect(alone.findings[0]).toMatchObject({ code: 'reference-preprocessing-unknown', severity: 'warning' })
    expect(alone.comparison.firstDeviating).toBe('conv1')
    // With the input itself the layers are seen to be right.
    const { comparison, findings } = await compareReference(
      engine,
      load(wrong),
      reference('input', ...LAYERS),
      picture(),
    )
    expect(comparison.firstDeviating).toBeUndefined()
    expect(findings.map(({ code }) => code)).toEqual(['reference-preprocessing-unknown'])
  })

  it('names the pipeline that the reference was made with', async () => {
    const plain: Preprocessing = { channelOrder: 'rgb', scale: 1 / 255, mean: [], std: [] }
    const other = load({ channelOrder: 'bgr', scale: 1, mean: [], std: [] })
    const x = engine.tf.tensor(
      picture().data.map((_, index) => picture().data[index - (index % 3) + 2 - (index % 3)] ?? 0),
      [1, 16, 16, 3],
    )
    const activations = other.forward(x, { to: 'conv1' })
    const values = Float32Array.from(await activations.get('conv1').data<'float32'>())
    activations.dispose()
    x.dispose()
    other.dispose()
    const made = new Map([['conv1', { shape: [16, 16, 6], values }]])
    const { comparison, findings } = await compareReference(engine, load(plain), made, picture())
    expect(comparison.pipelines[0]).toMatchObject({ own: false, description: 'BGR, 0…255' })
    expect(findings).toMatchObject([{ code: 'reference-preprocessing', severity: 'warning', message: /"BGR, 0…255"/ }])
    expect(comparison.layers).toMatchObject([{ layer: 'conv1', fits: true }])
  })

  it.each<[string, (layer: LayerSpec) => LayerSpec, string]>([
    ['lrn-convention', (layer) => (layer.type === 'lrn' ? { ...layer, convention: 'krizhevsky' } : layer), 'norm1'],
    ['flatten-order', (layer) => (layer.type === 'flatten' ? { ...layer, order: 'chw' } : layer), 'fc3'],
  ])('names the first layer that deviates, and what makes it fit: %s', async (code, change, layer) => {
    const { comparison, findings } = await compareReference(
      engine,
      load(PREPROCESSING, change),
      reference('input', ...LAYERS),
      undefined,
    )
    expect(comparison.firstDeviating).toBe(layer)
    expect(findings).toMatchObject([
      { code: 'reference-deviates', layer },
      { code, layer },
    ])
  })

  it('takes a flatten layer in either order, for the layers above it tell', async () => {
    const values = reference('pool2').get('pool2')?.values ?? new Float32Array()
    expect(values).not.toEqual(reference('flatten').get('flatten')?.values)
    const turned = new Map([...reference('input', 'fc3'), ['flatten', { shape: [1, 128], values }] as const])
    const { comparison, findings } = await compareReference(engine, load(PREPROCESSING), turned, undefined)
    expect(comparison.layers.map(({ layer, fits }) => [layer, fits])).toEqual([
      ['input', true],
      ['flatten', true],
      ['fc3', true],
    ])
    expect(findings).toEqual([])
  })

  it('takes a convolution rectified in place for one that fits', async () => {
    const inPlace = new Map(
      [...reference('input'), ...reference('relu1')].map(([name, array]) => [name === 'relu1' ? 'conv1' : name, array]),
    )
    const { comparison } = await compareReference(engine, load(PREPROCESSING), inPlace, undefined)
    expect(comparison.layers).toMatchObject([
      { layer: 'input', fits: true },
      { layer: 'conv1', fits: true },
    ])
  })

  it('says what is missing', async () => {
    const tb = load(PREPROCESSING)
    const strange = new Map([['features.0', { shape: [4], values: new Float32Array(4) }]])
    const unknown = await compareReference(engine, tb, strange, picture())
    expect(unknown.comparison.unknown).toEqual(['features.0'])
    expect(unknown.findings).toMatchObject([{ code: 'reference-not-comparable', message: /no layer of this network/ }])
    const bare = await compareReference(engine, tb, reference('conv1'), undefined)
    expect(bare.findings[0]?.message).toMatch(/no picture was given/)
  })
})

describe('readReference', () => {
  const npy = sourceFileOf('conv1.npy', encodeNpy([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)))

  it('reads the array of one layer', () => {
    expect(readReference(npy, 'conv1').get('conv1')).toMatchObject({ shape: [2, 3] })
    expect(() => readReference(npy)).toThrow(/does not say which layer/)
  })

  it('refuses what is neither', () => {
    expect(() => readReference(sourceFileOf('notes.txt', new Uint8Array(20)))).toThrow(/notes.txt is neither/)
  })
})
