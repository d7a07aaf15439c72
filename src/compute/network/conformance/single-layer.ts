/** A network of one layer, run up, down and through the library's tape. */
import type { BackwardRules } from '../../../shared/network/rules.ts'
import { LayerSpec, NetworkSpec } from '../../../shared/network/spec.ts'
import { buildGraph, type Graph } from '../graph.ts'
import type { Tensor, TensorFlow, Tensors } from '../layer.ts'
import { walkDown, walkUp, type WalkUp } from '../walk.ts'

/** The layer under test is named 'layer', its inputs 'input', and for several inputs the branches 'branch1' … of the input. */
export class SingleLayer {
  readonly graph: Graph
  readonly weights: Tensors
  readonly #tf: TensorFlow

  /** @param layer without its name, as it would stand in a network; defaults are filled in */
  constructor(
    tf: TensorFlow,
    layer: Readonly<Record<string, unknown>>,
    inputShape: readonly number[],
    weights: Tensors,
  ) {
    const [height = 1, width = 1, channels = 1] = inputShape.length === 3 ? inputShape : [1, 1, inputShape[0] ?? 1]
    const flat = inputShape.length === 1 ? [LayerSpec.parse({ name: 'flat', type: 'flatten' })] : []
    this.graph = buildGraph(
      NetworkSpec.parse({
        format: 'convscope-network',
        version: 1,
        name: 'single-layer',
        title: 'A single layer',
        preprocessing: { channelOrder: 'grey' },
        layers: [
          { name: 'input', type: 'input', shape: [height, width, channels] },
          ...flat,
          { name: 'layer', ...layer },
        ],
      }),
    )
    this.weights = weights
    this.#tf = tf
  }

  /** The layer whose output the layer reads. */
  get #below(): string {
    return this.graph.layers.at(-2)?.name ?? 'input'
  }

  up(x: Tensor, saving = true): WalkUp {
    return walkUp(this.#tf, this.graph, { layer: this.weights }, x, {
      from: this.#below,
      mode: { training: false, saving },
    })
  }

  output(x: Tensor): Tensor {
    const walk = this.up(x, false)
    const output = walk.outputs['layer']
    if (output === undefined) throw new Error('the layer gave no output')
    return output
  }

  down(walk: WalkUp, signal: Tensor, rules: BackwardRules): Tensor {
    return walkDown(this.#tf, this.graph, { layer: this.weights }, walk.saved, signal, {
      from: 'layer',
      to: this.#below,
      rules,
    })
  }

  /** Gradients of sum(output * signal) by the library's tape, in training mode: of the input, then of each weight. */
  tape(x: Tensor, signal: Tensor, masks: Tensors = {}): { readonly input: Tensor; readonly weights: Tensors } {
    const names = Object.keys(this.weights)
    const gradients = this.#tf.grads((input: Tensor, ...weights: Tensor[]) => {
      const layer = Object.fromEntries(names.map((name, index) => [name, weights[index] ?? input]))
      const walk = walkUp(this.#tf, this.graph, { layer }, input, {
        from: this.#below,
        mode: { training: true, saving: false, masks },
      })
      return this.#tf.sum(this.#tf.mul(walk.outputs['layer'] ?? input, signal))
    })([x, ...names.map((name) => this.weights[name] ?? x)])
    const [input, ...weights] = gradients
    if (input === undefined) throw new Error('the tape gave no gradient')
    return { input, weights: Object.fromEntries(names.map((name, index) => [name, weights[index] ?? input])) }
  }
}
