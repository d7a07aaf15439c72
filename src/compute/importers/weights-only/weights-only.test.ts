import { deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { ConvScopeError } from '../../../shared/errors.ts'
import { MEAN_IMAGE_TENSOR, type NetworkSpec, type Preprocessing } from '../../../shared/network/spec.ts'
import { sizeOf } from '../../../shared/size-of.ts'
import { sourceFileOf } from '../../files/source-file.ts'
import { CaseFile } from '../../network/conformance/case-file.ts'
import { failures } from '../../network/conformance/index.ts'
import { architectureNamed } from '../../network/architectures/index.ts'
import { buildGraph } from '../../network/graph.ts'
import { encodeSafetensors, type SafeTensor } from '../../network/safetensors.ts'
import { storedTensors } from '../../network/weights.ts'
import { importNetwork } from '../index.ts'
import { pytorch } from '../pytorch/pytorch.ts'
import { CONFORMANCE_FOLDER, exampleBytes, exampleFiles } from '../testing/example-files.ts'
import { fuzzImporter } from '../testing/fuzz.ts'
import { activationRows } from '../testing/layer-activations.ts'
import { storedSpec } from '../testing/stored-spec.ts'
import { npz } from './npz.ts'
import { safetensors } from './safetensors.ts'

const ta = await CaseFile.read(CONFORMANCE_FOLDER, 'files-ta')
const tb = await CaseFile.read(CONFORMANCE_FOLDER, 'files-tb')

async function refusal(work: Promise<unknown>): Promise<ConvScopeError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof ConvScopeError) return error
  throw new Error(`no ConvScopeError but ${String(error)}`)
}

/** A safetensors file of zeros. */
function zeros(shapes: Readonly<Record<string, readonly number[]>>, name = 'weights.safetensors') {
  const tensors = Object.entries(shapes).map(([key, shape]): [string, SafeTensor] => {
    const count = sizeOf(shape)
    return [key, { dtype: 'F32', shape, data: new Float32Array(count) }]
  })
  return [sourceFileOf(name, encodeSafetensors(Object.fromEntries(tensors)))]
}

/** Layers of TA under other names. */
function renamed(spec: NetworkSpec): NetworkSpec {
  return { ...spec, layers: spec.layers.map((layer) => ({ ...layer, name: `x-${layer.name}` })) }
}

describe('files that hold only weights', () => {
  it.for([
    { file: 'ta.pth', stored: ta },
    { file: 'ta-legacy.pth', stored: ta },
    { file: 'ta-checkpoint.pth', stored: ta },
    { file: 'ta.safetensors', stored: ta },
    { file: 'ta.npz', stored: ta },
    { file: 'ta-compressed.npz', stored: ta },
    { file: 'tb.pth', stored: tb },
    { file: 'tb-legacy.pth', stored: tb },
    { file: 'tb.safetensors', stored: tb },
  ])('compute what their own library computes: $file', async ({ file, stored }) => {
    const imported = await importNetwork(exampleFiles(file), { name: 'x', architecture: storedSpec(stored) })
    const rows = await activationRows(imported, stored, stored.values('x'))
    expect(failures(rows)).toEqual([])
    expect(rows).toHaveLength(stored === ta ? 10 : 12)
    expect(imported.spec.name).toBe('x')
    for (const [path, { values }] of imported.tensors) expect(values()).toEqual(stored.values(`weights/${path}`).data)
  })

  it.for(['ta.npz', 'ta-compressed.npz', 'ta.weights.h5', 'ta-keras2-weights.h5'])(
    'go to a network that flattens by channels first, though their program does not: %s',
    async (file) => {
      const stored = storedSpec(ta)
      const layers = stored.layers.map((layer) =>
        layer.type === 'flatten' ? { ...layer, order: 'chw' as const } : layer,
      )
      const options = { name: 'x', architecture: { ...stored, layers } }
      const { tensors } = await importNetwork(exampleFiles(file), options)
      const torch = await importNetwork(exampleFiles('ta.pth'), options)
      for (const [path, { values }] of torch.tensors) expect(tensors.get(path)?.values()).toEqual(values())
      expect(tensors.get('fc3/kernel')?.values()).not.toEqual(ta.values('weights/fc3/kernel').data)
    },
  )

  it('take the mean picture of their architecture where they hold it, else the averages of its channels', async () => {
    const stored = storedSpec(tb)
    const preprocessing = {
      ...stored.preprocessing,
      mean: [1, 2, 3],
      meanImage: MEAN_IMAGE_TENSOR,
    } satisfies Preprocessing
    const options = { name: 'x', architecture: { ...stored, preprocessing } }
    const without = await importNetwork(exampleFiles('tb.pth'), options)
    expect(without.spec.preprocessing).toEqual({ ...stored.preprocessing, mean: [1, 2, 3] })
    expect(without.findings).toMatchObject([{ code: 'mean-picture-missing', severity: 'warning', message: /^tb\.pth/ }])
    const parameters = storedTensors(buildGraph(options.architecture))
    const held = await importNetwork(
      zeros(Object.fromEntries(parameters.map(({ path, shape }) => [path, shape]))),
      options,
    )
    expect(held.findings).toEqual([])
    expect(held.spec.preprocessing).toEqual(preprocessing)
    expect(held.tensors.get(MEAN_IMAGE_TENSOR)?.shape).toEqual([16, 16, 3])
  })

  it('are given to the layers in their order where no name fits, and say so', async () => {
    const architecture = renamed(storedSpec(ta))
    const { tensors, findings } = await importNetwork(exampleFiles('ta.pth'), { name: 'x', architecture })
    expect(findings.map(({ code }) => code)).toEqual(['bound-by-order'])
    expect(tensors.get('x-fc3/kernel')?.values()).toEqual(ta.values('weights/fc3/kernel').data)
  })

  it('are refused where their order cannot be known and shapes are alike', async () => {
    const architecture = renamed(storedSpec(ta))
    const twice = {
      ...architecture,
      layers: architecture.layers.filter(({ type }) => type !== 'flatten' && type !== 'dense' && type !== 'softmax'),
    }
    const shapes = { 'a.weight': [4, 1, 3, 3], 'a.bias': [4], 'b.weight': [4, 1, 3, 3], 'b.bias': [4] }
    const error = await refusal(importNetwork(zeros(shapes), { name: 'x', architecture: twice }))
    expect(error.code).toBe('invalid-input')
    expect(error.message).toMatch(/cannot be told/)
  })

  it('name the layer and both shapes where one does not fit', async () => {
    const architecture = storedSpec(tb)
    const error = await refusal(importNetwork(exampleFiles('ta.pth'), { name: 'x', architecture }))
    expect(error.message).toMatch(
      /ta\.pth do not fit the architecture stored: conv1\.weight .*\[4, 1, 3, 3\].*\[5, 5, 3, 6\]/,
    )
  })

  it('find their architecture by names and shapes, with another number of classes, too', async () => {
    const { torchNames = {}, spec } = architectureNamed('resnet-18')
    const shapes: Record<string, number[]> = {}
    for (const layer of buildGraph(spec({ classes: 7 })).layers) {
      for (const { name, shape } of layer.parameters) {
        const words: Record<string, string> = {
          kernel: 'weight',
          scale: 'weight',
          shift: 'bias',
          mean: 'running_mean',
          variance: 'running_var',
        }
        const order = name === 'kernel' ? (shape.length === 4 ? [3, 2, 0, 1] : [1, 0]) : [0]
        shapes[`module.${torchNames[layer.name] ?? ''}.${words[name] ?? name}`] = order.map((axis) => shape[axis] ?? 0)
      }
    }
    const imported = await importNetwork(zeros(shapes), { name: 'mine' })
    expect(imported.findings.map(({ code }) => code)).toEqual(['recognised-architecture'])
    expect(imported.findings[0]?.message).toMatch(/ResNet-18/)
    expect(buildGraph(imported.spec).output.shape).toEqual([7])
  })

  it('say which architectures fit where several do, and how to go on where none does', async () => {
    const alexnet = buildGraph(architectureNamed('alexnet').spec({ classes: 2 }))
    // Large kernels need no bytes: only the header is read before the architecture is known.
    const shapes = alexnet.layers.flatMap((layer) =>
      layer.parameters.map(({ name, shape }) => ({ path: `${layer.name}/${name}`, shape })),
    )
    let offset = 0
    const header = Object.fromEntries(
      shapes.map(({ path, shape }) => {
        const from = offset
        offset += 4 * sizeOf(shape)
        return [path, { dtype: 'F32', shape, data_offsets: [from, offset] }]
      }),
    )
    const text = new TextEncoder().encode(JSON.stringify(header))
    const head = new Uint8Array(8 + text.length)
    new DataView(head.buffer).setBigUint64(0, BigInt(text.length), true)
    head.set(text, 8)
    const read = (start: number, length: number): Uint8Array => {
      const bytes = new Uint8Array(length)
      bytes.set(head.subarray(start, start + length))
      return bytes
    }
    const file = { ...sourceFileOf('a.safetensors', head), size: head.length + offset, read }
    const several = await refusal(importNetwork([file], { name: 'x' }))
    expect(several.message).toMatch(/fit several architectures: alexnet, caffenet/)
    const none = await refusal(importNetwork(exampleFiles('ta.pth'), { name: 'x' }))
    expect(none.code).toBe('unsupported')
    expect(none.remedy).toMatch(/torch\.onnx\.export\(/)
  })

  it.for<[string, RegExp]>([
    ['unsafe.pkl', /would call posix\.system/],
    ['unsafe-state.pth', /would call posix\.system/],
    ['truncated-ta.pth', /directory is missing/],
    ['truncated-ta-legacy.pth', /ends early/],
    ['empty-ta.pth', /is empty/],
    ['html-as.pth', /is an HTML page/],
    ['truncated-ta.npz', /directory is missing/],
    ['truncated-ta.safetensors', /fc3\.weight lies at bytes/],
    ['empty-ta.safetensors', /is empty/],
    ['huge-header.safetensors', /claims 1152921504606846976 bytes/],
    ['header-beyond-file.safetensors', /past the end/],
    ['not-json.safetensors', /not JSON/],
    ['offset-beyond-file.safetensors', /conv1\.bias lies at/],
    ['shape-mismatch.safetensors', /conv1\.bias of shape \[5\] needs 20 bytes and has 16/],
    ['unknown-dtype.safetensors', /element type F12/],
    ['negative-shape.safetensors', /entry of conv1\.bias/],
  ])('are refused where they are damaged or hostile: %s', async ([name, message]) => {
    const error = await refusal(
      importNetwork(exampleFiles(`damaged/${name}`), { name: 'x', architecture: storedSpec(ta) }),
    )
    expect(error.message).toMatch(message)
    expect(error.message).toContain(name)
    expect(error.remedy).toBeTruthy()
  })

  it.for([
    { file: 'ta.pth', importer: pytorch },
    { file: 'ta-legacy.pth', importer: pytorch },
    { file: 'ta-checkpoint.pth', importer: pytorch },
    { file: 'ta.safetensors', importer: safetensors },
    { file: 'ta.npz', importer: npz },
    { file: 'ta-compressed.npz', importer: npz },
  ])('never crash, hang or grow when bytes are changed: $file', async ({ file, importer }) => {
    const report = await fuzzImporter(importer, exampleBytes(file), { architecture: storedSpec(ta) })
    expect(report.refused).toBeGreaterThan(100)
  })

  it('refuse an archive that unpacks to more than it says', async () => {
    const packed = deflateRawSync(Buffer.alloc(2 ** 20))
    const name = Buffer.from('a.npy')
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50)
    local.writeUInt16LE(name.length, 26)
    const central = Buffer.alloc(46)
    central.writeUInt32LE(0x02014b50)
    central.writeUInt16LE(8, 10)
    central.writeUInt32LE(packed.length, 20)
    central.writeUInt32LE(200, 24)
    central.writeUInt16LE(name.length, 28)
    const end = Buffer.alloc(22)
    end.writeUInt32LE(0x06054b50)
    end.writeUInt16LE(1, 10)
    end.writeUInt32LE(central.length + name.length, 12)
    end.writeUInt32LE(local.length + name.length + packed.length, 16)
    const bytes = new Uint8Array(Buffer.concat([local, name, packed, central, name, end]))
    const error = await refusal(
      importNetwork([sourceFileOf('bomb.npz', bytes)], { name: 'x', architecture: storedSpec(ta) }),
    )
    expect(error.message).toMatch(/bomb\.npz cannot be read as an archive: a\.npy cannot be unpacked/)
  })
})
