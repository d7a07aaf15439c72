/** Deconvnet projection (Zeiler & Fergus 2013, section 2.1): units of one layer, walked down to a lower one in one batch. */
import type { Tensor } from '@tensorflow/tfjs'
import { ConvScopeError } from '../../shared/errors.ts'
import type { DeconvnetParams, DeconvnetResult } from '../../shared/experiments/deconvnet.ts'
import { explainZero } from '../doctor/explain-zero.ts'
import type { Engine } from '../engines/engine.ts'
import { compiledWalks } from '../network/compiled-walks.ts'
import { layerNamed } from '../network/graph.ts'
import type { Activations, Network } from '../network/network.ts'
import { seedSignals } from '../network/seeds.ts'
import { pasteWindow } from '../network/windowed-batch.ts'
import { worthwhileWindows, type WindowPlan } from '../network/windowed-plan.ts'
import { windowedProjections } from '../network/windowed-projections.ts'
import { unitTable } from '../study/tables.ts'
import type { Experiment, ExperimentContext } from './experiment.ts'
import { networkInput, inputPicture, type NetworkInput } from './network-input.ts'
import { contactSheet, enlarged, largestMagnitude, signedPicture, type Picture } from './pictures.ts'
import { channelSummaries, chooseUnits, layerOutput, type LayerOutput, type Unit } from './units.ts'
import { sizeOf } from '../../shared/size-of.ts'

/** Signals that go down together hold at most so many floats at the widest layer on the way (512 MB). */
const WIDEST_BATCH_FLOATS = 128 * 1024 * 1024
const PREDICTIONS = 10

export const deconvnet: Experiment<DeconvnetParams, DeconvnetResult> = async function* (params, context) {
  const { network } = await context.network(params.network)
  const input = await networkInput(params.picture, network.spec, context)
  yield { type: 'log', message: `Projecting units of ${params.layer}` }
  const result = await lookAt(params, network, input, context)
  if (context.pictures) await context.outputTable('units', unitTable(result))
  return result
}

/** What the method needs besides the picture. */
type View = Omit<DeconvnetParams, 'picture'>

/**
 * The method on a picture that is there already; writes the outputs.
 * @throws ConvScopeError 'not-found' for a layer that is not there, 'invalid-input' for units that are not there, or a `toLayer` that does not feed `layer`
 */
export async function lookAt(
  params: View,
  network: Network,
  input: NetworkInput,
  context: Pick<ExperimentContext, 'engine' | 'pictures' | 'outputArray' | 'outputPicture'>,
): Promise<DeconvnetResult> {
  const toLayer = params.toLayer ?? network.graph.input.name
  requireBelow(network, params.layer, toLayer)
  const startedAt = performance.now()
  const projected = await project(params, toLayer, network, input, context.engine)
  const computeMs = performance.now() - startedAt
  const { output, units, summaries, projections, probabilities } = projected
  const targetShape = network.shapes[toLayer] ?? []
  const magnitudes = units.map((_, index) => largestMagnitude(part(projections, index, sizeOf(targetShape))))

  await context.outputArray('projections', [units.length, ...targetShape], projections)
  await context.outputArray('activations', network.shapes[params.layer] ?? [], output.values)
  await context.outputArray('input', input.shape, input.values)
  if (context.pictures) {
    await writePictures(params, context, network, { output, units, projections, magnitudes, targetShape, input })
  }
  return {
    network: params.network,
    layer: params.layer,
    toLayer,
    layerShape: [...(network.shapes[params.layer] ?? [])],
    units: units.map(({ channel, row, column, value }, index) => ({
      channel,
      position: output.spatial ? [row, column] : null,
      value,
      field: fieldOf(network, params.layer, row, column),
      magnitude: magnitudes[index] ?? 0,
      ...emptyReason(magnitudes[index] ?? 0, network, toLayer, output, { channel, value }),
    })),
    channels: summaries.map(({ maximum, mean, row, column }) => ({
      maximum,
      mean,
      position: output.spatial ? [row, column] : null,
    })),
    prediction: predictions(network, probabilities),
    label: input.label,
    computeMs,
  }
}

/** Nothing for a projection that shows something. */
function emptyReason(
  magnitude: number,
  { graph }: Network,
  to: string,
  { layer, values, channels }: LayerOutput,
  { channel, value }: Pick<Unit, 'channel' | 'value'>,
): Pick<DeconvnetResult['units'][number], 'empty'> {
  if (magnitude > 0) return {}
  const own = values.filter((_, index) => index % channels === channel)
  const range = [
    own.reduce((a, b) => Math.min(a, b), Infinity),
    own.reduce((a, b) => Math.max(a, b), -Infinity),
  ] as const
  const empty = explainZero({ graph, layer, channel, range, value, to })
  return empty === undefined ? {} : { empty }
}

/** @throws ConvScopeError 'not-found' for a layer that is not there, 'invalid-input' where `toLayer` does not feed `layer` */
function requireBelow(network: Network, layer: string, toLayer: string): void {
  const { graph } = network
  for (const name of [layer, toLayer]) layerNamed(graph, name)
  const below = new Set<string>()
  const collect = (name: string): void => {
    for (const lower of graph.byName.get(name)?.inputs ?? []) {
      if (below.has(lower)) continue
      below.add(lower)
      collect(lower)
    }
  }
  collect(layer)
  if (below.has(toLayer)) return
  const remedy =
    below.size > 0 ? `Choose one of: ${[...below].reverse().join(', ')}.` : 'Choose a layer above the input.'
  throw new ConvScopeError('invalid-input', `Layer ${toLayer} does not lie below ${layer}`, { remedy })
}

interface Projected {
  readonly output: LayerOutput
  readonly units: readonly Unit[]
  readonly summaries: ReturnType<typeof channelSummaries>
  /** `[units, ...shape of toLayer]`. */
  readonly projections: Float32Array
  /** Probabilities of the classes; empty where the network has none. */
  readonly probabilities: Float32Array
}

async function project(
  params: View,
  toLayer: string,
  network: Network,
  input: NetworkInput,
  engine: Engine,
): Promise<Projected> {
  const { tf } = engine
  const walks = compiledWalks(engine, network)
  const picture = tf.tensor4d(input.values, [1, ...input.shape])
  let activations: Activations | undefined
  try {
    activations = await walks.forward(picture, { keep: [params.layer] })
    const shape = network.shapes[params.layer] ?? []
    const output = layerOutput(params.layer, shape, await floats(activations.get(params.layer)))
    const summaries = channelSummaries(output)
    const units = chooseUnits(params.units, params.seed, output, summaries)
    const down = { params, toLayer, network, engine, activations, output }
    const plan = params.seed === 'map' ? undefined : worthwhileWindows(network.graph, params.layer, params.rules.unpool)
    const isInPlan = plan?.byName.has(toLayer) ?? false
    const projections = plan && isInPlan ? await insideWindows(down, plan, units) : await byWholeWalks(down, units)
    const probabilities = await classProbabilities(engine, network, activations)
    return { output, units, summaries, projections, probabilities }
  } finally {
    activations?.dispose()
    picture.dispose()
  }
}

interface WayDown {
  readonly params: View
  readonly toLayer: string
  readonly network: Network
  readonly engine: Engine
  readonly activations: Activations
  readonly output: LayerOutput
}

/** Only the receptive field of each unit, at every layer. `[units, ...shape of toLayer]` */
async function insideWindows(
  { params, toLayer, network, engine, activations }: WayDown,
  plan: WindowPlan,
  units: readonly Unit[],
): Promise<Float32Array> {
  const [height = 1, width = 1, channels = 1] = network.shapes[toLayer] ?? []
  const placed = units.map((unit) => ({ ...unit, picture: 0, signal: params.seed === 'one-hot' ? 1 : unit.value }))
  const options = { plan, to: toLayer, rules: params.rules }
  const { windows, range } = await windowedProjections(engine, network).fromActivations(activations, placed, options)
  const size = height * width * channels
  const own = windows.length / units.length
  const projections = new Float32Array(units.length * size)
  for (const [index, unit] of units.entries()) {
    const whole = projections.subarray(index * size, (index + 1) * size)
    pasteWindow(windows.subarray(index * own, (index + 1) * own), range, unit, whole, [height, width, channels])
  }
  return projections
}

/** `[units, ...shape of toLayer]` */
async function byWholeWalks(
  { params, toLayer, network, engine, activations, output }: WayDown,
  units: readonly Unit[],
): Promise<Float32Array> {
  const shape = network.shapes[params.layer] ?? []
  const walks = compiledWalks(engine, network)
  const targetSize = sizeOf(network.shapes[toLayer] ?? [])
  const projections = new Float32Array(units.length * targetSize)
  const batch = Math.max(1, Math.floor(WIDEST_BATCH_FLOATS / widest(network)))
  for (let start = 0; start < units.length; start += batch) {
    const chosen = units
      .slice(start, start + batch)
      .map(({ channel, row, column }) => ({ channel, place: [row, column] as const }))
    const kind = params.seed === 'single' ? 'own' : params.seed
    const signal = seedSignals(engine.tf, { shape: [1, ...shape], data: output.values }, chosen, kind)
    const projection = await walks.backward(activations, {
      from: params.layer,
      to: toLayer,
      signal,
      rules: params.rules,
    })
    try {
      projections.set(await floats(projection), start * targetSize)
    } finally {
      signal.dispose()
      projection.dispose()
    }
  }
  return projections
}

function widest(network: Network): number {
  return Math.max(...network.layers.map(({ shape }) => sizeOf(shape)))
}

async function floats(tensor: Tensor): Promise<Float32Array> {
  return Float32Array.from(await tensor.data())
}

async function classProbabilities(engine: Engine, network: Network, activations: Activations): Promise<Float32Array> {
  const { output, spec } = network.graph
  if (spec.classes.length === 0 || output.shape.length !== 1 || output.shape[0] !== spec.classes.length) {
    return new Float32Array(0)
  }
  const scores = activations.get(output.name)
  if (output.spec.type === 'softmax') return floats(scores)
  const probabilities = engine.tf.softmax(scores)
  try {
    return await floats(probabilities)
  } finally {
    probabilities.dispose()
  }
}

function predictions(network: Network, probabilities: Float32Array): DeconvnetResult['prediction'] {
  return [...probabilities]
    .map((probability, index) => ({ index, label: network.spec.classes[index] ?? String(index), probability }))
    .sort((a, b) => b.probability - a.probability || a.index - b.index)
    .slice(0, PREDICTIONS)
}

function fieldOf(
  network: Network,
  layer: string,
  row: number,
  column: number,
): [number, number, number, number] | null {
  if (network.graph.byName.get(layer)?.view === 'global') return null
  const [row0, row1, column0, column1] = network.receptiveBox(layer, row, column).clipped
  return [row0, row1, column0, column1]
}

function part(values: Float32Array, index: number, size: number): Float32Array {
  return values.subarray(index * size, (index + 1) * size)
}

interface Projections {
  readonly output: LayerOutput
  readonly units: readonly Unit[]
  readonly projections: Float32Array
  readonly magnitudes: readonly number[]
  readonly targetShape: readonly number[]
  readonly input: NetworkInput
}

async function writePictures(
  { scale }: View,
  context: Pick<ExperimentContext, 'outputPicture'>,
  network: Network,
  { output, units, projections, magnitudes, targetShape, input }: Projections,
): Promise<void> {
  const [height = 1, width = 1, channels = 1] = targetShape.length === 3 ? targetShape : [1, targetShape[0] ?? 1, 1]
  const { channelOrder } = network.spec.preprocessing
  const largest = Math.max(0, ...magnitudes)
  const pictures = units.map((_, index) => {
    const values = part(projections, index, height * width * channels)
    const magnitude = scale === 'shared' ? largest : (magnitudes[index] ?? 0)
    return enlarged(signedPicture({ values, height, width, channels, channelOrder }, magnitude))
  })
  const put = (name: string, { width: across, height: down, channels: depth, pixels }: Picture): Promise<void> =>
    context.outputPicture(name, across, down, depth, pixels)
  await put('projections', contactSheet(pictures))
  await put('input', enlarged(inputPicture(input, network.spec)))
  for (const [index, picture] of pictures.entries()) {
    const { channel, row, column } = units[index] ?? { channel: 0, row: 0, column: 0 }
    const place = output.spatial ? `-at-${row}-${column}` : ''
    await put(`projection-${String(index).padStart(3, '0')}-channel-${channel}${place}`, picture)
  }
}
