/** Whether a network computes what another program computed for the same picture, and from which layer on it does not. */
import { action } from '../../shared/actions.ts'
import type { Finding } from '../../shared/network/finding.ts'
import type { ReferenceComparison } from '../../shared/network/examination.ts'
import type { Engine } from '../engines/engine.ts'
import type { Graph, GraphLayer } from '../network/graph.ts'
import type { Network } from '../network/network.ts'
import { normalise } from '../network/preprocess.ts'
import type { FloatPicture } from '../network/resize.ts'
import { plausiblePipelines, type Pipeline } from './plausible-pipelines.ts'
import type { ReferenceArray } from './reference-file.ts'
import { structuralVariants, variantNetwork } from './structural-variants.ts'
import { sizeOf } from '../../shared/size-of.ts'

/** Largest difference relative to the largest value: what another order of additions gives stays far below. */
const FITS = 1e-3
/** Names that programs give to the input. */
const INPUT_NAMES = ['input', 'data', 'x', 'image']

export interface ComparedReference {
  readonly comparison: ReferenceComparison
  readonly findings: readonly Finding[]
}

/** A layer of the network with what the reference says it gives, in the network's order. */
interface ReferenceLayer {
  readonly layer: GraphLayer
  /** Possible readings of the array: as it is, and turned from channels first. */
  readonly readings: readonly Float32Array[]
}

/**
 * Takes the input from the reference where it is among its arrays, otherwise makes it from the picture in every plausible way.
 * @param reference arrays by layer, for one picture (the first of a batch is taken), channels first or last
 * @param picture at the size of the network's input, 0…255
 */
export async function compareReference(
  engine: Engine,
  network: Network,
  reference: ReadonlyMap<string, ReferenceArray>,
  picture: FloatPicture | undefined,
): Promise<ComparedReference> {
  const { layers, unknown } = matched(network.graph, reference)
  const [input] = layers.filter(({ layer }) => layer === network.graph.input)
  const pipelines = picture === undefined ? [] : plausiblePipelines(network.spec.preprocessing)
  const lowest = layers[0]
  if (lowest === undefined) return nothing(unknown, 'has no layer of this network, or none in its shape')
  if (input === undefined && pipelines.length === 0)
    return nothing(unknown, 'has no array of the input, and no picture was given')

  const ranked: { pipeline: Pipeline; deviation: number; values: Float32Array }[] = []
  for (const pipeline of picture === undefined ? [] : pipelines) {
    const values = normalise(picture ?? { shape: [0, 0, 0], data: new Float32Array() }, pipeline.preprocessing).data
    const given = await outputsOf(engine, network, values, [lowest.layer.name])
    ranked.push({ pipeline, deviation: deviationOf(given.get(lowest.layer.name), lowest.readings), values })
  }
  ranked.sort((a, b) => a.deviation - b.deviation)
  const source = input?.readings[0] ?? ranked[0]?.values ?? new Float32Array()
  const rows = await comparedLayers(engine, network, layers, source)
  const first = rows.find(({ fits }) => !fits)?.layer
  const comparison: ReferenceComparison = {
    pipelines: ranked.map(({ pipeline: { description, preprocessing, own }, deviation }) => ({
      description,
      preprocessing: { ...preprocessing },
      own,
      deviation,
    })),
    layers: rows,
    ...(first === undefined ? {} : { firstDeviating: first }),
    unknown,
  }
  const findings = [
    ...preprocessingFindings(comparison, lowest.layer.name),
    ...(first === undefined ? [] : await deviationFindings(engine, network, layers, source, first)),
  ]
  return { comparison, findings }
}

function matched(
  graph: Graph,
  reference: ReadonlyMap<string, ReferenceArray>,
): { layers: ReferenceLayer[]; unknown: string[] } {
  const unknown: string[] = []
  const found = new Map<GraphLayer, ReferenceLayer>()
  for (const [name, array] of reference) {
    const layer =
      graph.byName.get(name) ??
      graph.byName.get(name.replaceAll(/[/:]+/g, '.')) ??
      (INPUT_NAMES.includes(name) ? graph.input : undefined)
    const readings = layer === undefined ? [] : readingsOf(array, layer)
    if (layer === undefined || readings.length === 0) unknown.push(name)
    else found.set(layer, { layer, readings })
  }
  return { layers: graph.layers.flatMap((layer) => found.get(layer) ?? []), unknown }
}

/** The array's first picture as the layer's shape: channels last, first, or both where the sizes do not tell. */
function readingsOf({ shape, values }: ReferenceArray, layer: GraphLayer): Float32Array[] {
  const { shape: expected } = layer
  const count = sizeOf(expected)
  const sizes = shape.length > expected.length ? shape.slice(shape.length - expected.length) : shape
  const first = values.subarray(0, count)
  if (expected.length === 1)
    return sizeOf(sizes) === count || values.length === count ? [first, ...otherOrder(layer, first)] : []
  const [height = 1, width = 1, channels = 1] = expected
  const readings: Float32Array[] = []
  if (sizes.join() === expected.join()) readings.push(first)
  if (sizes.join() === [channels, height, width].join()) readings.push(channelsLast(first, height * width, channels))
  return readings
}

/**
 * The outputs of a flatten layer in its other order: programs list the same values in either, and whether the weights above were
 * made for this network's order shows in the next dense layer.
 */
function otherOrder({ spec, inputShapes: [map] }: GraphLayer, values: Float32Array): Float32Array[] {
  if (spec.type !== 'flatten' || map?.length !== 3) return []
  const [height = 1, width = 1, channels = 1] = map
  const places = height * width
  return [
    channelsLast(values, ...(spec.order === 'hwc' ? ([places, channels] as const) : ([channels, places] as const))),
  ]
}

function channelsLast(values: Float32Array, places: number, channels: number): Float32Array {
  return Float32Array.from(
    { length: values.length },
    (_, index) => values[(index % channels) * places + Math.floor(index / channels)] ?? 0,
  )
}

async function outputsOf(
  { tf }: Engine,
  network: Network,
  values: Float32Array,
  names: readonly string[],
): Promise<Map<string, Float32Array>> {
  const x = tf.tensor(values, [1, ...network.graph.input.shape])
  const highest = network.layers.findLast(({ name }) => names.includes(name))
  const activations = network.forward(x, { keep: names, to: highest?.name, backward: false })
  const outputs = new Map<string, Float32Array>()
  for (const name of names) outputs.set(name, await activations.get(name).data<'float32'>())
  activations.dispose()
  x.dispose()
  return outputs
}

async function comparedLayers(
  engine: Engine,
  network: Network,
  layers: readonly ReferenceLayer[],
  input: Float32Array,
): Promise<ReferenceComparison['layers']> {
  const names = layers.map(({ layer }) => layer.name)
  const outputs = await outputsOf(engine, network, input, names)
  return layers.map(({ layer, readings }) => {
    const output = outputs.get(layer.name)
    // A program that rectifies in place shows a convolution's values after its ReLU.
    const rectified = output?.map((value) => Math.max(value, 0))
    const deviation = Math.min(deviationOf(output, readings), deviationOf(rectified, readings))
    return { layer: layer.name, deviation, fits: deviation <= FITS }
  })
}

/** Of the reading that fits best: the largest difference, relative to the largest value. NaN counts as infinitely far, given as 1e300. */
function deviationOf(output: Float32Array | undefined, readings: readonly Float32Array[]): number {
  return Math.min(
    ...readings.map((expected) => {
      let largest = 0
      let worst = 0
      for (const [index, value] of expected.entries()) {
        largest = Math.max(largest, Math.abs(value))
        const difference = Math.abs((output?.[index] ?? NaN) - value)
        if (!(difference <= worst)) worst = difference
      }
      const relative = worst / (largest || 1)
      return Number.isFinite(relative) ? relative : 1e300
    }),
  )
}

function preprocessingFindings({ pipelines }: ReferenceComparison, layer: string): Finding[] {
  const [best] = pipelines
  const own = pipelines.find((pipeline) => pipeline.own)
  if (best === undefined || own === undefined) return []
  if (own.deviation <= FITS) {
    const message = `With the network's own preprocessing ${layer} gives what the reference says.`
    return [{ code: 'reference-preprocessing-fits', severity: 'note', message }]
  }
  if (best.deviation > FITS) {
    return [
      {
        code: 'reference-preprocessing-unknown',
        severity: 'warning',
        message: `No usual preprocessing gives the values of the reference at ${layer}: "${best.description}" is nearest (${relative(best.deviation)} off), the network's own is ${relative(own.deviation)} off.`,
        remedy: 'Add the input itself to the reference, so that preprocessing and layers can be told apart.',
      },
    ]
  }
  return [
    {
      code: 'reference-preprocessing',
      severity: 'warning',
      message: `The reference was computed from a picture prepared as "${best.description}", not as "${own.description}" (${relative(own.deviation)} off at ${layer}).`,
      remedy: action('take-over'),
    },
  ]
}

/** Names the layer from which on values differ, and another reading of the layers that makes it fit, if there is one. */
async function deviationFindings(
  engine: Engine,
  network: Network,
  layers: readonly ReferenceLayer[],
  input: Float32Array,
  first: string,
): Promise<Finding[]> {
  const findings: Finding[] = []
  const before = layers.findIndex(({ layer }) => layer.name === first)
  const upTo = layers.slice(0, before + 1)
  for (const variant of structuralVariants(network)) {
    const rows = await comparedLayers(engine, variantNetwork(engine.tf, network, variant), upTo, input)
    if (!rows.every(({ fits }) => fits)) continue
    findings.push({
      code: variant.code,
      severity: 'warning',
      layer: first,
      message: `${variant.description}, ${first} gives what the reference says.`,
      remedy: variant.remedy,
    })
  }
  const below = layers[before - 1]?.layer.name
  const since = below === undefined ? '' : ` after ${below}, which fits`
  return [
    {
      code: 'reference-deviates',
      severity: 'warning',
      layer: first,
      message: `The activations differ from the reference from ${first} on${since}.`,
      ...(findings.length > 0
        ? {}
        : { remedy: 'Compare the settings and weights of the layers up to it with the source program.' }),
    },
    ...findings,
  ]
}

function nothing(unknown: string[], reason: string): ComparedReference {
  return {
    comparison: { pipelines: [], layers: [], unknown },
    findings: [
      {
        code: 'reference-not-comparable',
        severity: 'warning',
        message: `The reference ${reason}.`,
        remedy: 'Save one array for each layer under its name, with the input as "input", or give the picture.',
      },
    ],
  }
}

function relative(deviation: number): string {
  return deviation >= 1e299 ? 'not a number' : `${(100 * deviation).toPrecision(2)} %`
}
