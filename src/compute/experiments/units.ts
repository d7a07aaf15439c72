/** Choosing units of a layer by what they do on one picture. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { DeconvnetParams, SeedRule } from '../../shared/experiments/deconvnet.ts'

/** A layer's output for one picture: `[height, width, channels]`, or `[units]` with height and width 1. */
export interface LayerOutput {
  readonly layer: string
  readonly values: Float32Array
  readonly height: number
  readonly width: number
  readonly channels: number
  /** False for a layer of units without places. */
  readonly spatial: boolean
}

export interface ChannelSummary {
  readonly maximum: number
  readonly mean: number
  /** First maximum in row-major order. */
  readonly row: number
  readonly column: number
}

export interface Unit {
  readonly channel: number
  readonly row: number
  readonly column: number
  readonly value: number
}

export function layerOutput(layer: string, shape: readonly number[], values: Float32Array): LayerOutput {
  const [height = 1, width = 1, channels = 1] = shape.length === 3 ? shape : [1, 1, shape[0] ?? 1]
  return { layer, values, height, width, channels, spatial: shape.length === 3 }
}

export function channelSummaries({ values, height, width, channels }: LayerOutput): ChannelSummary[] {
  return Array.from({ length: channels }, (_, channel) => {
    let maximum = -Infinity
    let sum = 0
    let place = 0
    for (let index = 0; index < height * width; index++) {
      const value = values[index * channels + channel] ?? 0
      sum += value
      if (value > maximum) {
        maximum = value
        place = index
      }
    }
    return { maximum, mean: sum / (height * width), row: Math.floor(place / width), column: place % width }
  })
}

/**
 * The units of the choice in the order in which they are projected.
 * @throws ConvScopeError 'invalid-input' that names the layer, what is asked for and what there is
 */
export function chooseUnits(
  choice: DeconvnetParams['units'],
  seed: SeedRule,
  output: LayerOutput,
  summaries: readonly ChannelSummary[],
): Unit[] {
  const strongestOf = (channel: number): Unit => {
    const { row, column, maximum } = summaries[channel] ?? { row: 0, column: 0, maximum: 0 }
    return { channel, row, column, value: maximum }
  }
  if (choice.kind === 'all') return summaries.map((_, channel) => strongestOf(channel))
  if (choice.kind === 'strongest') {
    return summaries
      .map((_, channel) => strongestOf(channel))
      .sort((a, b) => b.value - a.value || a.channel - b.channel)
      .slice(0, choice.count)
  }
  return choice.units.map(({ channel, position }) => {
    if (channel >= output.channels) {
      throw notThere(
        output,
        `has no ${unitName(output)} ${channel}: its ${unitName(output)}s are 0 to ${output.channels - 1}`,
      )
    }
    if (position === undefined || seed === 'map-maximum') return strongestOf(channel)
    const [row, column] = position
    if (!output.spatial) throw notThere(output, `has no places, so there is no position [${row}, ${column}] in it`)
    if (row >= output.height || column >= output.width) {
      throw notThere(
        output,
        `has no position [${row}, ${column}]: its rows are 0 to ${output.height - 1}, its columns 0 to ${output.width - 1}`,
      )
    }
    const value = output.values[(row * output.width + column) * output.channels + channel] ?? 0
    return { channel, row, column, value }
  })
}

function unitName({ spatial }: LayerOutput): string {
  return spatial ? 'channel' : 'unit'
}

function notThere({ layer }: LayerOutput, reason: string): ConvScopeError {
  return new ConvScopeError('invalid-input', `Layer ${layer} ${reason}`, { remedy: 'Choose one that is there.' })
}
