/** What is recorded of a batch of occluded pictures. */
import { disposeTensors } from '../engines/tensor-tree.ts'
import type { Tensor, TensorFlow } from '../network/layer.ts'
import type { Network } from '../network/network.ts'
import { hasScores } from './class-scores.ts'

/** `[batch, channels]`, `[batch, classes]` and `[batch, classes]`. */
export type ScoreTensors = { sums: Tensor; logits: Tensor; probabilities: Tensor }

/** The same, read back; logits and probabilities are empty where the network has no classes. */
export interface Scores {
  readonly batch: number
  readonly sums: Float32Array
  readonly logits: Float32Array
  readonly probabilities: Float32Array
}

/** Inside a step. */
export function scoresOf(tf: TensorFlow, maps: Tensor, logits: Tensor): ScoreTensors {
  const sums = maps.shape.length === 4 ? tf.sum(maps, [1, 2]) : maps
  return { sums, logits, probabilities: tf.softmax(logits) }
}

/** Reads and disposes. */
export async function readScores(outputs: ScoreTensors, network: Network): Promise<Scores> {
  const read = async (tensor: Tensor): Promise<Float32Array> => Float32Array.from(await tensor.data())
  const [batch = 1] = outputs.sums.shape
  try {
    const sums = await read(outputs.sums)
    if (!hasScores(network)) return { batch, sums, logits: new Float32Array(0), probabilities: new Float32Array(0) }
    return { batch, sums, logits: await read(outputs.logits), probabilities: await read(outputs.probabilities) }
  } finally {
    disposeTensors(outputs)
  }
}
