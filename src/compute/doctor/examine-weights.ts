/** What is wrong with the numbers of a network themselves. */
import type { Finding } from '../../shared/network/finding.ts'
import type { GraphLayer } from '../network/graph.ts'
import type { Network } from '../network/network.ts'
import { listed, plural } from './wording.ts'

/** Trained weights are seldom above 10. */
const HUGE = 1e5

/** NaN, infinite and huge values, parameters of one value, filters of zeros, negative variances. Reads every weight once. */
export async function examineWeights(network: Network): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const layer of network.layers) {
    for (const { name, shape } of layer.parameters) {
      const tensor = network.weights[layer.name]?.[name]
      if (tensor === undefined) continue
      findings.push(...examineParameter(layer, name, shape, await tensor.data<'float32'>()))
    }
  }
  return findings
}

/** @param values the parameter in row-major order, output channels last in a kernel */
export function examineParameter(
  layer: Pick<GraphLayer, 'name' | 'spec'>,
  parameter: string,
  shape: readonly number[],
  values: Float32Array,
): Finding[] {
  const about = { layer: layer.name } as const
  const title = `The ${parameter} of ${layer.name}`
  const { notFinite, largest, least, most } = summaryOf(values)
  if (notFinite > 0) {
    const message = `${title} has ${plural(notFinite, 'value')} of ${values.length} that ${notFinite === 1 ? 'is' : 'are'} NaN or infinite: everything above it is undefined.`
    return [
      {
        ...about,
        code: 'weights-not-finite',
        severity: 'error',
        message,
        remedy: 'Import the weights again; if they were trained, the training diverged.',
      },
    ]
  }
  const findings: Finding[] = []
  if (largest > HUGE) {
    const message = `${title} has values up to ${largest.toPrecision(3)}, far above what training gives.`
    findings.push({
      ...about,
      code: 'weights-huge',
      severity: 'warning',
      message,
      remedy: 'Check the element type and byte order of the source file.',
    })
  }
  if (parameter === 'variance' && least < 0) {
    const message = `${title} is negative in places (${least.toPrecision(3)}): normalisation gives NaN there.`
    findings.push({
      ...about,
      code: 'variance-negative',
      severity: 'error',
      message,
      remedy: 'Check which tensor of the source file it was bound to.',
    })
  }
  if (parameter !== 'kernel') return findings
  if (values.length > 1 && least === most) {
    const message = `${title} is ${least} everywhere: the layer was not trained or its weights were not found.`
    findings.push({
      ...about,
      code: 'weights-constant',
      severity: 'warning',
      message,
      remedy: 'Import the weights again.',
    })
    return findings
  }
  const zero = zeroFilters(layer.spec.type, shape, values)
  if (zero.length > 0) {
    const message = `${title} has only zeros in ${plural(zero.length, 'channel')} (${listed(zero)}): what is shown of ${zero.length === 1 ? 'it' : 'them'} is empty.`
    findings.push({
      ...about,
      code: 'zero-filters',
      severity: 'warning',
      message,
      remedy: 'Leave these channels out of what you look at.',
    })
  }
  return findings
}

/** Output channels (or units) of which every weight is 0. */
export function zeroFilters(type: string, shape: readonly number[], values: Float32Array): number[] {
  // A transposed convolution has its output channels last but one.
  const inner = type === 'conv2d-transpose' ? (shape.at(-1) ?? 1) : 1
  const channels = shape.at(type === 'conv2d-transpose' ? -2 : -1) ?? 1
  const used = new Uint8Array(channels)
  for (let index = 0; index < values.length; index++) {
    if (values[index] !== 0) used[Math.floor(index / inner) % channels] = 1
  }
  return [...used.keys()].filter((channel) => used[channel] === 0)
}

function summaryOf(values: Float32Array): { notFinite: number; largest: number; least: number; most: number } {
  let notFinite = 0
  let least = Infinity
  let most = -Infinity
  for (const value of values) {
    if (!Number.isFinite(value)) notFinite++
    else {
      if (value < least) least = value
      if (value > most) most = value
    }
  }
  return { notFinite, largest: Math.max(Math.abs(least), Math.abs(most)), least, most }
}
