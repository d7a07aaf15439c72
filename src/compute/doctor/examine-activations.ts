/** What a network does on given pictures: channels that are never active, layers that never change, values that are no numbers. */
import type { Finding } from '../../shared/network/finding.ts'
import type { Engine } from '../engines/engine.ts'
import { compiledWalks } from '../network/compiled-walks.ts'
import type { GraphLayer } from '../network/graph.ts'
import type { Tensor } from '../network/layer.ts'
import type { Network } from '../network/network.ts'
import { batchesOf } from './accuracy.ts'
import { batchSizeOf } from './class-scores.ts'
import { listed, plural } from './wording.ts'
import { sizeOf } from '../../shared/size-of.ts'

/** Layers whose units rest at 0. */
const RECTIFIERS: readonly string[] = ['relu', 'relu6']

/** What was seen of one layer over all pictures. */
interface Seen {
  /** Largest value of each channel. */
  readonly maxima: Float32Array
  /** The first picture's values, to see whether any other differs. */
  readonly first: Float32Array
  changes: boolean
  finite: boolean
}

/**
 * Looks at every rectifier and at the output. Yields after every batch.
 * @param inputs values of the network's input, one array a picture; different pictures
 */
export async function* examineActivations(
  engine: Engine,
  network: Network,
  inputs: readonly Float32Array[],
): AsyncGenerator<number, Finding[], void> {
  const { graph } = network
  const layers = graph.layers.filter(({ spec }) => RECTIFIERS.includes(spec.type)).concat(graph.output)
  const seen = new Map<string, Seen>()
  const walks = compiledWalks(engine, network)
  let done = 0
  for (const batch of batchesOf(inputs, batchSizeOf(graph))) {
    const input = engine.tf.tensor(joined(batch), [batch.length, ...graph.input.shape])
    const activations = await walks.forward(input, { keep: layers.map(({ name }) => name), backward: false })
    input.dispose()
    try {
      for (const layer of layers) await look(engine, layer, activations.get(layer.name), seen)
    } finally {
      activations.dispose()
    }
    done += batch.length
    yield done
  }
  return layers.flatMap((layer) => judged(layer, seen.get(layer.name), inputs.length, layer === graph.output))
}

async function look({ tf }: Engine, layer: GraphLayer, values: Tensor, seen: Map<string, Seen>): Promise<void> {
  const channels = layer.shape.at(-1) ?? 1
  const { maxima, first, spread } = tf.tidy(() => {
    const start: Tensor = tf.slice(values, new Array<number>(values.rank).fill(0), [1, ...layer.shape])
    return {
      maxima: tf.max(tf.reshape(values, [-1, channels]), 0),
      first: tf.reshape(start, [-1]),
      spread: tf.max(tf.abs(tf.sub(values, start))),
    }
  })
  const [most, own, [change = NaN]] = await Promise.all([
    maxima.data<'float32'>(),
    first.data<'float32'>(),
    spread.data<'float32'>(),
  ])
  tf.dispose([maxima, first, spread])
  const before = seen.get(layer.name)
  if (before === undefined) {
    seen.set(layer.name, {
      maxima: Float32Array.from(most),
      first: Float32Array.from(own),
      changes: change > 0,
      finite: Number.isFinite(change) && most.every(Number.isFinite),
    })
    return
  }
  for (const [channel, value] of most.entries()) before.maxima[channel] = Math.max(before.maxima[channel] ?? 0, value)
  before.changes ||= change > 0 || own.some((value, index) => value !== before.first[index])
  before.finite &&= Number.isFinite(change) && most.every(Number.isFinite)
}

function judged({ name, shape }: GraphLayer, seen: Seen | undefined, count: number, isOutput: boolean): Finding[] {
  if (seen === undefined) return []
  if (!seen.finite) {
    const message = `${name} gives values that are NaN or infinite on the given pictures.`
    return [
      {
        code: 'activations-not-finite',
        severity: 'error',
        layer: name,
        message,
        remedy: 'Look at the weights of the layers below it, and at the range of the input.',
      },
    ]
  }
  if (!seen.changes && count > 1) {
    const message = `${name} gives the same ${plural(sizeOf(shape), 'value')} for all ${count} pictures.`
    return [
      {
        code: 'constant-layer',
        severity: 'warning',
        layer: name,
        message,
        remedy: 'Check the range of the input and the weights of the layers below it.',
      },
    ]
  }
  if (isOutput) return []
  const dead = [...seen.maxima.keys()].filter((channel) => (seen.maxima[channel] ?? 0) <= 0)
  if (dead.length === 0) return []
  const unit = shape.length === 1 ? 'unit' : 'channel'
  const message = `${plural(dead.length, unit)} of ${seen.maxima.length} in ${name} ${dead.length === 1 ? 'is' : 'are'} never active on the ${count} pictures: ${listed(dead)}.`
  // A few are usual; half a layer is a sign of a wrong input range or of a training that lost them.
  const many = dead.length * 2 > seen.maxima.length
  return [
    {
      code: 'dead-channels',
      severity: many ? 'warning' : 'note',
      layer: name,
      message,
      remedy: many
        ? 'Check the range of the input.'
        : `What is shown of ${dead.length === 1 ? 'it' : 'them'} is empty.`,
    },
  ]
}

function joined(pictures: readonly Float32Array[]): Float32Array {
  const size = pictures[0]?.length ?? 0
  const values = new Float32Array(pictures.length * size)
  for (const [index, picture] of pictures.entries()) values.set(picture, index * size)
  return values
}
