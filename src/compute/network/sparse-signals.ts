/** Which layers get a signal on the way down that is mostly zeros. */
import type { WalkRules } from '../../shared/network/rules.ts'
import type { LayerSpec, LayerType } from '../../shared/network/spec.ts'
import { CELLS_EACH_WINDOW } from '../engines/tensorflow-walk-kernels.ts'
import type { GraphLayer } from './graph.ts'
import { RECTIFIERS } from './rectifier.ts'

/** Goes with a walk from the top down: tell it of every layer whose signal goes on, and ask it about those below. */
export class SparseSignals {
  readonly #sparse = new Map<string, boolean>()

  /** Whether the signal at the layer's output is mostly zeros. */
  at(layer: string): boolean {
    return this.#sparse.get(layer) === true
  }

  /** `layer` sends its signal to its inputs; where several layers send, all must be sparse. */
  sent(layer: GraphLayer, rules: WalkRules): void {
    const sparse = makesSparse(layer) || (this.at(layer.name) && keepsZeros(layer.spec, rules))
    for (const name of layer.inputs) this.#sparse.set(name, sparse && this.#sparse.get(name) !== false)
  }
}

function makesSparse({ spec, shape, inputShapes }: GraphLayer): boolean {
  if (spec.type !== 'max-pool') return false
  const [height = 0, width = 0] = inputShapes[0] ?? []
  return height * width >= CELLS_EACH_WINDOW * (shape[0] ?? 0) * (shape[1] ?? 0)
}

/** Layers that send 0 where they get 0. */
const KEEP_ZEROS: ReadonlySet<LayerType> = new Set([
  ...RECTIFIERS,
  'sigmoid',
  'tanh',
  'dropout',
  'batch-norm',
  'padding',
])

function keepsZeros({ type }: LayerSpec, rules: WalkRules): boolean {
  return KEEP_ZEROS.has(type) || (type === 'lrn' && rules.lrn === 'identity')
}
