/** Top activations: a scan of a data set, the places of what it found, and their projections (Zeiler & Fergus 2013, figure 2). */
import { ConvScopeError } from '../../shared/errors.ts'
import {
  topOutput,
  type DrawnChannels,
  type TopActivationsParams,
  type TopActivationsResult,
  type TopChannel,
  type TopEntry,
} from '../../shared/experiments/top-activations.ts'
import { layerNamed } from '../network/graph.ts'
import type { Network } from '../network/network.ts'
import { drawnChannels } from '../study/drawn-channels.ts'
import { locate, type LocatedUnit } from '../study/locate.ts'
import { PictureSource } from '../study/picture-source.ts'
import { cachedScan } from '../study/cached-scan.ts'
import { topTable } from '../study/tables.ts'
import { drawTop } from '../study/top-drawing.ts'
import type { TopTable } from '../study/top-table.ts'
import type { Experiment } from './experiment.ts'

type LayerResult = TopActivationsResult['layers'][number]

export const topActivations: Experiment<TopActivationsParams, TopActivationsResult> = async function* (
  params,
  context,
) {
  const { network, record } = await context.network(params.network)
  const layers = [...new Set(params.layers)]
  for (const layer of layers) requireScannable(network, layer, params.drawn)
  const data = await context.dataset(params.dataset, params.split)
  const source = new PictureSource(data, network, params.pictureCount)
  const subject = { network: record.hash, dataset: data.record.hash, split: params.split }
  const options = { layers, count: params.count, batchSize: params.batchSize }
  const { tables, cached, scanned, seconds, forget } = yield* cachedScan(network, source, options, subject, context)

  const results: LayerResult[] = []
  for (const layer of layers) {
    const table = tables.get(layer)
    if (!table) throw new RangeError(`the scan has no table of ${layer}`)
    const located = yield* locate(context.engine, network, source, layer, table, forget)
    const channels = located.map((units, channel) => channelOf(network, layer, source, table, units, channel))
    const found = { layer, classes: [...source.classes], channels }
    await context.outputJson(topOutput('channels', layer), found)
    await context.outputTable(topOutput('channels', layer), topTable(found))
    const dead = channels.filter(({ responds }) => !responds).map(({ channel }) => channel)
    if (dead.length > 0) yield { type: 'log', message: deadText(layer, dead, channels.length) }
    const drawn = drawnChannels(layer, params.drawn, channels.length, context.seed)
    yield* drawTop(network, source, { layer, drawn, dead, located, params }, context)
    const deviations = located.flat().map(({ deviation }) => Math.abs(deviation))
    const { shape } = layerNamed(network.graph, layer)
    const largestDeviation = deviations.reduce((most, deviation) => Math.max(most, deviation), 0)
    results.push({ layer, shape: [...shape], channels: channels.length, dead, drawn, largestDeviation })
  }
  return {
    network: params.network,
    dataset: params.dataset,
    split: params.split,
    pictures: source.count,
    imagesPerSecond: scanned > 0 ? scanned / seconds : 0,
    cached: [...cached],
    layers: results,
  }
}

/** @throws ConvScopeError 'not-found', or 'invalid-input' for the input itself and channels that are not there */
function requireScannable(network: Network, layer: string, drawn: DrawnChannels): void {
  const { shape, name } = layerNamed(network.graph, layer)
  drawnChannels(layer, drawn, shape.at(-1) ?? 1, 0)
  if (name !== network.graph.input.name) return
  throw new ConvScopeError('invalid-input', `${layer} is the input: it has no channels that respond to pictures`, {
    remedy: 'Choose a layer above it.',
  })
}

function channelOf(
  network: Network,
  layer: string,
  source: PictureSource,
  table: TopTable,
  units: readonly LocatedUnit[],
  channel: number,
): TopChannel {
  const { maximum, mean, histogram, classMeans } = table.statistics(channel)
  const top = units.map((unit) => entryOf(network, layer, source, unit))
  const classCounts = new Array<number>(source.classes.length).fill(0)
  for (const { class: label } of top) if (label !== null) classCounts[label] = (classCounts[label] ?? 0) + 1
  return { channel, responds: table.responds(channel), top, maximum, mean, histogram, classCounts, classMeans }
}

function entryOf(network: Network, layer: string, source: PictureSource, unit: LocatedUnit): TopEntry {
  const { picture, value, row, column, deviation } = unit
  const { shape, view } = layerNamed(network.graph, layer)
  const [row0, row1, column0, column1] = network.receptiveBox(layer, row, column).unclipped
  return {
    picture,
    value,
    position: shape.length === 3 ? [row, column] : null,
    field: view === 'global' ? null : [row0, row1, column0, column1],
    class: source.label(picture),
    deviation,
  }
}

function deadText(layer: string, dead: readonly number[], channels: number): string {
  const some = dead.slice(0, 20).join(', ')
  const rest = dead.length > 20 ? ' …' : ''
  return `${dead.length} of ${channels} channels of ${layer} are dead, no picture changes them: ${some}${rest}`
}
