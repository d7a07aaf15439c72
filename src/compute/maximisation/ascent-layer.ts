/** A layer whose units are maximised. */
import type { CompiledStep, Engine } from '../engines/engine.ts'
import { disposeTensors } from '../engines/tensor-tree.ts'
import { sizeOf } from '../network/graph.ts'
import type { Network } from '../network/network.ts'
import { ascentStep, type AscentInputs, type AscentOutputs, type NetworkRange } from './ascent-step.ts'
import type { GreyLevels } from './grey-levels.ts'

/** The one compiled step of a layer serves any number of ascents, one after another. */
export class AscentLayer {
  readonly engine: Engine
  readonly network: Network
  readonly layer: string
  readonly grey: GreyLevels
  readonly step: CompiledStep<AscentInputs, AscentOutputs>
  readonly #range: NetworkRange

  constructor(engine: Engine, network: Network, layer: string, grey: GreyLevels) {
    this.engine = engine
    this.network = network
    this.layer = layer
    this.grey = grey
    const { graph, weights } = network
    const { tf } = engine
    this.#range = {
      lowest: tf.tensor1d(grey.mean.map((mean) => -mean)),
      highest: tf.tensor1d(grey.mean.map((mean) => 255 - mean)),
      toNetwork: tf.tensor1d(grey.toNetwork),
    }
    this.step = engine.compile(ascentStep(tf, { graph, weights, layer, range: this.#range }), {
      name: `ascent on ${layer}`,
    })
  }

  /** Standard deviation of all activations of the layer on pictures `[count, height, width, channels]` in grey levels minus the mean. */
  async deviationOn(pictures: Float32Array): Promise<number> {
    const { tf } = this.engine
    const shape: [number, number, number, number] = [pictures.length / sizeOf(this.grey.shape), ...this.grey.shape]
    const input = tf.tidy(() => tf.mul(tf.tensor4d(pictures, shape), this.#range.toNetwork))
    const activations = this.network.forward(input, { to: this.layer, backward: false })
    const variance = tf.tidy(() => tf.moments(activations.get(this.layer)).variance)
    try {
      return Math.sqrt((await variance.data())[0] ?? 0)
    } finally {
      variance.dispose()
      activations.dispose()
      input.dispose()
    }
  }

  dispose(): void {
    this.step.dispose()
    disposeTensors({ ...this.#range })
  }
}
