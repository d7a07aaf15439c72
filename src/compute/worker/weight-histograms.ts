/** How the weights of a network are distributed, read in pieces: no engine, and never a whole file in memory. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { WeightHistogram } from '../../shared/network/page.ts'
import { readSafetensorsHeader, type SafetensorsEntry } from '../files/safetensors-header.ts'
import { openSourceFile, type SourceFile } from '../files/source-file.ts'
import type { RunContext } from './run-context.ts'
import { sizeOf } from '../../shared/size-of.ts'

const BINS = 64
const FLOAT_BYTES = 4
const CHUNK_BYTES = 4 * 2 ** 20

/**
 * The method 'weight-histograms': one entry a parameter, in the order of the layers.
 * @throws ConvScopeError 'damaged' where the weights file is not readable, 'cancelled'
 */
export async function weightHistograms(
  { network }: { readonly network: string },
  context: Pick<RunContext, 'record' | 'findArtifact' | 'progress'>,
): Promise<WeightHistogram[]> {
  const { spec, weights } = context.record(network)
  const file = openSourceFile(await context.findArtifact(weights), `the weights of ${network}`)
  try {
    const entries = readSafetensorsHeader(file.size, (offset, length) => file.read(offset, length), file.name)
    const order = new Map(spec.layers.map(({ name }, index) => [name, index]))
    const ofLayers = entries.flatMap((entry) => {
      const slash = entry.name.lastIndexOf('/')
      const layer = entry.name.slice(0, slash)
      return order.has(layer) ? [{ entry, layer, parameter: entry.name.slice(slash + 1) }] : []
    })
    const total = 2 * ofLayers.reduce((sum, { entry }) => sum + entry.byteLength, 0)
    let done = 0
    const onRead = (bytes: number): void => {
      done += bytes
      context.progress((100 * done) / total, 100, '%')
    }
    return ofLayers
      .toSorted((a, b) => (order.get(a.layer) ?? 0) - (order.get(b.layer) ?? 0))
      .map(({ entry, layer, parameter }) => ({ layer, parameter, ...histogramOf(file, entry, onRead) }))
  } finally {
    file.close()
  }
}

function histogramOf(
  file: SourceFile,
  entry: SafetensorsEntry,
  onRead: (bytes: number) => void,
): Omit<WeightHistogram, 'layer' | 'parameter'> {
  if (entry.type !== 'float32')
    throw new ConvScopeError('damaged', `${file.name}: ${entry.name} has the element type ${entry.type}, not float32`)
  let [minimum, maximum, sum, squares, finite, zeros] = [Infinity, -Infinity, 0, 0, 0, 0]
  forEachChunk(file, entry, onRead, (values) => {
    for (const value of values) {
      if (!Number.isFinite(value)) continue
      finite++
      if (value === 0) zeros++
      if (value < minimum) minimum = value
      if (value > maximum) maximum = value
      sum += value
      squares += value * value
    }
  })
  const count = sizeOf(entry.shape)
  const shape = [...entry.shape]
  if (finite === 0)
    return { shape, count, notFinite: count, zeros: 0, low: 0, high: 0, mean: 0, deviation: 0, bins: [] }
  const bins = new Array<number>(BINS).fill(0)
  const scale = maximum > minimum ? BINS / (maximum - minimum) : 0
  forEachChunk(file, entry, onRead, (values) => {
    for (const value of values) {
      if (!Number.isFinite(value)) continue
      const bin = Math.min(BINS - 1, Math.floor((value - minimum) * scale))
      bins[bin] = (bins[bin] ?? 0) + 1
    }
  })
  const mean = sum / finite
  return {
    shape,
    count,
    notFinite: count - finite,
    zeros,
    low: minimum,
    high: maximum,
    mean,
    deviation: Math.sqrt(Math.max(0, squares / finite - mean * mean)),
    bins,
  }
}

function forEachChunk(
  file: SourceFile,
  { offset, byteLength }: SafetensorsEntry,
  onRead: (bytes: number) => void,
  use: (values: Float32Array) => void,
): void {
  for (let start = 0; start < byteLength; start += CHUNK_BYTES) {
    const bytes = file.read(offset + start, Math.min(CHUNK_BYTES, byteLength - start))
    use(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / FLOAT_BYTES))
    onRead(bytes.byteLength)
  }
}
