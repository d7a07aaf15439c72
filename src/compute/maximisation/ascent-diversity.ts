/**
 * Diversity: pictures of one unit that climb together turn away from one another (lucid's `diversity`, objectives.py): the mean over them of
 * the summed cosines between a picture's Gram matrix of features and those of the others, times a weight, is taken from what climbs.
 */
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import { ConvScopeError } from '../../shared/errors.ts'
import { GRADIENT_RULES } from '../../shared/network/rules.ts'
import type { Tfjs } from '../engines/engine.ts'
import type { Graph } from '../network/graph.ts'
import { need, type Tensor } from '../network/layer.ts'
import { walkDown, walkUp, type Weights } from '../network/walk.ts'

/** lucid's: squares of norms are at least this. */
const SMALLEST_SQUARE = 1e-10

export interface DiversityTarget {
  readonly graph: Graph
  readonly weights: Weights
  /** Whose features differ: `[height, width, channels]`. */
  readonly layer: string
}

/**
 * The gradient by the input of minus the weighted diversity, in the shape of the input.
 * @param pairs `[batch, batch]`: the weight over the size of the group for two pictures of one group, else 0; symmetric, 0 on the diagonal
 */
export function diversityGradient(
  tf: Tfjs,
  { graph, weights, layer }: DiversityTarget,
  input: Tensor,
  pairs: Tensor2D,
): Tensor {
  const { outputs, saved } = walkUp(tf, graph, weights, input, { to: layer, mode: { training: false, saving: true } })
  const signal = diversitySignal(tf, need(outputs, layer) as Tensor4D, pairs)
  return walkDown(tf, graph, weights, saved, signal, { from: layer, rules: GRADIENT_RULES })
}

/**
 * With Gram matrices G = Fᵀ F and Ĝ = G / |G|, diversity is D = Σ pairs(i, j) ⟨Ĝᵢ, Ĝⱼ⟩. Its gradient by Ĝᵢ is Sᵢ = 2 Σⱼ pairs(i, j) Ĝⱼ, by Gᵢ
 * (Sᵢ − ⟨Sᵢ, Ĝᵢ⟩ Ĝᵢ) / |Gᵢ|, and by Fᵢ twice Fᵢ times that.
 * @param features `[batch, height, width, channels]`
 * @returns −∂D/∂F
 */
export function diversitySignal(tf: Tfjs, features: Tensor4D, pairs: Tensor2D): Tensor4D {
  const [batch, height, width, channels] = features.shape
  const places: Tensor3D = tf.reshape(features, [batch, height * width, channels])
  const grams: Tensor2D = tf.reshape(tf.matMul(places, places, true, false), [batch, channels * channels])
  const square = tf.maximum(tf.sum(tf.square(grams), 1, true), SMALLEST_SQUARE)
  const norm = tf.sqrt(square)
  const unit: Tensor2D = tf.div(grams, norm)
  const towards: Tensor2D = tf.mul(tf.matMul(pairs, unit), 2)
  const along = tf.sum(tf.mul(towards, unit), 1, true)
  const byGram = tf.div(tf.sub(towards, tf.mul(along, unit)), norm)
  const byFeature = tf.matMul(places, tf.reshape(byGram, [batch, channels, channels]) as Tensor3D)
  return tf.reshape(tf.mul(byFeature, -2), features.shape)
}

/** Weights of pairs: see `diversityGradient`. @param groups of each picture; the weight is the group's own */
export function diversityPairs(groups: readonly string[], weights: readonly number[]): Float32Array {
  const count = groups.length
  const pairs = new Float32Array(count * count)
  for (const [row, group] of groups.entries()) {
    const size = groups.filter((other) => other === group).length
    for (const [column, other] of groups.entries()) {
      if (row !== column && other === group) pairs[row * count + column] = (weights[row] ?? 0) / size
    }
  }
  return pairs
}

/**
 * The layer whose features differ: the one that is named, or the highest with places up to the unit's own; undefined where there is none.
 * @throws ConvScopeError 'invalid-input' where the one that is named does not lie there
 */
export function diversityLayer(graph: Graph, target: string, named: string | undefined): string | undefined {
  const below = new Set([target])
  for (const layer of [...graph.layers].reverse())
    if (below.has(layer.name)) for (const name of layer.inputs) below.add(name)
  const places = graph.layers.filter(
    ({ name, shape, inputs }) => below.has(name) && shape.length === 3 && inputs.length > 0,
  )
  const found = named === undefined ? places.at(-1) : places.find(({ name }) => name === named)
  if (found || named === undefined) return found?.name
  throw new ConvScopeError('invalid-input', `Pictures for ${target} cannot differ in the features of ${named}`, {
    remedy: `Choose one of: ${places.map(({ name }) => name).join(', ')}.`,
  })
}
