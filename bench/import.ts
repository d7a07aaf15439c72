/**
 * A .caffemodel of AlexNet's size becomes a network of the library: the program's own way from the file to a safetensors file.
 * `node bench/import.ts` prints seconds, the peak of resident memory, and both beside a plain copy of the file.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSourceFile } from '../src/compute/files/source-file.ts'
import { importNetwork, writeSafetensors } from '../src/compute/importers/index.ts'
import { knownArchitectures } from '../src/compute/network/architectures/index.ts'
import { buildGraph, type GraphLayer } from '../src/compute/network/graph.ts'

const MEBIBYTE = 2 ** 20
const CHUNK_BYTES = 16 * MEBIBYTE
const GOAL_SECONDS = 3
const GOAL_MEMORY = 2

const CAFFE_TYPES: Readonly<Record<string, string>> = {
  conv2d: 'Convolution',
  relu: 'ReLU',
  lrn: 'LRN',
  'max-pool': 'Pooling',
  dense: 'InnerProduct',
  dropout: 'Dropout',
  softmax: 'Softmax',
}

const folder = mkdtempSync(join(tmpdir(), 'convscope-import-'))
try {
  const model = join(folder, 'alexnet.caffemodel')
  writeModel(model)
  const { size } = statSync(model)
  // Once before, so that both find the file in the system's memory.
  copySeconds(model, join(folder, 'warm'))
  const copying = copySeconds(model, join(folder, 'copy'))

  const startedAt = performance.now()
  const file = openSourceFile(model)
  const imported = await importNetwork([file], { name: 'alexnet' })
  const readSeconds = (performance.now() - startedAt) / 1000
  const written = await writeSafetensors(imported, join(folder, 'weights.safetensors'))
  file.close()
  const seconds = (performance.now() - startedAt) / 1000
  const peak = process.resourceUsage().maxRSS * 1024

  console.log(
    `file: ${megabytes(size)} MB, ${imported.spec.layers.length} layers, ${imported.tensors.size} tensors, written ${megabytes(written.bytes)} MB`,
  )
  console.log(
    `import: ${seconds.toFixed(2)} s (layers ${readSeconds.toFixed(3)} s), goal ${GOAL_SECONDS} s; copy of the file: ${copying.toFixed(2)} s; ratio ${(seconds / copying).toFixed(1)}`,
  )
  console.log(
    `peak of resident memory: ${megabytes(peak)} MB, ${(peak / size).toFixed(2)} times the file; goal ${GOAL_MEMORY}`,
  )
  if (seconds > GOAL_SECONDS || peak > GOAL_MEMORY * size) process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}

/** Reads and writes a file in the pieces that the import writes in, to the disk. */
function copySeconds(from: string, to: string): number {
  const startedAt = performance.now()
  const source = openSync(from, 'r')
  const target = openSync(to, 'w')
  const chunk = new Uint8Array(CHUNK_BYTES)
  for (let count = readSync(source, chunk); count > 0; count = readSync(source, chunk))
    writeSync(target, chunk, 0, count)
  closeSync(source)
  closeSync(target)
  return (performance.now() - startedAt) / 1000
}

/** AlexNet with random weights, as Caffe saves a trained network: layers with their settings and blobs. */
function writeModel(path: string): void {
  const architecture = knownArchitectures.find(({ name }) => name === 'alexnet')
  if (architecture === undefined) throw new Error('AlexNet is not among the known architectures')
  const file = openSync(path, 'w')
  const put = (bytes: Uint8Array): void => {
    writeSync(file, bytes)
  }
  const graph = buildGraph(architecture.spec())
  const [height = 0, width = 0, channels = 0] = graph.input.shape
  put(textField(1, 'AlexNet'))
  put(textField(3, graph.input.name))
  for (const size of [1, channels, height, width]) put(numberField(4, size))
  for (const layer of graph.layers) {
    const type = CAFFE_TYPES[layer.spec.type]
    if (type === undefined) continue
    const head = [
      textField(1, layer.name),
      textField(2, type),
      ...layer.inputs.map((name) => textField(3, source(graph.byName, name))),
      textField(4, layer.name),
      ...settings(layer),
    ]
    const blobs = layer.parameters
      .map(({ shape }) => caffeShape(shape))
      .map((shape) => {
        const count = shape.reduce((product, size) => product * size, 1)
        const sizes = messageField(7, [Buffer.concat(shape.map((size) => numberField(1, size)))])
        return {
          count,
          sizes,
          head: tag(5, 2),
          length: sizes.byteLength + tag(5, 2).byteLength + varint(count * 4).byteLength + count * 4,
        }
      })
    const length =
      head.reduce((sum, part) => sum + part.byteLength, 0) +
      blobs.reduce((sum, blob) => sum + tag(7, 2).byteLength + varint(blob.length).byteLength + blob.length, 0)
    put(Buffer.concat([tag(100, 2), varint(length), ...head]))
    for (const blob of blobs) {
      put(Buffer.concat([tag(7, 2), varint(blob.length), blob.sizes, blob.head, varint(blob.count * 4)]))
      for (let done = 0; done < blob.count; done += MEBIBYTE) {
        const values = new Float32Array(Math.min(MEBIBYTE, blob.count - done)).map((_, index) => Math.sin(done + index))
        put(new Uint8Array(values.buffer))
      }
    }
  }
  closeSync(file)
}

/** Flattening is part of Caffe's InnerProduct. */
function source(byName: ReadonlyMap<string, GraphLayer>, name: string): string {
  const layer = byName.get(name)
  return layer?.spec.type === 'flatten' ? (layer.inputs[0] ?? name) : name
}

/** `[height, width, in, out]` and `[in, out]` in Caffe's order. */
function caffeShape(shape: readonly number[]): readonly number[] {
  const [first = 1, second = 1, third = 1, fourth = 1] = shape
  if (shape.length === 4) return [fourth, third, first, second]
  return shape.length === 2 ? [second, first] : shape
}

function settings({ spec }: GraphLayer): Buffer[] {
  switch (spec.type) {
    case 'conv2d': {
      const [pad = 0] = typeof spec.padding === 'string' ? [] : spec.padding
      return [
        messageField(106, [
          numberField(1, spec.filters),
          numberField(3, pad),
          numberField(4, spec.kernel[0]),
          numberField(5, spec.groups),
          numberField(6, spec.stride[0]),
        ]),
      ]
    }
    case 'max-pool':
      return [messageField(121, [numberField(2, spec.kernel[0]), numberField(3, spec.stride[0])])]
    case 'dense':
      return [messageField(117, [numberField(1, spec.units)])]
    case 'lrn':
      return [messageField(118, [numberField(1, spec.size)])]
    default:
      return []
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return Buffer.from([...bytes, rest])
}

function tag(number: number, wire: number): Buffer {
  return varint(number * 8 + wire)
}

function numberField(number: number, value: number): Buffer {
  return Buffer.concat([tag(number, 0), varint(value)])
}

function textField(number: number, value: string): Buffer {
  return messageField(number, [Buffer.from(value)])
}

function messageField(number: number, parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.byteLength, 0)
  return Buffer.concat([tag(number, 2), varint(length), ...parts])
}
