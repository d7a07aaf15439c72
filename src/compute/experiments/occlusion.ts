/** Occlusion: a square moves over the picture (Zeiler & Fergus 2013, section 4.2). */
import { classColour } from '../../shared/class-colours.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import type { OcclusionParams, OcclusionResult } from '../../shared/experiments/occlusion.ts'
import { layerNamed } from '../network/graph.ts'
import { firstMaximum } from '../network/seeds.ts'
import { pasteWindow } from '../network/windowed-batch.ts'
import type { Network } from '../network/network.ts'
import { className, hasScores, lastFeatureLayer } from '../study/class-scores.ts'
import { heatPicture, labelPicture } from '../study/colours.ts'
import { beside, factorTo, magnified } from '../study/figures.ts'
import { coverage, meanMap, occlusionGrid, type OcclusionGrid } from '../study/occlusion-grid.ts'
import { OcclusionWalk, type OcclusionRecords } from '../study/occlusion-walk.ts'
import { projectUnits } from '../study/unit-projections.ts'
import type { Experiment, ExperimentContext } from './experiment.ts'
import { inputPicture, networkInput, type NetworkInput } from './network-input.ts'
import { largestMagnitude, signedPicture, type Picture } from './pictures.ts'

const FIGURE_SIDE = 224

export const occlusion: Experiment<OcclusionParams, OcclusionResult> = async function* (params, context) {
  const { network } = await context.network(params.network)
  const input = await networkInput(params.picture, network.spec, context)
  const layer = featureLayer(network, params.layer)
  const fill = fillOf(params.fill, input.shape[2])
  const grid = occlusionGrid([input.shape[0], input.shape[1]], params.window, params.stride, params.positions)
  const startedAt = performance.now()
  const walk = new OcclusionWalk(context.engine, network, input, { layer, fill, batchSize: params.batchSize })
  try {
    const clean = await walk.clean()
    const channel = channelOf(network, layer, params.channel, clean.sums)
    const classIndex = classOf(network, params.class ?? input.label?.index, clean.predicted)
    const records = yield* walk.run(grid, channel, classIndex, context.signal)
    const computeMs = performance.now() - startedAt
    const maps = await writeArrays(context, grid, records)
    await writeTables(context, network, grid, records, maps)
    const projection = await projectionOf(context, network, input, layer, channel, params)
    await context.outputArray('projection', input.shape, projection)
    await context.outputArray('input', input.shape, input.values)
    if (context.pictures) await writeFigure(context, network, { input, grid, maps, records, projection })
    const named = (index: number) => ({ index, label: className(network, index) })
    return {
      network: params.network,
      layer,
      channel,
      class: classIndex === null ? null : named(classIndex),
      predicted: clean.predicted === null ? null : named(clean.predicted),
      label: input.label,
      positions: [grid.rows.length, grid.columns.length],
      clean: {
        activation: clean.sums[channel] ?? 0,
        logit: classIndex === null ? null : (clean.logits[classIndex] ?? null),
        probability: classIndex === null ? null : (clean.probabilities[classIndex] ?? null),
      },
      lowest: {
        activation: lowest(records.activation, grid),
        probability: classIndex === null ? null : lowest(records.probability, grid),
      },
      labels: labelCounts(network, records.label),
      evaluations: records.activation.length,
      computeMs,
    }
  } finally {
    walk.dispose()
  }
}

function featureLayer(network: Network, wanted: string | undefined): string {
  const name = wanted ?? lastFeatureLayer(network)
  if (name === undefined) {
    throw new ConvScopeError('invalid-input', `The network ${network.spec.name} has no layer with places`, {
      remedy: 'Name the layer whose activation is to be recorded.',
    })
  }
  return layerNamed(network.graph, name).name
}

function fillOf(fill: OcclusionParams['fill'], channels: number): number[] {
  if (typeof fill === 'number') return new Array<number>(channels).fill(fill)
  if (fill.length === channels) return fill
  throw new ConvScopeError(
    'invalid-input',
    `The fill has ${fill.length} values, but the network's input ${channels} channels`,
    {
      remedy: 'Give one number, or one a channel.',
    },
  )
}

function channelOf(network: Network, layer: string, wanted: number | undefined, sums: Float32Array): number {
  if (wanted === undefined) return firstMaximum(sums, 0, 1, sums.length)
  if (wanted < sums.length) return wanted
  throw new ConvScopeError('invalid-input', `Layer ${layer} of ${network.spec.name} has no channel ${wanted}`, {
    remedy: `Its channels are 0 to ${sums.length - 1}.`,
  })
}

function classOf(network: Network, wanted: number | undefined, predicted: number | null): number | null {
  if (!hasScores(network)) return null
  const classes = network.graph.output.shape[0] ?? 0
  if (wanted === undefined) return predicted
  if (wanted < classes) return wanted
  throw new ConvScopeError('invalid-input', `The network ${network.spec.name} has no class ${wanted}`, {
    remedy: `Its classes are 0 to ${classes - 1}. Name one in \`class\`.`,
  })
}

interface Maps {
  readonly activation: Float32Array
  readonly logit: Float32Array
  readonly probability: Float32Array
  readonly counts: Int32Array
}

async function writeArrays(context: ExperimentContext, grid: OcclusionGrid, records: OcclusionRecords): Promise<Maps> {
  const counts = coverage(grid)
  const places = [grid.rows.length, grid.columns.length]
  const maps: Record<string, Float32Array> = {}
  for (const name of ['activation', 'logit', 'probability'] as const) {
    const values = records[name]
    if (values.length === 0) continue
    maps[name] = meanMap(grid, values, counts)
    await context.outputArray(`grid-${name}`, places, values)
    await context.outputArray(`map-${name}`, grid.size, maps[name])
  }
  if (records.label.length > 0) await context.outputArray('grid-label', places, records.label)
  await context.outputArray('count', grid.size, counts)
  const mapOf = (name: string): Float32Array => maps[name] ?? new Float32Array(0)
  return { activation: mapOf('activation'), logit: mapOf('logit'), probability: mapOf('probability'), counts }
}

/** The raw numbers, by position of the square and by pixel. */
async function writeTables(
  context: ExperimentContext,
  network: Network,
  { rows, columns, size }: OcclusionGrid,
  records: OcclusionRecords,
  maps: Maps,
): Promise<void> {
  const scores = records.label.length > 0 ? (['logit', 'probability'] as const) : []
  const valuesAt = (of: Maps | OcclusionRecords, place: number) => [
    of.activation[place] ?? NaN,
    ...scores.map((name) => of[name][place] ?? NaN),
  ]
  await context.outputTable('grid', {
    columns: ['top row', 'left column', 'activation', ...scores, ...(scores.length > 0 ? ['most probable'] : [])],
    rows: rows.flatMap((row, down) =>
      columns.map((column, across) => {
        const position = down * columns.length + across
        const label = records.label[position]
        const named = label === undefined ? [] : [className(network, label)]
        return [row, column, ...valuesAt(records, position), ...named]
      }),
    ),
  })
  await context.outputTable('map', {
    columns: ['row', 'column', 'squares', 'activation', ...scores],
    rows: Array.from(maps.counts, (count, pixel) => {
      const place = [Math.floor(pixel / size[1]), pixel % size[1], count]
      return [...place, ...(count > 0 ? valuesAt(maps, pixel) : [null, ...scores.map(() => null)])]
    }),
  })
}

/** Of the channel's strongest unit on the clean picture, at the size of the picture. */
async function projectionOf(
  { engine }: ExperimentContext,
  network: Network,
  { values, shape }: NetworkInput,
  layer: string,
  channel: number,
  { rules }: OcclusionParams,
): Promise<Float32Array> {
  const { tf } = engine
  const picture = tf.tensor4d(values, [1, ...shape])
  const activations = network.forward(picture, { to: layer, backward: false })
  picture.dispose()
  const output = await activations.get(layer).data()
  activations.dispose()
  const own = layerNamed(network.graph, layer).shape
  const channels = own.at(-1) ?? 1
  const place = firstMaximum(output, channel, channels, output.length / channels)
  const width = own.length === 3 ? (own[1] ?? 1) : 1
  const unit = { picture: 0, channel, row: Math.floor(place / width), column: place % width }
  const found = await projectUnits(engine, network, [values], [unit], { layer, rules, seed: 'single' })
  const whole = new Float32Array(values.length)
  pasteWindow(found.projections, found.range, unit, whole, shape)
  return whole
}

interface FigureParts {
  readonly input: NetworkInput
  readonly grid: OcclusionGrid
  readonly maps: Maps
  readonly records: OcclusionRecords
  readonly projection: Float32Array
}

/** Picture, activation, projection, probability and label, with the square's positions as cells of the label map. */
async function writeFigure(
  context: ExperimentContext,
  network: Network,
  { input, grid, maps, records, projection }: FigureParts,
): Promise<void> {
  const [height, width, channels] = input.shape
  const factor = factorTo(FIGURE_SIDE, width, height)
  const { channelOrder } = network.spec.preprocessing
  const parts: Picture[] = [
    inputPicture(input, network.spec),
    heatPicture(maps.activation, height, width, maps.counts),
    signedPicture({ values: projection, height, width, channels, channelOrder }, largestMagnitude(projection)),
  ]
  if (maps.probability.length > 0) parts.push(heatPicture(maps.probability, height, width, maps.counts))
  const figure = parts.map((part) => magnified(part, factor))
  if (records.label.length > 0) {
    const labels = labelPicture(records.label, grid.rows.length, grid.columns.length)
    figure.push(magnified(labels, factorTo(Math.min(width, height) * factor, labels.width, labels.height)))
  }
  const sheet = beside(figure, 8)
  await context.outputPicture('figure', sheet.width, sheet.height, 3, sheet.pixels)
  if (records.label.length === 0) return
  const shown = [...new Set(records.label)].sort((a, b) => a - b)
  await context.outputJson(
    'legend',
    shown.map((index) => ({ class: className(network, index), colour: classColour(index) })),
  )
}

function lowest(values: Float32Array, { columns }: OcclusionGrid): { value: number; position: [number, number] } {
  let place = 0
  for (const [index, value] of values.entries()) if (value < (values[place] ?? NaN)) place = index
  return { value: values[place] ?? 0, position: [Math.floor(place / columns.length), place % columns.length] }
}

function labelCounts(network: Network, labels: Int32Array): OcclusionResult['labels'] {
  const counts = new Map<number, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  return [...counts]
    .map(([index, positions]) => ({ index, label: className(network, index), positions }))
    .sort((a, b) => b.positions - a.positions || a.index - b.index)
}
