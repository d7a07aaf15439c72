/** Activation statistics: one pass over a data set that sums up the activations of every channel, alone and in pairs. */
import { ConvScopeError } from '../../shared/errors.ts'
import {
  MOST_CORRELATED_CHANNELS,
  statisticsOutput,
  type ActivationStatisticsParams,
  type ActivationStatisticsResult,
  type ChannelDistribution,
  type LayerStatistics,
  type SampledValues,
} from '../../shared/experiments/activation-statistics.ts'
import { layerNamed } from '../network/graph.ts'
import type { Tensor, TensorFlow } from '../network/layer.ts'
import type { Network } from '../network/network.ts'
import { ChannelMoments } from '../study/channel-moments.ts'
import { correlationPicture } from '../study/colours.ts'
import { passOver } from '../study/data-pass.ts'
import { factorTo, magnified } from '../study/figures.ts'
import { PictureSource } from '../study/picture-source.ts'
import type { Experiment, ExperimentContext } from './experiment.ts'
import { sizeOf } from '../../shared/size-of.ts'

type LayerResult = ActivationStatisticsResult['layers'][number]

/** Products that are summed up before others get a turn. */
const PRODUCTS_A_TURN = 2e7
/** Values of a layer that are read back at once (64 MB). */
const READ_FLOATS = 16 * 1024 * 1024
const MOST_PAIRS = 20
const FIGURE_SIDE = 512

export const activationStatistics: Experiment<ActivationStatisticsParams, ActivationStatisticsResult> =
  async function* (params, context) {
    const { network } = await context.network(params.network)
    const layers = [...new Set(params.layers)]
    for (const layer of layers) requireSummable(network, layer)
    const source = new PictureSource(await context.dataset(params.dataset, params.split), network, params.pictureCount)
    yield { type: 'log', message: `Summing up ${layers.join(', ')} over ${source.count} pictures` }
    const moments = yield* passOver(
      network,
      source,
      {
        layers,
        batchSize: batchSizeOf(network, layers, params),
        checkpointName: 'The checkpoint of the activation statistics',
        stepName: 'activations',
        reduce: (tf, output) => sampled(tf, output, params.values),
        table: (layer, saved) => new ChannelMoments(layerNamed(network.graph, layer).shape.at(-1) ?? 1, saved),
        record: addInTurns,
      },
      context,
    )
    const results: LayerResult[] = []
    for (const [layer, found] of moments) {
      const { shape } = layerNamed(network.graph, layer)
      const matrix = found.correlations()
      const channels = Array.from({ length: found.channels }, (_, channel) => channel)
      await write(context, { layer, values: params.values, ...summary(found) }, matrix)
      results.push({
        layer,
        shape: [...shape],
        channels: found.channels,
        samples: found.samples,
        constant: channels.filter((channel) => found.isConstant(channel)),
        strongest: strongestPairs(matrix, found.channels),
      })
      yield { type: 'turn' }
    }
    const { network: name, dataset, split } = params
    return { network: name, dataset, split, pictures: source.count, layers: results }
  }

/** @throws ConvScopeError 'not-found', 'too-large' for more channels than a matrix may have */
function requireSummable(network: Network, layer: string): void {
  const channels = layerNamed(network.graph, layer).shape.at(-1) ?? 1
  if (channels <= MOST_CORRELATED_CHANNELS) return
  throw new ConvScopeError(
    'too-large',
    `Layer ${layer} of ${network.spec.name} has ${channels} channels: correlations are computed of ${MOST_CORRELATED_CHANNELS} at most`,
    { remedy: 'Choose another layer.' },
  )
}

function batchSizeOf(network: Network, layers: readonly string[], { values, batchSize }: ActivationStatisticsParams) {
  if (values !== 'places') return batchSize
  const largest = Math.max(...layers.map((layer) => sizeOf(layerNamed(network.graph, layer).shape)))
  return Math.max(1, Math.min(batchSize, Math.floor(READ_FLOATS / largest)))
}

/** `[batch, height, width, channels]` as it is, or one value a picture. */
function sampled(tf: TensorFlow, output: Tensor, values: SampledValues): Tensor {
  if (output.shape.length !== 4 || values === 'places') return output
  return values === 'mean' ? tf.mean(output, [1, 2]) : tf.max(output, [1, 2])
}

function* addInTurns(moments: ChannelMoments, values: Float32Array): Generator<void, void, void> {
  const { channels } = moments
  const rows = Math.max(1, Math.floor(PRODUCTS_A_TURN / (channels * channels)))
  for (let start = 0; start < values.length; start += rows * channels) {
    if (start > 0) yield
    moments.add(values.subarray(start, start + rows * channels))
  }
}

function summary(moments: ChannelMoments): Pick<LayerStatistics, 'samples' | 'channels'> {
  const channels = Array.from({ length: moments.channels }, (_, channel): ChannelDistribution => ({
    channel,
    ...moments.of(channel),
  }))
  return { samples: moments.samples, channels }
}

function strongestPairs(matrix: Float64Array, channels: number): LayerResult['strongest'] {
  const pairs: LayerResult['strongest'] = []
  for (let row = 0; row < channels; row++) {
    for (let column = row + 1; column < channels; column++) {
      const correlation = matrix[row * channels + column] ?? NaN
      if (!Number.isNaN(correlation)) pairs.push({ channels: [row, column], correlation })
    }
  }
  return pairs.sort((a, b) => Math.abs(b.correlation) - Math.abs(a.correlation)).slice(0, MOST_PAIRS)
}

async function write(context: ExperimentContext, statistics: LayerStatistics, matrix: Float64Array): Promise<void> {
  const { layer, channels } = statistics
  const size = channels.length
  const line = (row: number): number[] => [...matrix.subarray(row * size, (row + 1) * size)]
  await context.outputArray(statisticsOutput('correlation', layer), [size, size], matrix)
  await context.outputTable(statisticsOutput('correlation', layer), {
    columns: ['channel', ...channels.map(({ channel }) => String(channel))],
    rows: channels.map(({ channel }) => [channel, ...line(channel)]),
  })
  await context.outputJson(statisticsOutput('statistics', layer), statistics)
  await context.outputTable(statisticsOutput('statistics', layer), {
    columns: ['channel', 'minimum', 'maximum', 'mean', 'deviation', 'zeros'],
    rows: channels.map((own) => [own.channel, own.minimum, own.maximum, own.mean, own.deviation, own.zeros]),
  })
  if (!context.pictures) return
  const figure = magnified(correlationPicture(matrix, size), factorTo(FIGURE_SIDE, size, size))
  await context.outputPicture(statisticsOutput('correlation', layer), figure.width, figure.height, 3, figure.pixels)
}
