/** Projections of units of many pictures, each in the frame of its receptive field. */
import type { BackwardRules } from '../../shared/network/rules.ts'
import type { Engine } from '../engines/engine.ts'
import { compiledWalks } from '../network/compiled-walks.ts'
import { layerNamed } from '../network/graph.ts'
import type { Network } from '../network/network.ts'
import type { PlacedUnit } from '../network/windowed-batch.ts'
import { cutWindows } from '../network/windowed-batch.ts'
import { worthwhileWindows, type WindowRange } from '../network/windowed-plan.ts'
import { windowedProjections } from '../network/windowed-projections.ts'
import { fieldRange, recut } from './patches.ts'
import { sizeOf } from '../../shared/size-of.ts'

export interface UnitProjections {
  /** `[units, rows, columns, channels]` in the frame of the field. */
  readonly projections: Float32Array
  /** The units' activations, computed again. */
  readonly values: Float32Array
  readonly range: WindowRange
}

export interface ProjectionRequest {
  readonly layer: string
  readonly rules: BackwardRules
  readonly seed: 'single' | 'one-hot'
}

/** Whole walks: values of a batch at the widest layer (128 MB). */
const WIDEST_BATCH_FLOATS = 32 * 1024 * 1024
const LARGEST_BATCH = 64

/**
 * Down to the pixels. Only the receptive fields are computed where they are smaller than the picture.
 * @param pictures in network space; units count within them
 */
export async function projectUnits(
  engine: Engine,
  network: Network,
  pictures: readonly Float32Array[],
  units: readonly PlacedUnit[],
  { layer, rules, seed }: ProjectionRequest,
): Promise<UnitProjections> {
  const plan = worthwhileWindows(network.graph, layer, rules.unpool)
  const range = fieldRange(network, layer)
  const [height = 1, width = 1, channels = 1] = network.graph.input.shape
  const shape = [height, width, channels] as const
  const size = range.rows.size * range.columns.size * channels
  const projections = new Float32Array(units.length * size)
  if (plan) {
    const to = network.graph.input.name
    const options = { plan, to, rules, seed }
    const found = await windowedProjections(engine, network).fromPictures(pictures, units, options)
    const own = found.windows.length / units.length
    for (const [index, unit] of units.entries()) {
      const window = found.windows.subarray(index * own, (index + 1) * own)
      projections.set(recut(window, found.range, range, unit, shape), index * size)
    }
    return { projections, values: found.values, range }
  }
  const values = new Float32Array(units.length)
  const batch = Math.max(1, Math.min(LARGEST_BATCH, Math.floor(WIDEST_BATCH_FLOATS / widest(network))))
  for (let start = 0; start < units.length; start += batch) {
    const some = units.slice(start, start + batch)
    const whole = await wholeWalks(engine, network, pictures, some, { layer, rules, seed })
    values.set(whole.values, start)
    const pictureSize = sizeOf(shape)
    for (const [index, unit] of some.entries()) {
      const own = whole.projections.subarray(index * pictureSize, (index + 1) * pictureSize)
      projections.set(cutWindows([own], shape, range, [{ ...unit, picture: 0 }]), (start + index) * size)
    }
  }
  return { projections, values, range }
}

/** One picture a unit, up and down the whole network. */
async function wholeWalks(
  engine: Engine,
  network: Network,
  pictures: readonly Float32Array[],
  units: readonly PlacedUnit[],
  { layer, rules, seed }: ProjectionRequest,
): Promise<{ projections: Float32Array; values: Float32Array }> {
  const { tf } = engine
  const [height = 1, width = 1, channels = 1] = network.graph.input.shape
  const size = height * width * channels
  const images = new Float32Array(units.length * size)
  for (const [index, { picture }] of units.entries()) images.set(pictures[picture] ?? [], index * size)
  const walks = compiledWalks(engine, network)
  const input = tf.tensor4d(images, [units.length, height, width, channels])
  const activations = await walks.forward(input, { to: layer })
  input.dispose()
  try {
    const shape = layerNamed(network.graph, layer).shape
    const output = await activations.get(layer).data()
    const values = new Float32Array(units.length)
    const signal = new Float32Array(output.length)
    const [, across = 1, depth = 1] = shape.length === 3 ? shape : [1, 1, shape[0]]
    for (const [index, { channel, row, column }] of units.entries()) {
      const at = index * sizeOf(shape) + (row * across + column) * depth + channel
      values[index] = output[at] ?? 0
      signal[at] = seed === 'single' ? (output[at] ?? 0) : 1
    }
    const start = tf.tensor(signal, [units.length, ...shape])
    const down = await walks.backward(activations, { from: layer, signal: start, rules })
    start.dispose()
    const projections = Float32Array.from(await down.data())
    down.dispose()
    return { projections, values }
  } finally {
    activations.dispose()
  }
}

function widest(network: Network): number {
  return Math.max(...network.layers.map(({ shape }) => sizeOf(shape)))
}
