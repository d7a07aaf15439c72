/** Why something that is shown of a unit is empty: a picture of zeros deserves a reason. */
import { action } from '../../shared/actions.ts'
import type { Finding } from '../../shared/network/finding.ts'
import { layerNamed, type Graph, type GraphLayer } from '../network/graph.ts'

export interface ZeroCase {
  readonly graph: Graph
  readonly layer: string
  readonly channel: number
  /** Smallest and largest value of the channel on this picture. */
  readonly range: readonly [minimum: number, maximum: number]
  /** The value at the chosen place, where one was chosen. */
  readonly value?: number
  /** Whether every weight of its filter is 0; see `zeroFilters`. */
  readonly zeroFilter?: boolean
  /** The layer at which the way down ends; the input when left out. */
  readonly to?: string
}

/** A probability so near to 1 (or 0) that its gradient is nothing in float32. */
const CERTAIN = 1e-6
/** Layers that give 0 for every input up to 0. */
const RECTIFIERS: readonly string[] = ['relu', 'relu6']
/** Layers that hand on zeros as zeros. */
const PASSING: readonly string[] = [
  'max-pool',
  'avg-pool',
  'global-max-pool',
  'global-avg-pool',
  'lrn',
  'dropout',
  'flatten',
]

/** The most basic reason that applies; undefined where none is known. */
export function explainZero(given: ZeroCase): Finding | undefined {
  const layer = layerNamed(given.graph, given.layer)
  const { channel, range } = given
  const unit = `${layer.shape.length === 1 ? 'Unit' : 'Channel'} ${channel} of ${layer.name}`
  const [least, most] = range
  const about = { layer: layer.name, severity: 'note' } as const
  if (Number.isNaN(least) || Number.isNaN(most)) {
    return {
      ...about,
      code: 'not-finite',
      severity: 'error',
      message: `${unit} has values that are no numbers on this picture.`,
      remedy: `${action('examine-network')} Weights may be damaged, or the range of the input wrong.`,
    }
  }
  if (given.to !== undefined && !dependsOn(given.graph, layer, given.to)) {
    return {
      ...about,
      code: 'independent',
      message: `${layer.name} does not depend on ${given.to}, so nothing of it arrives there.`,
      remedy: `Choose a layer that leads to ${layer.name}.`,
    }
  }
  if (given.zeroFilter === true) {
    return {
      ...about,
      code: 'zero-filter',
      message: `${unit} has a filter of zeros: no picture changes it.`,
      remedy: 'Choose another channel.',
    }
  }
  return inactive(given, layer, unit) ?? saturated(given, layer, unit)
}

function inactive({ graph, range, value }: ZeroCase, layer: GraphLayer, unit: string): Finding | undefined {
  const rectifier = rectifierOf(graph, layer)
  const about = { layer: layer.name, severity: 'note' } as const
  const [least, most] = range
  if (rectifier !== undefined && most <= 0) {
    const below = graph.byName.get(rectifier.inputs[0] ?? '')?.name ?? rectifier.name
    return {
      ...about,
      code: 'never-active',
      message: `${unit} is never active on this picture: after ${rectifier.name} it is 0 everywhere, and where a ReLU gives 0 its derivative is 0 as well.`,
      remedy: `Choose another picture or channel, or look at ${below}, the layer before the ReLU, whose values are not cut off.`,
    }
  }
  if (least === 0 && most === 0) {
    return {
      ...about,
      code: 'zero-everywhere',
      message: `${unit} is 0 everywhere on this picture.`,
      remedy: 'Choose another channel or another picture.',
    }
  }
  if (value === 0) {
    const active = rectifier === undefined ? 'its largest value' : 'where it is most active'
    return {
      ...about,
      code: 'inactive-here',
      message: `${unit} is 0 at this place, though it reaches ${Number(most.toPrecision(3))} elsewhere.`,
      remedy: `Choose another place, for example ${active}.`,
    }
  }
  return undefined
}

function saturated({ graph, range, value }: ZeroCase, layer: GraphLayer, unit: string): Finding | undefined {
  const about = { layer: layer.name, severity: 'note' } as const
  const at = value ?? range[1]
  const below = graph.byName.get(layer.inputs[0] ?? '')?.name ?? layer.name
  const { type } = layer.spec
  const message =
    (type === 'softmax' || type === 'sigmoid') && (at > 1 - CERTAIN || at < CERTAIN)
      ? `${unit} is ${at > 0.5 ? 1 : 0} to within a millionth, where the ${type} is flat: its gradient is nearly 0.`
      : type === 'tanh' && Math.abs(at) > 1 - CERTAIN
        ? `${unit} is ${at > 0 ? 1 : -1} to within a millionth, where tanh is flat: its gradient is nearly 0.`
        : type === 'relu6' && at >= 6
          ? `${unit} is cut off at 6, where its derivative is 0.`
          : undefined
  if (message === undefined) return undefined
  return { ...about, code: 'saturated', message, remedy: `Choose ${below}, the layer before it.` }
}

/** The rectifier whose zeros a layer shows: itself, or the nearest one below layers that hand zeros on. */
function rectifierOf({ byName }: Pick<Graph, 'byName'>, layer: GraphLayer): GraphLayer | undefined {
  if (RECTIFIERS.includes(layer.spec.type)) return layer
  if (!PASSING.includes(layer.spec.type)) return undefined
  const below = byName.get(layer.inputs[0] ?? '')
  return below === undefined ? undefined : rectifierOf({ byName }, below)
}

function dependsOn({ layers }: Graph, layer: GraphLayer, on: string): boolean {
  const above = new Set([on])
  for (const { name, inputs } of layers) if (inputs.some((input) => above.has(input))) above.add(name)
  return above.has(layer.name)
}
