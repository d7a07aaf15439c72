/** The stored projections to pixels: whole networks, every rule and seed, switches, and one walk step by step. */
import * as z from 'zod'
import { BackwardRules, DECONVNET_RULES } from '../../../shared/network/rules.ts'
import { NetworkSpec } from '../../../shared/network/spec.ts'
import { buildGraph, type Graph } from '../graph.ts'
import type { Tensor, TensorFlow } from '../layer.ts'
import { Network, type Activations, type BackwardOptions, type ForwardOptions } from '../network.ts'
import { seedSignals, type Seed } from '../seeds.ts'
import type { Weights } from '../walk.ts'
import { CaseFile, take } from './case-file.ts'
import { compare, type Row, type Values } from './rows.ts'

const Pair = z.tuple([z.number(), z.number()])
const Pad = z.tuple([z.number(), z.number(), z.number(), z.number()])
const named = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) =>
  z.object({ name: z.string(), type: z.literal(type), ...shape })
const StoredLayer = z.discriminatedUnion('type', [
  named('conv', { kernel: Pair, filters: z.number(), stride: Pair, pad: Pad, groups: z.number() }),
  named('convTranspose', { kernel: Pair, filters: z.number(), stride: Pair }),
  named('relu', {}),
  named('maxPool', { size: Pair, stride: Pair, pad: Pad, rounding: z.enum(['floor', 'ceil']) }),
  named('lrn', {
    size: z.number(),
    alpha: z.number(),
    beta: z.number(),
    k: z.number(),
    convention: z.literal('caffe'),
  }),
  named('flatten', {}),
  named('dense', { units: z.number() }),
  named('softmax', {}),
])
type StoredLayer = z.infer<typeof StoredLayer>
const StoredNetwork = z.object({
  name: z.string(),
  input: z.tuple([z.number(), z.number(), z.number()]),
  layers: z.array(StoredLayer),
})
const Projection = z.object({
  image: z.number(),
  layer: z.string(),
  channel: z.number(),
  unit: Pair.nullable(),
  relu: BackwardRules.shape.relu,
  unpool: BackwardRules.shape.unpool,
  lrn: BackwardRules.shape.lrn,
  seed: z.enum(['own', 'onehot', 'map', 'mapmax']),
})
type Projection = z.infer<typeof Projection>

const SEEDS: Readonly<Record<Projection['seed'], Seed>> = {
  own: 'own',
  onehot: 'one-hot',
  map: 'map',
  mapmax: 'map-maximum',
}

export const DECONVNET_CASES = ['deconvnet-a', 'deconvnet-b', 'deconvnet-c', 'deconvnet-ties'] as const

export async function deconvnetRows(
  tf: TensorFlow,
  folder: string,
  name: (typeof DECONVNET_CASES)[number],
  walksOf: (network: Network) => Walks = (network) => network,
): Promise<Row[]> {
  const file = await CaseFile.read(folder, name)
  const network = storedNetwork(tf, file)
  const walks = walksOf(network)
  const images = file.tensor(tf, 'images')
  const pictures = await pictureActivations(tf, network, walks, images)
  const rows: Row[] = []
  for (const { activations, values } of pictures) {
    const image = pictures.findIndex((picture) => picture.activations === activations)
    rows.push(...(await switchRows(file, network, activations, image)))
    rows.push(...(await projectionRows(tf, file, walks, activations, values, image)))
  }
  const [first] = pictures
  if (first !== undefined) rows.push(...(await stepRows(tf, file, network, first.activations, first.values)))
  for (const { activations } of pictures) activations.dispose()
  images.dispose()
  network.dispose()
  return rows
}

/** `Network` itself, or its walks as compiled steps. */
export interface Walks {
  forward(input: Tensor, options: ForwardOptions): Activations | Promise<Activations>
  backward(activations: Activations, options: BackwardOptions): Tensor | Promise<Tensor>
}

interface Picture {
  readonly activations: Activations
  /** Outputs of the layers that seeds start from. */
  readonly values: Readonly<Record<string, Values>>
}

async function pictureActivations(tf: TensorFlow, network: Network, walks: Walks, images: Tensor): Promise<Picture[]> {
  const pictures: Picture[] = []
  for (const image of tf.split(images, images.shape[0] ?? 1)) {
    const activations = await walks.forward(image, { keep: 'all' })
    image.dispose()
    const values: Record<string, Values> = {}
    for (const { name } of network.layers) {
      const output = activations.get(name)
      values[name] = { shape: output.shape, data: await output.data() }
    }
    pictures.push({ activations, values })
  }
  return pictures
}

/** All projections of one layer and one set of rules go down as one batch of signals over one picture. */
async function projectionRows(
  tf: TensorFlow,
  file: CaseFile,
  walks: Walks,
  activations: Activations,
  values: Picture['values'],
  image: number,
): Promise<Row[]> {
  const groups = new Map<string, [string, Projection][]>()
  for (const [array, value] of Object.entries(file.json.projections)) {
    const projection = Projection.parse(value)
    if (projection.image !== image) continue
    const { layer, relu, unpool, lrn, seed } = projection
    const key = [layer, relu, unpool, lrn, seed].join()
    groups.set(key, [...(groups.get(key) ?? []), [array, projection]])
  }
  const rows: Row[] = []
  for (const group of groups.values()) {
    const [first] = group
    const activation = first && values[first[1].layer]
    if (first === undefined || activation === undefined) continue
    const { layer, relu, unpool, lrn, seed } = first[1]
    const units = group.map(([, { channel, unit }]) => ({ channel, ...(unit === null ? {} : { place: unit }) }))
    const signal = seedSignals(tf, activation, units, SEEDS[seed])
    const down = await walks.backward(activations, { from: layer, signal, rules: { relu, unpool, lrn } })
    signal.dispose()
    const parts = tf.unstack(down)
    down.dispose()
    for (const [index, part] of parts.entries()) {
      const array = group[index]?.[0] ?? ''
      rows.push(compare(file.name, array, await take(part), file.values(array), file.json.tolerance))
    }
  }
  return rows
}

async function switchRows(file: CaseFile, network: Network, activations: Activations, image: number): Promise<Row[]> {
  const rows: Row[] = []
  for (const { name, spec } of network.layers) {
    const array = [`switches/image${image}/${name}`, `switches/${name}`].find((title) =>
      file.arrayNames.includes(title),
    )
    if (spec.type !== 'max-pool' || array === undefined) continue
    const expected = file.values(array)
    const shape = expected.shape.length === 3 ? [1, ...expected.shape] : expected.shape
    rows.push(compare(file.name, array, await take(activations.switches(name)), { shape, data: expected.data }, {}))
  }
  return rows
}

/** The signal below every layer of one walk: image 0, relu3, channel 21, unit (4, 4), own value, deconvnet, sum, derivative. */
async function stepRows(
  tf: TensorFlow,
  file: CaseFile,
  network: Network,
  activations: Activations,
  values: Picture['values'],
): Promise<Row[]> {
  const rows: Row[] = []
  for (const array of file.arrayNames.filter((title) => title.startsWith('steps/below_'))) {
    const { inputs } = network.layers.find((layer) => array === `steps/below_${layer.name}`) ?? {}
    const start = values['relu3']
    const to = inputs?.[0]
    if (to === undefined || start === undefined) throw new Error(`${file.name} has no layer for ${array}`)
    const signal = seedSignals(tf, start, [{ channel: 21, place: [4, 4] }], 'own')
    const down = network.backward(activations, { from: 'relu3', signal, to, rules: DECONVNET_RULES })
    signal.dispose()
    const { shape, data } = await take(down)
    rows.push(compare(file.name, array, { shape: shape.slice(1), data }, file.values(array), file.json.tolerance))
  }
  return rows
}

/** The network of a case with its weights on the engine. */
export function storedNetwork(tf: TensorFlow, file: CaseFile): Network {
  const graph = storedGraph(file)
  const weights: Weights = Object.fromEntries(
    graph.layers
      .filter((layer) => layer.parameters.length > 0)
      .map((layer) => [
        layer.name,
        Object.fromEntries(
          layer.parameters.map((parameter) => {
            const stored =
              layer.spec.type === 'conv2d-transpose' && parameter.name === 'kernel' ? 'tkernel' : parameter.name
            return [parameter.name, file.tensor(tf, `weights/${layer.name}/${stored}`)]
          }),
        ),
      ]),
  )
  return Network.of(tf, graph, weights)
}

function storedGraph(file: CaseFile): Graph {
  const { name, input, layers } = StoredNetwork.parse(file.json.network)
  return buildGraph(
    NetworkSpec.parse({
      format: 'convscope-network',
      version: 1,
      name,
      title: name,
      preprocessing: { channelOrder: input[2] === 1 ? 'grey' : 'rgb' },
      layers: [{ name: 'input', type: 'input', shape: input }, ...layers.map(translate)],
    }),
  )
}

function translate(layer: StoredLayer): Record<string, unknown> {
  switch (layer.type) {
    case 'conv': {
      const { pad, ...rest } = layer
      return { ...rest, type: 'conv2d', padding: pad }
    }
    case 'convTranspose':
      return { ...layer, type: 'conv2d-transpose', padding: 'same' }
    case 'maxPool': {
      const { pad, size, ...rest } = layer
      return { ...rest, type: 'max-pool', kernel: size, padding: pad }
    }
    default:
      return layer
  }
}
