/** The network's part of an iteration: up to the units, and their gradients down to the pictures; whole, or inside the units' receptive fields. */
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import { GRADIENT_RULES, type WalkRules } from '../../shared/network/rules.ts'
import type { Tfjs } from '../engines/engine.ts'
import type { Graph } from '../network/graph.ts'
import { need } from '../network/layer.ts'
import { walkDown, walkUp, type Weights } from '../network/walk.ts'
import { windowOf, type WindowPlan } from '../network/windowed-plan.ts'
import { windowedDown, windowedUp } from '../network/windowed-walk.ts'
import type { AscentField } from './ascent-field.ts'

/** Which units climb, one a picture. */
export type AscentSeed = {
  /** One-hot `[batch, channels]`. */
  readonly channel: Tensor2D
  /** One-hot `[batch, height, width, 1]` of the layer; nothing in a layer without places, and where only fields are computed. */
  readonly place: readonly Tensor4D[]
}

export interface AscentTarget {
  readonly graph: Graph
  readonly weights: Weights
  readonly layer: string
  /** Computes only what lies inside the units' receptive fields. */
  readonly plan?: WindowPlan | undefined
  /** Whose features differ where diversity is asked for. */
  readonly diversityLayer?: string | undefined
}

export interface Ascended {
  /** `[batch]`: activation of each unit. */
  readonly objective: Tensor1D
  /** `[batch]`: the largest activation of all channels at the unit's place; of the whole layer where it has no places. */
  readonly largest: Tensor1D
  /** Of the objective by the network's input, in its shape. */
  readonly gradient: Tensor
}

/** @param input `[batch, height, width, channels]` in network values */
export function ascendWhole(
  tf: Tfjs,
  { graph, weights, layer }: AscentTarget,
  input: Tensor,
  { channel, place: [place] }: AscentSeed,
  redirected?: Tensor1D,
): Ascended {
  const { outputs, saved } = walkUp(tf, graph, weights, input, { to: layer, mode: { training: false, saving: true } })
  const output = need(outputs, layer)
  const [batch = 1, channels = 1] = channel.shape
  const own = place === undefined ? output : tf.sum(tf.mul(output, place), [1, 2])
  const signal = place === undefined ? channel : tf.mul(tf.reshape(channel, [batch, 1, 1, channels]), place)
  return {
    ...chosen(tf, own as Tensor2D, channel),
    gradient: byRules(tf, redirected, (rules) => walkDown(tf, graph, weights, saved, signal, { from: layer, rules })),
  }
}

/** The same values, computed inside the fields; the gradient is 0 outside of them. */
export function ascendInside(
  tf: Tfjs,
  { graph, weights, plan }: AscentTarget,
  input: Tensor,
  { channel }: AscentSeed,
  { cells, places, masks, corrections }: AscentField,
  redirected?: Tensor1D,
): Ascended {
  if (plan === undefined) throw new RangeError('fields need a plan of windows')
  const [batch = 1, height = 1, width = 1, depth = 1] = input.shape
  const { rows, columns } = windowOf(plan, graph.input.name).range
  const gathered = tf.gather(tf.reshape(input, [batch * height * width, depth]), cells)
  const windows = tf.reshape(gathered, [batch, rows.size, columns.size, depth])
  const edge = masks[graph.input.name]
  const context = { tf, plan, weights, masks, corrections }
  const { output, saved } = windowedUp(
    context,
    edge === undefined ? windows : tf.mul(windows, tf.mul(edge.rows, edge.columns)),
  )
  const [, channels = 1] = channel.shape
  const signal = tf.reshape(channel, [batch, 1, 1, channels])
  const down = byRules(tf, redirected, (rules) => windowedDown(context, saved, signal, { to: graph.input.name, rules }))
  const flat = tf.concat([tf.reshape(down, [batch * rows.size * columns.size, depth]), tf.zeros([1, depth])], 0)
  return {
    ...chosen(tf, tf.reshape(output, [batch, channels]), channel),
    gradient: tf.reshape(tf.gather(flat, places), input.shape),
  }
}

/** The gradient; for pictures marked by 1 the one that rectifiers redirect. */
function byRules(tf: Tfjs, redirected: Tensor1D | undefined, down: (rules: WalkRules) => Tensor): Tensor {
  const plain = down(GRADIENT_RULES)
  if (redirected === undefined) return plain
  const part = tf.reshape(redirected, [redirected.size, ...plain.shape.slice(1).map(() => 1)])
  const other = down({ ...GRADIENT_RULES, relu: 'redirected' })
  return tf.add(tf.mul(other, part), tf.mul(plain, tf.sub(1, part)))
}

/** @param activations `[batch, channels]` */
function chosen(tf: Tfjs, activations: Tensor2D, channel: Tensor2D): Omit<Ascended, 'gradient'> {
  return { objective: tf.sum(tf.mul(activations, channel), 1), largest: tf.max(activations, 1) }
}
