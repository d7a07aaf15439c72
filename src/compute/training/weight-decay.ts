/** Weight decay by weight: what the readings of `WeightDecay` mean for the gradient. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { WeightDecay } from '../../shared/experiments/train-classifier.ts'
import type { Graph } from '../network/graph.ts'

/**
 * Factors c by `<layer>/<parameter>`: the loss gets `½ · c · Σ w²`, the gradient `c · w`. Weights without decay are left out.
 * @throws ConvScopeError 'invalid-input' where there are not as many λ as layers with weights
 */
export function decayFactors(graph: Graph, { reading, lambda }: WeightDecay): Record<string, number> {
  const layers = graph.layers.filter(({ parameters }) => parameters.some(({ name }) => name === 'kernel'))
  if (Array.isArray(lambda) && lambda.length !== layers.length) {
    throw new ConvScopeError(
      'invalid-input',
      `There are ${lambda.length} λ for weight decay, and ${layers.length} layers with weights`,
      { remedy: `Give one λ, or one for each of ${layers.map(({ name }) => name).join(', ')}.` },
    )
  }
  const factors: Record<string, number> = {}
  for (const [index, layer] of layers.entries()) {
    const ofLayer = Array.isArray(lambda) ? (lambda[index] ?? 0) : lambda
    if (ofLayer === 0) continue
    for (const { name, shape } of layer.parameters) {
      if (name === 'kernel') {
        const units = layer.spec.type === 'conv2d-transpose' ? shape[2] : shape.at(-1)
        factors[`${layer.name}/${name}`] = reading === 'szegedy-printed' ? (2 * ofLayer) / (units ?? 1) : ofLayer
      } else if (name === 'bias' && reading === 'szegedy') {
        factors[`${layer.name}/${name}`] = ofLayer
      }
    }
  }
  return factors
}
