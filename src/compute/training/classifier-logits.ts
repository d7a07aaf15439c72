/** A network as the function from weights and pictures to logits that training differentiates. */
import type { Tensor, Tensor2D } from '@tensorflow/tfjs'
import type { Engine } from '../engines/engine.ts'
import type { Graph } from '../network/graph.ts'
import { walkUp, type Weights } from '../network/walk.ts'
import type { Logits } from './classifier-step.ts'
import type { Tensors } from './optimiser.ts'

/** Logits of a network whose last layer is a softmax: what that layer reads. */
export function logitsOf(engine: Engine, graph: Graph): Logits {
  const to = graph.output.spec.type === 'softmax' ? graph.output.inputs[0] : graph.output.name
  return (weights, images, masks) => {
    const mode = masks ? { training: true, saving: false, masks } : { training: false, saving: false }
    const { outputs, statistics } = walkUp(engine.tf, graph, byLayer(weights), images, { to, mode })
    return { logits: Object.values(outputs)[0] as Tensor2D, statistics: byPath(statistics) }
  }
}

/** `<layer>/<parameter>` → layer → parameter. */
export function byLayer(weights: Tensors): Weights {
  const nested: Record<string, Record<string, Tensor>> = {}
  for (const [path, tensor] of Object.entries(weights)) {
    const [layer = '', parameter = ''] = path.split('/')
    ;(nested[layer] ??= {})[parameter] = tensor
  }
  return nested
}

/** Layer → parameter → `<layer>/<parameter>`. */
export function byPath(nested: Weights): Tensors {
  return Object.fromEntries(
    Object.entries(nested).flatMap(([layer, parameters]) =>
      Object.entries(parameters).map(([name, tensor]) => [`${layer}/${name}`, tensor]),
    ),
  )
}
