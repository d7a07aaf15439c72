/** What a network says about pictures, as probabilities of its classes. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { ClassScore } from '../../shared/network/examination.ts'
import type { NetworkSpec } from '../../shared/network/spec.ts'
import type { Engine } from '../engines/engine.ts'
import type { Graph } from '../network/graph.ts'
import type { Activations, Network } from '../network/network.ts'
import type { Tensor } from '../network/layer.ts'
import { sizeOf } from '../../shared/size-of.ts'

/** Values that the largest layer may have in one batch. */
const BATCH_VALUES = 2 ** 24
const LARGEST_BATCH = 256

/** Runs the network on `[batch, height, width, channels]` up to a layer. */
export type WalkTo = (input: Tensor, to: string) => Promise<Activations>

/** How many pictures go through the network at once. */
export function batchSizeOf({ layers }: Graph): number {
  const largest = Math.max(...layers.map(({ shape }) => sizeOf(shape)))
  return Math.min(Math.max(Math.floor(BATCH_VALUES / largest), 1), LARGEST_BATCH)
}

/** Number of classes. @throws ConvScopeError 'unsupported' for a network that does not end in one value a class */
export function classCountOf({ output, spec }: Graph): number {
  const classes = output.shape.at(-1) ?? 0
  if (sizeOf(output.shape) !== classes) {
    throw new ConvScopeError(
      'unsupported',
      `The network ${spec.name} ends in ${output.name} of [${output.shape.join(', ')}], which is not one value a class.`,
      { remedy: 'Use a network that ends in a classifier.' },
    )
  }
  return classes
}

/**
 * Natural logarithms of the class probabilities of each picture. Where the network does not end in a softmax, its outputs are taken as
 * what a softmax would read.
 * @param inputs values of the network's input, one array a picture
 */
export async function logProbabilities(
  engine: Engine,
  graph: Graph,
  walkTo: WalkTo,
  inputs: readonly Float32Array[],
): Promise<Float64Array[]> {
  const classes = classCountOf(graph)
  const { output } = graph
  // Before the last softmax: the logarithm of a probability that is rounded to 0 says nothing.
  const layer = output.spec.type === 'softmax' ? (output.inputs[0] ?? output.name) : output.name
  const activations = await walk(engine, graph, walkTo, inputs, layer)
  try {
    const values = await activations.get(layer).data()
    return inputs.map((_, picture) => logSoftmax(values.subarray(picture * classes, (picture + 1) * classes)))
  } finally {
    activations.dispose()
  }
}

/** Runs pictures up to a layer; the caller disposes the activations. */
export async function walk(
  { tf }: Engine,
  { input }: Graph,
  walkTo: WalkTo,
  inputs: readonly Float32Array[],
  to: string,
): Promise<Activations> {
  const size = sizeOf(input.shape)
  const values = new Float32Array(inputs.length * size)
  for (const [index, picture] of inputs.entries()) values.set(picture, index * size)
  const batch = tf.tensor(values, [inputs.length, ...input.shape])
  try {
    return await walkTo(batch, to)
  } finally {
    batch.dispose()
  }
}

/** A network's own walk, operation by operation: for variants of it that run a few times. */
export function plainWalk(network: Network): WalkTo {
  return async (input, to) => network.forward(input, { to, backward: false })
}

/** The most probable classes, best first. */
export function topClasses(logs: Float64Array, spec: NetworkSpec, count: number): ClassScore[] {
  return ranked(logs)
    .slice(0, count)
    .map((index) => ({ index, label: spec.classes[index] ?? String(index), probability: Math.exp(logs[index] ?? 0) }))
}

/** Class indices, most probable first; equal ones in their order. A network that gives NaN has none. */
export function ranked(logs: Float64Array): number[] {
  return [...logs.keys()]
    .filter((index) => !Number.isNaN(logs[index]))
    .sort((a, b) => (logs[b] ?? 0) - (logs[a] ?? 0) || a - b)
}

function logSoftmax(scores: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(scores)
  const largest = values.reduce((most, value) => Math.max(most, value), -Infinity)
  const total = Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0)) + largest
  return values.map((value) => value - total)
}
