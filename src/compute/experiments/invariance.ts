/** Invariance: features and probabilities of moved, scaled and turned pictures (Zeiler & Fergus 2013, figure 5). */
import { ConvScopeError } from '../../shared/errors.ts'
import type { InvarianceParams, InvarianceResult, Transformation } from '../../shared/experiments/invariance.ts'
import type { Network } from '../network/network.ts'
import { className, firstFeatureLayer, hasScores, lastHiddenLayer } from '../study/class-scores.ts'
import { FeatureWalk, rowOf } from '../study/features.ts'
import { beside, factorTo, grid, magnified } from '../study/figures.ts'
import { plot } from '../study/plot.ts'
import { curveTable } from '../study/tables.ts'
import { warped } from '../study/warp.ts'
import type { Experiment, ExperimentContext } from './experiment.ts'
import { inputPicture, networkInput, type NetworkInput } from './network-input.ts'

type Curve = InvarianceResult['curves'][number]

/** Versions of each picture in the figure. */
const SHOWN_VERSIONS = 8
const TILE_SIDE = 64
const PLOT_WIDTH = 320

export const invariance: Experiment<InvarianceParams, InvarianceResult> = async function* (params, context) {
  const { network } = await context.network(params.network)
  for (const transformation of params.transformations) requireSensible(transformation)
  const layers = params.layers ?? defaultLayers(network)
  const inputs: NetworkInput[] = []
  for (const picture of params.pictures) inputs.push(await networkInput(picture, network.spec, context))
  const walk = new FeatureWalk(context.engine, network, layers, params.batchSize)
  try {
    const clean = await walk.of(inputs.map(({ values }) => values))
    const classes = inputs.map((input, index) =>
      classOf(network, input, rowOf(clean.probabilities, index, inputs.length)),
    )
    const curves: Curve[] = []
    const total = params.transformations.length * inputs.length
    for (const [index, transformation] of params.transformations.entries()) {
      const values = valuesOf(transformation)
      const { kind, direction } = transformation
      const curve: Curve = { kind, direction, values, distances: layers.map(() => []), probabilities: [] }
      for (const [place, input] of inputs.entries()) {
        context.signal.throwIfAborted()
        const versions = values.map((value) =>
          warped(input.values, input.shape, { kind, value, direction }, params.fill),
        )
        const found = await walk.of(versions)
        for (const [layerIndex, layer] of layers.entries()) {
          const own = rowOf(clean.layers[layer] ?? new Float32Array(0), place, inputs.length)
          const all = found.layers[layer] ?? new Float32Array(0)
          curve.distances[layerIndex]?.push(
            values.map((_, version) => distance(own, rowOf(all, version, values.length))),
          )
        }
        const chosen = classes[place]
        if (chosen) {
          curve.probabilities.push(
            values.map((_, version) => rowOf(found.probabilities, version, values.length)[chosen.index] ?? NaN),
          )
        }
        yield { type: 'step', done: index * inputs.length + place + 1, total, unit: 'series', values: {} }
      }
      await write(context, network, params, inputs, index, curve)
      curves.push(curve)
    }
    await context.outputTable('curves', curveTable({ layers, classes, curves }))
    return { network: params.network, layers, classes, curves }
  } finally {
    walk.dispose()
  }
}

/** @throws ConvScopeError 'invalid-input' */
function requireSensible({ kind, from, to }: Transformation): void {
  if (kind !== 'scale' || Math.min(from, to) > 0) return
  throw new ConvScopeError('invalid-input', `A picture cannot be scaled by ${Math.min(from, to)}`, {
    remedy: 'Choose factors above 0.',
  })
}

function defaultLayers(network: Network): string[] {
  const first = firstFeatureLayer(network)
  const last = lastHiddenLayer(network)
  return [...new Set([first, last].filter((name) => name !== undefined))]
}

function valuesOf({ from, to, count }: Transformation): number[] {
  return Array.from({ length: count }, (_, index) => from + ((to - from) * index) / (count - 1))
}

function classOf(
  network: Network,
  { label }: NetworkInput,
  probabilities: Float32Array,
): InvarianceResult['classes'][number] {
  if (!hasScores(network)) return null
  const classes = network.graph.output.shape[0] ?? 0
  if (label !== null && label.index < classes) return { index: label.index, label: className(network, label.index) }
  const index = probabilities.indexOf(probabilities.reduce((most, value) => Math.max(most, value), -Infinity))
  return { index, label: className(network, index) }
}

function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (const [index, value] of a.entries()) sum += (value - (b[index] ?? NaN)) ** 2
  return Math.sqrt(sum)
}

async function write(
  context: ExperimentContext,
  network: Network,
  { fill }: InvarianceParams,
  inputs: readonly NetworkInput[],
  index: number,
  curve: Curve,
): Promise<void> {
  const { kind, direction, values, distances, probabilities } = curve
  const name = `${index}-${kind}`
  const shape = [distances.length, inputs.length, values.length]
  await context.outputArray(`distances-${name}`, shape, Float64Array.from(distances.flat(2)))
  if (probabilities.length > 0) {
    await context.outputArray(
      `probabilities-${name}`,
      [inputs.length, values.length],
      Float64Array.from(probabilities.flat()),
    )
  }
  if (!context.pictures) return
  const shown = Math.min(SHOWN_VERSIONS, values.length)
  const tiles = inputs.flatMap(({ values: picture, shape: size }) =>
    Array.from({ length: shown }, (_, version) => {
      const value = values[Math.round((version * (values.length - 1)) / Math.max(1, shown - 1))] ?? 0
      const version_ = warped(picture, size, { kind, value, direction }, fill)
      const drawn = inputPicture({ shape: size, values: version_, label: null }, network.spec)
      return magnified(drawn, factorTo(TILE_SIDE, drawn.width, drawn.height))
    }),
  )
  const versions = grid(tiles, { columns: shown, gap: 2 })
  const height = Math.max(160, Math.min(versions.height, 480))
  const plots = [...distances, ...(probabilities.length > 0 ? [probabilities] : [])].map((lines) =>
    plot(values, lines, PLOT_WIDTH, height),
  )
  const figure = beside([versions, ...plots], 10)
  await context.outputPicture(`figure-${name}`, figure.width, figure.height, 3, figure.pixels)
}
