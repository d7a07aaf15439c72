/** Feature evolution: the strongest activation of channels at several epochs of a training, projected (Zeiler & Fergus 2013, figure 4). */
import { ConvScopeError } from '../../shared/errors.ts'
import type { FeatureEvolutionParams, FeatureEvolutionResult } from '../../shared/experiments/feature-evolution.ts'
import { topOutput } from '../../shared/experiments/top-activations.ts'
import { layerNamed } from '../network/graph.ts'
import { PictureSource } from '../study/picture-source.ts'
import { drawnChannels } from '../study/drawn-channels.ts'
import { locate } from '../study/locate.ts'
import { fieldRange } from '../study/patches.ts'
import { scan } from '../study/scan.ts'
import { snapshotsOf } from '../study/snapshots.ts'
import { evolutionTable } from '../study/tables.ts'
import { projectUnits } from '../study/unit-projections.ts'
import { factorTo, grid, magnified, nothing } from '../study/figures.ts'
import type { Network } from '../network/network.ts'
import type { Experiment, ExperimentContext, ExperimentEvent } from './experiment.ts'
import { largestMagnitude, signedPicture, type Picture } from './pictures.ts'

type Strongest = FeatureEvolutionResult['layers'][number]['channels'][number]['strongest'][number]

interface LayerEvolution {
  readonly layer: string
  readonly drawn: readonly number[]
  /** By drawn channel, then by epoch. */
  readonly strongest: Strongest[][]
  readonly projections: (Float32Array | undefined)[][]
}

const TILE_SIDE = 64

export const featureEvolution: Experiment<FeatureEvolutionParams, FeatureEvolutionResult> = async function* (
  params,
  context,
) {
  const snapshots = yield* snapshotsOf(params.snapshots, context)
  const data = await context.dataset(params.dataset, params.split)
  const layers = [...new Set(params.layers)]
  let evolutions: LayerEvolution[] | undefined
  let pictures = 0
  let shape: readonly [number, number, number] = [1, 1, 1]
  const frames = new Map<string, readonly [number, number]>()
  let channelOrder: 'grey' | 'rgb' | 'bgr' = 'grey'
  for (const snapshot of snapshots) {
    const { network, release } = await snapshot.load()
    try {
      const source = new PictureSource(data, network, params.pictureCount)
      pictures = source.count
      shape = source.shape
      channelOrder = network.spec.preprocessing.channelOrder
      evolutions ??= layers.map((layer) => begun(network, layer, params, context.seed))
      yield { type: 'log', message: `Epoch ${snapshot.epoch}: scanning ${source.count} pictures` }
      for (const evolution of evolutions) {
        const { rows, columns } = fieldRange(network, evolution.layer)
        frames.set(evolution.layer, [rows.size, columns.size])
      }
      yield* addEpoch(evolutions, network, source, params, context)
    } finally {
      release()
    }
  }
  const epochs = snapshots.map(({ epoch }) => epoch)
  for (const evolution of evolutions ?? []) {
    const frame = frames.get(evolution.layer) ?? [1, 1]
    await write(evolution, epochs, [...frame, shape[2]], channelOrder, context)
  }
  const found = (evolutions ?? []).map(({ layer, drawn, strongest }) => ({
    layer,
    channels: drawn.map((channel, index) => ({ channel, strongest: strongest[index] ?? [] })),
  }))
  await context.outputTable('strongest', evolutionTable({ epochs, layers: found }))
  return { dataset: params.dataset, split: params.split, pictures, epochs, channelOrder, layers: found }
}

function begun(
  network: Network,
  layer: string,
  { drawn: choice }: FeatureEvolutionParams,
  seed: number,
): LayerEvolution {
  const { shape } = layerNamed(network.graph, layer)
  const drawn = drawnChannels(layer, choice, shape.at(-1) ?? 1, seed)
  return { layer, drawn, strongest: drawn.map(() => []), projections: drawn.map(() => []) }
}

/** Adds what one snapshot's network does to every layer's evolution. */
async function* addEpoch(
  evolutions: readonly LayerEvolution[],
  network: Network,
  source: PictureSource,
  { batchSize, rules }: FeatureEvolutionParams,
  { engine, signal }: ExperimentContext,
): AsyncGenerator<ExperimentEvent, void, void> {
  const layers = evolutions.map(({ layer }) => layer)
  const events = scan(network, source, { layers, count: 1, batchSize }, { engine, signal })
  let step = await events.next()
  while (!step.done) {
    // Epochs have checkpoints of their own; those within one scan would not say which.
    yield step.value.type === 'checkpoint' ? { type: 'turn' } : step.value
    step = await events.next()
  }
  for (const { layer, drawn, strongest, projections } of evolutions) {
    const table = step.value.get(layer)
    if (!table) throw new RangeError(`the scan has no table of ${layer}`)
    const located = yield* locate(engine, network, source, layer, table)
    const { shape } = layerNamed(network.graph, layer)
    for (const [index, channel] of drawn.entries()) {
      const unit = table.responds(channel) ? located[channel]?.[0] : undefined
      if (unit === undefined) {
        strongest[index]?.push(null)
        projections[index]?.push(undefined)
        continue
      }
      const { picture, value, row, column } = unit
      strongest[index]?.push({ picture, value, position: shape.length === 3 ? [row, column] : null })
      const values = await source.picture(picture)
      const units = [{ picture: 0, channel, row, column }]
      const found = await projectUnits(engine, network, [values], units, { layer, rules, seed: 'single' })
      projections[index]?.push(found.projections)
      yield { type: 'turn' }
    }
  }
}

async function write(
  { layer, drawn, projections }: LayerEvolution,
  epochs: readonly number[],
  [height, width, channels]: readonly [number, number, number],
  channelOrder: 'grey' | 'rgb' | 'bgr',
  context: ExperimentContext,
): Promise<void> {
  const size = height * width * channels
  const all = new Float32Array(drawn.length * epochs.length * size)
  const tiles: Picture[] = []
  const factor = factorTo(TILE_SIDE, width, height)
  for (const [index, row] of projections.entries()) {
    for (const [place, values] of row.entries()) {
      if (values === undefined) {
        tiles.push(nothing(width * factor, height * factor))
        continue
      }
      all.set(values, (index * epochs.length + place) * size)
      const picture = signedPicture({ values, height, width, channels, channelOrder }, largestMagnitude(values))
      tiles.push(magnified(picture, factor))
    }
  }
  await context.outputArray(
    topOutput('projections', layer),
    [drawn.length, epochs.length, height, width, channels],
    all,
  )
  if (!context.pictures) return
  if (tiles.length === 0) throw new ConvScopeError('invalid-input', 'There is no snapshot to draw')
  const figure = grid(tiles, { columns: epochs.length, gap: 2 })
  await context.outputPicture(topOutput('figure', layer), figure.width, figure.height, 3, figure.pixels)
}
