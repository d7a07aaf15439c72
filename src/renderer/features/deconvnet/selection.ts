import type * as z from 'zod'
import type { DatasetRecord } from '../../../shared/datasets.ts'
import type { ErrorReport } from '../../../shared/errors.ts'
import type { DeconvnetParams } from '../../../shared/experiments/deconvnet.ts'
import { SeedRule } from '../../../shared/experiments/deconvnet.ts'
import type { LiveView } from '../../../shared/live.ts'
import type { LayerPage, NetworkPage } from '../../../shared/network/page.ts'
import { LrnRule, ReluRule, UnpoolRule } from '../../../shared/network/rules.ts'

/** What is looked at: everything that stands in the address. */
export interface Selection {
  readonly network: string
  readonly dataset: string
  readonly split: string
  readonly index: number
  readonly layer: string
  /** null: the strongest channel. */
  readonly channel: number | null
  /** null: where the channel is strongest. */
  readonly position: readonly [row: number, column: number] | null
  readonly relu: ReluRule
  readonly unpool: UnpoolRule
  readonly lrn: LrnRule
  readonly seed: SeedRule
  /** How many of the strongest channels are projected. */
  readonly count: number
  readonly scale: 'per-picture' | 'shared'
  /** The layer in which projections are expressed; null for the input. */
  readonly toLayer: string | null
  /** A second set of rules for the chosen unit, to be shown beside the first; null for none. */
  readonly compare: ComparedRules | null
}

export interface ComparedRules {
  readonly relu: ReluRule
  readonly unpool: UnpoolRule
  readonly lrn: LrnRule
  readonly seed: SeedRule
}

export type Query = Readonly<Record<string, string | undefined>>
/** What an address has behind its question mark; of a name that stands there several times, the first. */
export function queryOf(query: Readonly<Record<string, unknown>>): Query {
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
  return Object.fromEntries(
    Object.entries(query).map(([key, value]) => [key, text(Array.isArray(value) ? value[0] : value)]),
  )
}

export type Rules = Pick<Selection, 'relu' | 'unpool' | 'lrn' | 'seed' | 'count' | 'scale'>

export const DEFAULT_RULES: Rules = {
  relu: 'deconvnet',
  unpool: 'sum',
  lrn: 'identity',
  seed: 'single',
  count: 64,
  scale: 'per-picture',
}

const wholeNumber = (text: string | undefined): number | null =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null

const oneOf = <T extends string>(text: string | undefined, choices: readonly T[], otherwise: T): T =>
  choices.find((choice) => choice === text) ?? otherwise

/** Layers that can be projected from: all but the input. */
export const projectableLayers = (layers: readonly LayerPage[]): readonly LayerPage[] => layers.slice(1)

/** Layers between the input and a layer that feed it, from above: what its units can be projected to besides the input. */
export function layersBelow(layers: readonly LayerPage[], name: string): readonly LayerPage[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]))
  const below = new Set<string>()
  const collect = (from: string): void => {
    for (const input of byName.get(from)?.inputs ?? []) {
      if (below.has(input)) continue
      below.add(input)
      collect(input)
    }
  }
  collect(name)
  return projectableLayers(layers)
    .filter((layer) => below.has(layer.name))
    .reverse()
}

/** The layer shown first: the last rectified one with places, or the last convolution, or the output. */
export function defaultLayer(layers: readonly LayerPage[]): string {
  const candidates = projectableLayers(layers)
  const withPlaces = candidates.filter(({ shape }) => shape.length === 3 && (shape[0] ?? 0) * (shape[1] ?? 0) > 1)
  const found =
    withPlaces.findLast(({ type }) => type === 'relu') ??
    withPlaces.findLast(({ type }) => type === 'conv2d') ??
    candidates.at(-1)
  return found?.name ?? ''
}

/** The network to begin with: the small one that comes with the program, where it is. */
export function defaultNetwork<N extends { readonly name: string }>(networks: readonly N[]): N | undefined {
  return networks.find(({ name }) => name === 'mnist-convnet') ?? networks[0]
}

/** The data set to begin with: one whose pictures are as large as the network's input. */
export function defaultDataset(datasets: readonly DatasetRecord[], page: NetworkPage): string | undefined {
  const [input] = page.network.spec.layers
  const fits = ({ shape }: DatasetRecord): boolean =>
    input?.type === 'input' && (shape?.every((extent, i) => extent === input.shape[i]) ?? false)
  return (datasets.find(fits) ?? datasets[0])?.name
}

/**
 * The selection that an address names, with defaults for what it leaves out and for what does not exist.
 * @returns undefined where there is no data set at all
 */
export function completeSelection(
  query: Query,
  page: NetworkPage,
  datasets: readonly DatasetRecord[],
): Selection | undefined {
  const dataset =
    datasets.find(({ name }) => name === query.dataset) ??
    datasets.find(({ name }) => name === defaultDataset(datasets, page))
  if (!dataset) return undefined
  const part =
    dataset.splits.find(({ name }) => name === query.split) ??
    dataset.splits.find(({ name }) => name === 'test') ??
    dataset.splits[0]
  const pictures = part?.count ?? 0
  const layer =
    projectableLayers(page.layers).find(({ name }) => name === query.layer) ??
    page.layers.find(({ name }) => name === defaultLayer(page.layers))
  const channels = layer?.shape.at(-1) ?? 0
  const [channel, row, column] = [wholeNumber(query.channel), wholeNumber(query.row), wholeNumber(query.column)]
  const channelExists = channel !== null && channel < channels
  const [height = 0, width = 0] = layer?.shape.length === 3 ? layer.shape : []
  const placeExists = channelExists && row !== null && column !== null && row < height && column < width
  return {
    network: page.network.name,
    dataset: dataset.name,
    split: part?.name ?? 'test',
    index: Math.min(wholeNumber(query.index) ?? 0, Math.max(0, pictures - 1)),
    layer: layer?.name ?? '',
    channel: channelExists ? channel : null,
    position: placeExists ? [row, column] : null,
    relu: oneOf(query.relu, ReluRule.options, DEFAULT_RULES.relu),
    unpool: oneOf(query.unpool, UnpoolRule.options, DEFAULT_RULES.unpool),
    lrn: oneOf(query.lrn, LrnRule.options, DEFAULT_RULES.lrn),
    seed: oneOf(query.seed, SeedRule.options, DEFAULT_RULES.seed),
    count: Math.min(4096, Math.max(1, wholeNumber(query.units) ?? DEFAULT_RULES.count)),
    scale: oneOf(query.scale, ['per-picture', 'shared'], DEFAULT_RULES.scale),
    toLayer: layersBelow(page.layers, layer?.name ?? '').find(({ name }) => name === query.to)?.name ?? null,
    compare: comparedRules(query.compare),
  }
}

/** In an address the second set of rules stands as `gradient.sum.identity.single`. */
function comparedRules(text: string | undefined): ComparedRules | null {
  if (text === undefined) return null
  const [relu, unpool, lrn, seed] = text.split('.')
  return {
    relu: oneOf(relu, ReluRule.options, 'gradient'),
    unpool: oneOf(unpool, UnpoolRule.options, DEFAULT_RULES.unpool),
    lrn: oneOf(lrn, LrnRule.options, DEFAULT_RULES.lrn),
    seed: oneOf(seed, SeedRule.options, DEFAULT_RULES.seed),
  }
}

/** What an address names and is not there; undefined where all of it is, or where it names nothing. */
export function missingIn(
  query: Query,
  networks: readonly { name: string }[],
  page: NetworkPage,
  datasets: readonly DatasetRecord[],
): ErrorReport | undefined {
  const lacks = (name: string | undefined, list: readonly { name: string }[]): boolean =>
    name !== undefined && !list.some((entry) => entry.name === name)
  const explain = (message: string): ErrorReport => ({
    code: 'not-found',
    message,
    remedy: 'Choose at the left what is to be looked at.',
  })
  if (lacks(query.network, networks)) return explain(`There is no network “${query.network}” in this project`)
  if (lacks(query.dataset, datasets)) return explain(`There is no data set “${query.dataset}” in this project`)
  const { title } = page.network
  if (lacks(query.layer, projectableLayers(page.layers))) return explain(`${title} has no layer “${query.layer}”`)
  const layer = page.layers.find(({ name }) => name === (query.layer ?? defaultLayer(page.layers)))
  const channels = layer?.shape.at(-1) ?? 0
  if (layer && query.channel !== undefined && (wholeNumber(query.channel) ?? channels) >= channels) {
    return explain(`${layer.name} has the channels 0 to ${channels - 1}, and not “${query.channel}”`)
  }
  return undefined
}

/** The address of a selection; rules stand in it where they are not the usual ones. */
export function toQuery(selection: Selection): Record<string, string> {
  const { network, dataset, split, index, layer, channel, position } = selection
  const query: Record<string, string> = { network, dataset, split, index: String(index), layer }
  if (channel !== null) query.channel = String(channel)
  if (channel !== null && position) {
    query.row = String(position[0])
    query.column = String(position[1])
  }
  const rules = { relu: 'relu', unpool: 'unpool', lrn: 'lrn', seed: 'seed', count: 'units', scale: 'scale' } as const
  for (const [rule, name] of Object.entries(rules) as [keyof typeof rules, string][]) {
    if (selection[rule] !== DEFAULT_RULES[rule]) query[name] = String(selection[rule])
  }
  if (selection.toLayer !== null) query.to = selection.toLayer
  if (selection.compare) {
    const { relu, unpool, lrn, seed } = selection.compare
    query.compare = [relu, unpool, lrn, seed].join('.')
  }
  return query
}

/** What changes with a choice: another layer has other channels, another picture is strongest elsewhere. */
export function changeSelection(selection: Selection, change: Partial<Selection>): Selection {
  const next = { ...selection, ...change }
  if (next.layer !== selection.layer && change.channel === undefined) {
    return { ...next, channel: null, position: null, toLayer: null }
  }
  const otherPicture =
    next.index !== selection.index || next.split !== selection.split || next.dataset !== selection.dataset
  if ((otherPicture || next.channel !== selection.channel) && change.position === undefined)
    return { ...next, position: null }
  return next
}

/** What a live view looks at in every frame: the chosen unit, or the strongest one. */
export function liveViewOf(selection: Selection): z.input<typeof LiveView> {
  const { network, layer, toLayer, channel, position, relu, unpool, lrn, seed } = selection
  const place: [number, number] | undefined = position ? [...position] : undefined
  return {
    ...{ network, layer, toLayer: toLayer ?? undefined, seed, rules: { relu, unpool, lrn } },
    units: channel === null ? { kind: 'strongest', count: 1 } : { kind: 'list', units: [{ channel, position: place }] },
  }
}

/** The documents that are computed for a selection: the strongest units, or one unit of its own. */
export function documentOf(selection: Selection, units: DeconvnetParams['units']): { [key: string]: unknown } {
  const { network, dataset, split, index, layer, relu, unpool, lrn, seed, scale } = selection
  const toLayer = selection.toLayer ?? undefined
  return {
    kind: 'deconvnet',
    version: 1,
    seed: 0,
    params: {
      ...{ network, picture: { dataset, split, index }, layer, units, seed, rules: { relu, unpool, lrn }, scale },
      ...(toLayer === undefined ? {} : { toLayer }),
    },
  }
}
