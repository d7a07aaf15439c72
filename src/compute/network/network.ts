/** A network on an engine: the two walks with tensors that are owned and disposed. */
import type { LayerPage } from '../../shared/network/page.ts'
import type { BackwardRules } from '../../shared/network/rules.ts'
import type { NetworkSpec } from '../../shared/network/spec.ts'
import { mapShape, need, type Shape, type Tensor, type TensorFlow, type Tensors } from './layer.ts'
import { buildGraph, layerNamed, layerPages, type Graph, type GraphLayer } from './graph.ts'
import { switchPlaces } from './layers/max-pool.ts'
import { withMeanImage } from './mean-image.ts'
import { boxOf, clipBox, type Box } from './receptive-field.ts'
import { decodeSafetensors } from './safetensors.ts'
import { walkDown, walkUp, type Weights } from './walk.ts'
import { readWeights } from './weights.ts'
import { windowsOf } from './windows.ts'

export interface ForwardOptions {
  /** The last layer to compute; the network's output when left out. */
  readonly to?: string
  /** Layers whose outputs can be read besides that of `to`. */
  readonly keep?: readonly string[] | 'all'
  /** The layer whose output the input is, to start in the middle. */
  readonly from?: string
  /** False when no walk down follows: saves memory and the search for switches. */
  readonly backward?: boolean
}

export interface BackwardOptions {
  /** The layer at whose output the signal starts. */
  readonly from: string
  /** `[signals, ...shape of from]`; where the way up had batch 1, any number of signals. */
  readonly signal: Tensor
  /** The layer at whose output the walk ends; the input layer when left out. */
  readonly to?: string
  readonly rules: BackwardRules
}

/** What a walk up computed. Owns its tensors until `dispose`; inside `tf.tidy` the tidy owns them, as usual. */
export class Activations {
  readonly batch: number
  readonly #graph: Graph
  readonly #outputs: Tensors
  readonly #saved: Readonly<Record<string, Tensors>> | undefined
  readonly #tf: TensorFlow

  constructor(
    tf: TensorFlow,
    graph: Graph,
    batch: number,
    outputs: Tensors,
    saved: Readonly<Record<string, Tensors>> | undefined,
  ) {
    this.#tf = tf
    this.#graph = graph
    this.batch = batch
    this.#outputs = outputs
    this.#saved = saved
  }

  /** Whether the output of a layer was kept. */
  has(layer: string): boolean {
    return Object.hasOwn(this.#outputs, layer)
  }

  /** The output of a kept layer, `[batch, ...shape]`; stays owned by the activations. */
  get(layer: string): Tensor {
    return need(this.#outputs, layerNamed(this.#graph, layer).name)
  }

  /** @throws RangeError when the walk up was made with `backward: false`. */
  get saved(): Readonly<Record<string, Tensors>> {
    if (this.#saved === undefined)
      throw new RangeError('these activations were computed without keeping what a walk down needs')
    return this.#saved
  }

  /**
   * Where each window of a max-pool layer found its maximum: int32 `[batch, rows, columns, channels]`, `row * width + column` in the
   * layer's input. The caller disposes the tensor.
   */
  switches(layer: string): Tensor {
    const { spec, inputShapes, name } = layerNamed(this.#graph, layer)
    if (spec.type !== 'max-pool') throw new RangeError(`${name} is of type ${spec.type} and has no switches`)
    const [height, width] = mapShape(inputShapes)
    return switchPlaces(this.#tf, windowsOf(spec, height, width), need(need(this.saved, name), 'winners'))
  }

  /** Gives back all outputs and what was saved for the way down. */
  dispose(): void {
    for (const tensor of Object.values(this.#outputs)) tensor.dispose()
    for (const saved of Object.values(this.#saved ?? {})) for (const tensor of Object.values(saved)) tensor.dispose()
  }
}

export class Network {
  readonly graph: Graph
  readonly #tf: TensorFlow
  readonly #weights: Weights
  readonly #onDispose: (() => void)[] = []

  private constructor(tf: TensorFlow, graph: Graph, weights: Weights) {
    this.#tf = tf
    this.graph = graph
    this.#weights = weights
  }

  /**
   * Checks the specification, reads the weights and brings them to the engine.
   * @param weights a safetensors file with the tensors that `storedTensors` names
   * @throws ConvScopeError 'invalid-input' or 'damaged' that names the layer and the reason
   */
  static load(tf: TensorFlow, spec: NetworkSpec, weights: Uint8Array): Network {
    const file = decodeSafetensors(weights)
    const graph = buildGraph(withMeanImage(spec, file))
    return new Network(tf, graph, readWeights(tf, graph, file))
  }

  /** A network of weights that are on the engine already; it becomes their owner. */
  static of(tf: TensorFlow, graph: Graph, weights: Weights): Network {
    return new Network(tf, graph, weights)
  }

  get spec(): NetworkSpec {
    return this.graph.spec
  }

  get layers(): readonly GraphLayer[] {
    return this.graph.layers
  }

  /** By layer name: `[height, width, channels]` or `[units]`. */
  get shapes(): Readonly<Record<string, Shape>> {
    return Object.fromEntries(this.graph.layers.map((layer) => [layer.name, layer.shape]))
  }

  /** By layer name, then by parameter name; owned by the network. */
  get weights(): Weights {
    return this.#weights
  }

  /** @param input `[batch, height, width, channels]` in network space, or `[batch, ...shape of from]`; stays the caller's. */
  forward(input: Tensor, options: ForwardOptions = {}): Activations {
    const saving = options.backward !== false
    const { outputs, saved } = this.#tf.tidy(() => {
      // A copy by reference, so that disposing the activations leaves the caller's tensor alone.
      const walk = walkUp(this.#tf, this.graph, this.#weights, this.#tf.clone(input), {
        ...options,
        mode: { training: false, saving },
      })
      return { outputs: walk.outputs, saved: walk.saved }
    })
    return new Activations(this.#tf, this.graph, input.shape[0] ?? 1, outputs, saving ? saved : undefined)
  }

  /**
   * Carries a signal down by the rules. One walk takes any number of signals: over one picture (activations of batch 1), or one a
   * picture of the batch.
   * @returns `[signals, ...shape of to]`; the caller disposes it.
   */
  backward(activations: Activations, { from, signal, to, rules }: BackwardOptions): Tensor {
    this.requireSignals(activations, signal)
    return this.#tf.tidy(() =>
      walkDown(this.#tf, this.graph, this.#weights, activations.saved, signal, { from, to, rules }),
    )
  }

  /** @throws RangeError where so many signals cannot go down through activations of so many pictures. */
  requireSignals(activations: Activations, signal: Tensor): void {
    const signals = signal.shape[0] ?? 1
    if (activations.batch !== 1 && activations.batch !== signals) {
      throw new RangeError(`${signals} signals cannot go down through activations of ${activations.batch} pictures`)
    }
  }

  /** Has something disposed of together with the network. */
  onDispose(dispose: () => void): void {
    this.#onDispose.push(dispose)
  }

  /** Geometry of every layer for the library page. */
  page(): LayerPage[] {
    return layerPages(this.graph)
  }

  /**
   * The input pixels that the unit at (row, column) of a layer sees: as the geometry gives them, and the part inside the picture.
   * For a layer without place (dense, global pooling) row and column do not matter.
   */
  receptiveBox(layer: string, row: number, column: number): { readonly unclipped: Box; readonly clipped: Box } {
    const unclipped = boxOf(layerNamed(this.graph, layer).view, row, column, this.graph.input.shape)
    return { unclipped, clipped: clipBox(unclipped, this.graph.input.shape) }
  }

  /** Gives the weights back; the network cannot be used afterwards. */
  dispose(): void {
    for (const dispose of this.#onDispose.splice(0)) dispose()
    for (const layer of Object.values(this.#weights)) for (const tensor of Object.values(layer)) tensor.dispose()
  }
}
