/** The two walks of a network as compiled steps, for work that repeats them. */
import type { CompiledStep, Engine } from '../engines/engine.ts'
import type { Tensor, Tensors } from './layer.ts'
import { Activations, type BackwardOptions, type ForwardOptions, type Network } from './network.ts'
import { walkDown, walkUp } from './walk.ts'

type Saved = { [layer: string]: Tensors }
type UpInputs = { input: Tensor }
type UpOutputs = { outputs: Tensors; saved: Saved }
type DownInputs = { saved: Saved; signal: Tensor }

export interface CompiledWalksOptions {
  /** Walks of a kind that run operation by operation before they are captured. Default 1: a single walk is not worth capturing. */
  readonly captureAfter?: number
}

/** How many kinds of walks (layers, rules) stay compiled in each direction; the least recently used goes first. */
const MAX_STEPS = 8

export class CompiledWalks {
  readonly #engine: Engine
  readonly #network: Network
  readonly #captureAfter: number
  readonly #up = new Map<string, CompiledStep<UpInputs, UpOutputs>>()
  readonly #down = new Map<string, CompiledStep<DownInputs, Tensor>>()

  /** The network stays the caller's and must live longer; its weights are constants of the steps. */
  constructor(engine: Engine, network: Network, { captureAfter = 1 }: CompiledWalksOptions = {}) {
    this.#engine = engine
    this.#network = network
    this.#captureAfter = captureAfter
  }

  /** As `Network.forward`. */
  async forward(input: Tensor, options: ForwardOptions = {}): Promise<Activations> {
    const { tf } = this.#engine
    const { graph, weights } = this.#network
    const saving = options.backward !== false
    const { to, from, keep } = options
    const step = recent(this.#up, JSON.stringify([to, from, keep, saving]), () =>
      this.#engine.compile<UpInputs, UpOutputs>(
        ({ input: given }) => {
          const { outputs, saved } = walkUp(tf, graph, weights, given, {
            to,
            from,
            keep,
            mode: { training: false, saving },
          })
          return { outputs, saved }
        },
        { name: `walk up to ${to ?? graph.output.name}`, captureAfter: this.#captureAfter },
      ),
    )
    const { outputs, saved } = await step.run({ input })
    return new Activations(tf, graph, input.shape[0] ?? 1, outputs, saving ? saved : undefined)
  }

  /** As `Network.backward`. */
  async backward(activations: Activations, options: BackwardOptions): Promise<Tensor> {
    const { tf } = this.#engine
    const { graph, weights } = this.#network
    const { from, to, rules, signal } = options
    this.#network.requireSignals(activations, signal)
    const step = recent(this.#down, JSON.stringify([from, to, rules]), () =>
      this.#engine.compile<DownInputs, Tensor>(
        (inputs) => walkDown(tf, graph, weights, inputs.saved, inputs.signal, { from, to, rules }),
        { name: `walk down from ${from}`, captureAfter: this.#captureAfter },
      ),
    )
    return step.run({ saved: { ...activations.saved }, signal })
  }

  dispose(): void {
    for (const step of [...this.#up.values(), ...this.#down.values()]) step.dispose()
    this.#up.clear()
    this.#down.clear()
  }
}

const walksOf = new WeakMap<Network, CompiledWalks>()

/** The compiled walks of a network, made when they are first asked for; they are disposed with the network. */
export function compiledWalks(engine: Engine, network: Network): CompiledWalks {
  const known = walksOf.get(network)
  if (known !== undefined) return known
  const walks = new CompiledWalks(engine, network)
  walksOf.set(network, walks)
  network.onDispose(() => walks.dispose())
  return walks
}

/** The step of that key, made if it is not there, as the most recent one of the map. */
export function recent<S extends { dispose(): void }>(steps: Map<string, S>, key: string, make: () => S): S {
  const step = steps.get(key) ?? make()
  steps.delete(key)
  steps.set(key, step)
  const [oldest] = steps
  if (oldest !== undefined && steps.size > MAX_STEPS) {
    oldest[1].dispose()
    steps.delete(oldest[0])
  }
  return step
}
