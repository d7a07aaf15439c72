/** Correspondence: do features change alike when the same part is hidden in different pictures (Zeiler & Fergus 2013, table 1)? */
import { ConvScopeError } from '../../shared/errors.ts'
import type { CorrespondenceParams, CorrespondenceResult } from '../../shared/experiments/correspondence.ts'
import type { Network } from '../network/network.ts'
import { RandomStream } from '../random.ts'
import { lastFeatureLayer, lastHiddenLayer } from '../study/class-scores.ts'
import { FeatureWalk, rowOf, type Features } from '../study/features.ts'
import { factorTo, grid, magnified } from '../study/figures.ts'
import { meanAndError, signDifferences, signs } from '../study/sign-differences.ts'
import { correspondenceTable } from '../study/tables.ts'
import type { Experiment, ExperimentContext } from './experiment.ts'
import { inputPicture, networkInput, type NetworkInput } from './network-input.ts'

type Box = readonly [number, number, number, number]
const RANDOM = 'random'
const TILE_SIDE = 96

export const correspondence: Experiment<CorrespondenceParams, CorrespondenceResult> = async function* (
  params,
  context,
) {
  const { network } = await context.network(params.network)
  const layers = params.layers ?? defaultLayers(network)
  const inputs: NetworkInput[] = []
  for (const { picture } of params.pictures) inputs.push(await networkInput(picture, network.spec, context))
  const parts = partsOf(params, inputs)
  const trials = [
    ...parts.map((part) => ({ part, boxes: params.pictures.map(({ parts: boxes }) => boxes[part] as Box) })),
    ...Array.from({ length: params.randomTrials }, (_, trial) => ({
      part: RANDOM,
      boxes: inputs.map((input, index) => randomBox(params, input, index, trial, context.seed)),
    })),
  ]
  const walk = new FeatureWalk(context.engine, network, layers, params.batchSize)
  try {
    const clean = await walk.of(inputs.map(({ values }) => values))
    const differences = new Map<string, number[][]>()
    for (const [index, { part, boxes }] of trials.entries()) {
      context.signal.throwIfAborted()
      const occluded = inputs.map((input, place) => hidden(input, boxes[place] ?? [0, 0, 0, 0], params.fill))
      const found = await walk.of(occluded)
      const byLayer = layers.map((layer) => pairDifferences(clean, found, layer, inputs.length))
      const known = differences.get(part) ?? layers.map(() => [])
      differences.set(
        part,
        known.map((values, layer) => [...values, ...(byLayer[layer] ?? [])]),
      )
      yield { type: 'step', done: index + 1, total: trials.length, unit: 'parts', values: {} }
    }
    const rows = [...differences].map(([part, values]) => ({ part, layers: values.map(meanAndError) }))
    const result = { network: params.network, layers, pictures: inputs.length, rows }
    await context.outputJson('table', result)
    await context.outputTable('table', correspondenceTable(result))
    if (context.pictures) await writeFigure(context, network, inputs, trials, params.fill)
    return result
  } finally {
    walk.dispose()
  }
}

function defaultLayers(network: Network): string[] {
  return [...new Set([lastFeatureLayer(network), lastHiddenLayer(network)].filter((name) => name !== undefined))]
}

/** Names of the parts. @throws ConvScopeError 'invalid-input' where a picture lacks one, or a box lies outside */
function partsOf({ pictures }: CorrespondenceParams, inputs: readonly NetworkInput[]): string[] {
  const parts = Object.keys(pictures[0]?.parts ?? {})
  if (parts.length === 0) {
    throw new ConvScopeError('invalid-input', 'No part is marked', {
      remedy: 'Mark at least one part on every picture.',
    })
  }
  if (parts.includes(RANDOM)) {
    throw new ConvScopeError('invalid-input', `A part cannot be called ${RANDOM}: the control has that name`)
  }
  for (const [index, { parts: boxes }] of pictures.entries()) {
    const [height = 0, width = 0] = inputs[index]?.shape ?? []
    for (const part of new Set([...parts, ...Object.keys(boxes)])) {
      const box = parts.includes(part) ? boxes[part] : undefined
      if (!box) {
        throw new ConvScopeError(
          'invalid-input',
          `The part ${part} is not marked on every picture: see picture ${index + 1}`,
          {
            remedy: 'Mark the same parts on all pictures.',
          },
        )
      }
      if (box[1] > height || box[3] > width) {
        throw new ConvScopeError(
          'invalid-input',
          `The part ${part} of picture ${index + 1} reaches to row ${box[1]}, column ${box[3]}, outside the network's input of ${height} × ${width}`,
          { remedy: "Mark parts in pixels of the network's input." },
        )
      }
    }
  }
  return parts
}

/** A box at a random place, as large as one of the picture's parts. */
function randomBox(
  { pictures }: CorrespondenceParams,
  { shape: [height, width] }: NetworkInput,
  picture: number,
  trial: number,
  seed: number,
): Box {
  const stream = new RandomStream(seed, 'random-boxes', picture, trial)
  const boxes = Object.values(pictures[picture]?.parts ?? {})
  const [row0, row1, column0, column1] = boxes[stream.below(boxes.length)] ?? [0, 1, 0, 1]
  const top = stream.below(height - (row1 - row0) + 1)
  const left = stream.below(width - (column1 - column0) + 1)
  return [top, top + row1 - row0, left, left + column1 - column0]
}

function hidden(
  { values, shape: [, width, channels] }: NetworkInput,
  [row0, row1, column0, column1]: Box,
  fill: number,
): Float32Array {
  const result = values.slice()
  for (let row = row0; row < row1; row++) {
    result.fill(fill, (row * width + column0) * channels, (row * width + column1) * channels)
  }
  return result
}

/** Of every pair of pictures the share of features whose change has another sign. */
function pairDifferences(clean: Features, occluded: Features, layer: string, pictures: number): number[] {
  const before = clean.layers[layer] ?? new Float32Array(0)
  const after = occluded.layers[layer] ?? new Float32Array(0)
  return signDifferences(
    Array.from({ length: pictures }, (_, index) =>
      signs(rowOf(before, index, pictures), rowOf(after, index, pictures)),
    ),
  )
}

async function writeFigure(
  context: ExperimentContext,
  network: Network,
  inputs: readonly NetworkInput[],
  trials: readonly { part: string; boxes: readonly Box[] }[],
  fill: number,
): Promise<void> {
  // Of the control only the first trial.
  const rows = [...new Map([...trials].reverse().map((trial) => [trial.part, trial])).values()].reverse()
  const tile = (input: NetworkInput) => {
    const drawn = inputPicture(input, network.spec)
    return magnified(drawn, factorTo(TILE_SIDE, drawn.width, drawn.height))
  }
  const tiles = [
    ...inputs.map(tile),
    ...rows.flatMap(({ boxes }) =>
      inputs.map((input, index) => tile({ ...input, values: hidden(input, boxes[index] ?? [0, 0, 0, 0], fill) })),
    ),
  ]
  const figure = grid(tiles, { columns: inputs.length, gap: 4 })
  await context.outputPicture('figure', figure.width, figure.height, 3, figure.pixels)
}
