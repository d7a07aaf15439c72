/**
 * In which order a dense layer expects its inputs, as its weights show it: units of one channel are used alike, because a channel means
 * the same everywhere. The share of the variance of the rows' norms that lies between channels is far above chance in the right order.
 */
import { action } from '../../shared/actions.ts'
import type { Finding } from '../../shared/network/finding.ts'
import type { GraphLayer } from '../network/graph.ts'
import type { Network } from '../network/network.ts'
import { mapShape } from '../network/layer.ts'

/** So many standard deviations above chance, and at least so many times chance, count as structure. */
const DEVIATIONS = 6
const TIMES = 3

export interface OrderEvidence {
  /** Share of variance between channels if the inputs are in the order h, w, c. */
  readonly hwc: number
  readonly chw: number
  /** What either would be by chance. */
  readonly chance: number
}

/** @param kernel `[height * width * channels, units]` */
export function orderEvidence(
  kernel: Float32Array,
  units: number,
  [height, width, channels]: readonly [number, number, number],
): OrderEvidence {
  const places = height * width
  const norms = Float64Array.from({ length: places * channels }, (_, row) => {
    let sum = 0
    for (let unit = 0; unit < units; unit++) sum += (kernel[row * units + unit] ?? 0) ** 2
    return Math.sqrt(sum)
  })
  return {
    hwc: shareBetween(norms, channels, (row) => row % channels),
    chw: shareBetween(norms, channels, (row) => Math.floor(row / places)),
    chance: (channels - 1) / (places * channels - 1),
  }
}

/** A finding for every dense layer whose weights look as if its flatten layer had the other order. */
export async function examineFlattenOrder(network: Network): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const { dense, flatten } of denseAfterFlatten(network)) {
    const kernel = network.weights[dense.name]?.['kernel']
    if (kernel === undefined || flatten.spec.type !== 'flatten') continue
    const evidence = orderEvidence(await kernel.data<'float32'>(), dense.shape[0] ?? 1, mapShape(flatten.inputShapes))
    const { order } = flatten.spec
    const other = order === 'hwc' ? 'chw' : 'hwc'
    const [, , channels] = mapShape(flatten.inputShapes)
    const times = Math.max(TIMES, 1 + DEVIATIONS * Math.sqrt(2 / (channels - 1)))
    const structured = evidence[other] > Math.min(times * evidence.chance, (1 + evidence.chance) / 2)
    if (!structured || evidence[order] > (evidence[other] + evidence.chance) / 2) continue
    findings.push({
      code: 'flatten-order',
      severity: 'warning',
      layer: flatten.name,
      message: `The weights of ${dense.name} look as if its inputs came channel by channel in the other order: ${(100 * evidence[other]).toFixed(0)} % of their variation is between channels in the order ${letters(other)}, ${(100 * evidence[order]).toFixed(0)} % in the order ${letters(order)}.`,
      remedy: `Try the order "${other}" for ${flatten.name} and compare the accuracy. ${action('change-layers')}`,
    })
  }
  return findings
}

function letters(order: 'hwc' | 'chw'): string {
  return order === 'hwc' ? 'height, width, channels' : 'channels, height, width'
}

/** Dense layers that read a flattened map of several places and channels. */
function denseAfterFlatten(network: Network): { dense: GraphLayer; flatten: GraphLayer }[] {
  return network.layers.flatMap((dense) => {
    if (dense.spec.type !== 'dense') return []
    let below = network.graph.byName.get(dense.inputs[0] ?? '')
    while (below?.spec.type === 'dropout') below = network.graph.byName.get(below.inputs[0] ?? '')
    if (below?.spec.type !== 'flatten' || below.inputShapes[0]?.length !== 3) return []
    const [height, width, channels] = mapShape(below.inputShapes)
    return height * width > 1 && channels > 1 ? [{ dense, flatten: below }] : []
  })
}

/** Of the whole variance, the share of the groups' means. */
function shareBetween(values: Float64Array, groups: number, groupOf: (index: number) => number): number {
  const sums = new Float64Array(groups)
  const counts = new Float64Array(groups)
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  let total = 0
  for (const [index, value] of values.entries()) {
    const group = groupOf(index)
    sums[group] = (sums[group] ?? 0) + value
    counts[group] = (counts[group] ?? 0) + 1
    total += (value - mean) ** 2
  }
  if (total === 0) return 0
  const between = sums.reduce(
    (sum, part, group) => sum + (counts[group] ?? 0) * (part / (counts[group] ?? 1) - mean) ** 2,
    0,
  )
  return between / total
}
