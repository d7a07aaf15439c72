/** Features of pictures at some layers, and what the network says of classes, in batches of one compiled step. */
import type { CompiledStep, Engine } from '../engines/engine.ts'
import { disposeTensors } from '../engines/tensor-tree.ts'
import { layerNamed } from '../network/graph.ts'
import type { Tensor, Tensors } from '../network/layer.ts'
import type { Network } from '../network/network.ts'
import { walkUp } from '../network/walk.ts'
import { hasScores, logitLayer } from './class-scores.ts'
import { sizeOf } from '../../shared/size-of.ts'

export interface Features {
  /** By layer: `[pictures, values of the layer]`. */
  readonly layers: Readonly<Record<string, Float32Array>>
  /** `[pictures, classes]`; empty where the network has no classes. */
  readonly probabilities: Float32Array
}

type Outputs = { layers: Tensors; probabilities: Tensor }

export class FeatureWalk {
  readonly #engine: Engine
  readonly #network: Network
  readonly #layers: readonly string[]
  readonly #batchSize: number
  readonly #step: CompiledStep<{ input: Tensor }, Outputs>

  /** @throws ConvScopeError 'not-found' for a layer that is not there */
  constructor(engine: Engine, network: Network, layers: readonly string[], batchSize: number) {
    for (const layer of layers) layerNamed(network.graph, layer)
    this.#engine = engine
    this.#network = network
    this.#layers = layers
    this.#batchSize = batchSize
    const { tf } = engine
    const scores = logitLayer(network)
    this.#step = engine.compile<{ input: Tensor }, Outputs>(
      ({ input }) => {
        const { outputs } = walkUp(tf, network.graph, network.weights, input, {
          to: scores,
          keep: layers,
          mode: { training: false, saving: false },
        })
        const kept = layers.map((name): [string, Tensor] => [name, outputs[name] ?? input])
        return { layers: Object.fromEntries(kept), probabilities: tf.softmax(outputs[scores] ?? input) }
      },
      { name: 'features', captureAfter: 1 },
    )
  }

  /** @param pictures `[height, width, channels]` in network space */
  async of(pictures: readonly Float32Array[]): Promise<Features> {
    const { graph } = this.#network
    const shape = graph.input.shape as [number, number, number]
    const layers = Object.fromEntries(
      this.#layers.map((name) => [name, new Float32Array(pictures.length * sizeOf(layerNamed(graph, name).shape))]),
    )
    const classes = hasScores(this.#network) ? (graph.output.shape[0] ?? 0) : 0
    const probabilities = new Float32Array(pictures.length * classes)
    const size = Math.min(this.#batchSize, pictures.length)
    for (let start = 0; start < pictures.length; start += size) {
      const some = pictures.slice(start, start + size)
      const images = new Float32Array(size * sizeOf(shape))
      for (const [index, values] of some.entries()) images.set(values, index * values.length)
      const input = this.#engine.tf.tensor4d(images, [size, ...shape])
      const running = this.#step.run({ input })
      input.dispose()
      const outputs = await running
      for (const [name, values] of Object.entries(layers)) {
        const own = values.length / pictures.length
        const read = (await outputs.layers[name]?.data()) ?? new Float32Array(0)
        values.set((read as Float32Array).subarray(0, some.length * own), start * own)
      }
      if (classes > 0) {
        const read = await outputs.probabilities.data()
        probabilities.set(read.subarray(0, some.length * classes), start * classes)
      }
      disposeTensors(outputs)
    }
    return { layers, probabilities }
  }

  dispose(): void {
    this.#step.dispose()
  }
}

/** The part of a picture in `[pictures, size]`. */
export function rowOf(values: Float32Array, picture: number, pictures: number): Float32Array {
  const size = values.length / pictures
  return values.subarray(picture * size, (picture + 1) * size)
}
