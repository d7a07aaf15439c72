import {
  AscentSettings,
  PUBLISHED_SETTINGS,
  type ActivationMaximisationParams,
  type LiveChange,
  type StartPicture,
} from '../../../shared/experiments/activation-maximisation.ts'
import type { LayerPage, NetworkPage } from '../../../shared/network/page.ts'
import { changedSettings, withSetting } from './setting-values.ts'

/** What the form says: one unit, one combination of settings, a number of starts. */
export interface MaximisationDraft {
  readonly network: string
  readonly layer: string
  readonly channel: number
  /** null: the middle of the map. */
  readonly position: readonly [row: number, column: number] | null
  readonly start: StartPicture
  /** Whose features differ where diversity is asked for; null for the highest layer with places up to the unit's own. */
  readonly diversityLayer: string | null
  readonly seeds: number
  readonly seed: number
  readonly settings: AscentSettings
}

export type Query = Readonly<Record<string, string | undefined>>

/** Used for most figures of the paper. */
const FIRST_PRESET = PUBLISHED_SETTINGS[2] ?? AscentSettings.parse({})

const NOISE = { kind: 'mean-plus-noise', standardDeviation: 10 } as const

const wholeNumber = (text: string | undefined): number | null =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null

/** Layers whose units can be maximised: all but the input. */
export const maximisableLayers = (layers: readonly LayerPage[]): readonly LayerPage[] => layers.slice(1)

/** The scores before the softmax, or the output. */
export function defaultLayer(layers: readonly LayerPage[]): LayerPage | undefined {
  const softmax = layers.find(({ type }) => type === 'softmax')
  return maximisableLayers(layers).find(({ name }) => softmax?.inputs.includes(name)) ?? layers.at(-1)
}

/** The classes' names where the layer's channels are classes. */
export function classesOf({ network, layers }: NetworkPage, layer: string): readonly string[] {
  const scores = defaultLayer(layers)
  const found = layers.find(({ name }) => name === layer)
  const isOutput = found !== undefined && (found.name === scores?.name || found.type === 'softmax')
  const { classes } = network.spec
  return isOutput && classes && classes.length === found.shape.at(-1) ? classes : []
}

/**
 * The draft for the unit that an address names, with defaults for what it leaves out and for a layer that is not there. Numbers that the layer
 * does not have stay: the form says what is wrong with them.
 */
export function draftFor(query: Query, page: NetworkPage, before: MaximisationDraft | undefined): MaximisationDraft {
  const layer = maximisableLayers(page.layers).find(({ name }) => name === query.layer) ?? defaultLayer(page.layers)
  const [row, column] = [wholeNumber(query.row), wholeNumber(query.column)]
  const placed = row !== null && column !== null && layer?.shape.length === 3
  const sameNetwork = before?.network === page.network.name
  return {
    start: before?.start ?? NOISE,
    diversityLayer: sameNetwork ? before.diversityLayer : null,
    seeds: before?.seeds ?? 1,
    seed: before?.seed ?? 0,
    settings: before?.settings ?? FIRST_PRESET,
    network: page.network.name,
    layer: layer?.name ?? '',
    channel: layer?.name === query.layer || query.layer === undefined ? (wholeNumber(query.channel) ?? 0) : 0,
    position: placed ? [row, column] : null,
  }
}

/** The address of the unit. */
export function queryOf({ network, layer, channel, position }: MaximisationDraft): Record<string, string> {
  const query: Record<string, string> = { network, layer, channel: String(channel) }
  if (position) [query['row'], query['column']] = [String(position[0]), String(position[1])]
  return query
}

export type DocumentExtent = 'unit' | 'presets' | 'layer'

/** A document of the draft: its unit, its unit by the four published settings from nine starts, or all channels of its layer. */
export function documentOf(draft: MaximisationDraft, extent: DocumentExtent = 'unit'): MaximisationDocument {
  const { network, layer, channel, start, seeds, seed, settings, diversityLayer } = draft
  const position: [number, number] | undefined = draft.position ? [...draft.position] : undefined
  const units: ActivationMaximisationParams['targets'][number]['units'] =
    extent === 'layer' ? { kind: 'all', position } : { kind: 'list', channels: [channel], position }
  return {
    kind: 'activation-maximisation',
    version: 1,
    seed,
    params: {
      ...{ network, targets: [{ layer, units }], start, changes: [] },
      ...(diversityLayer === null ? {} : { diversityLayer }),
      settings: extent === 'presets' ? [...PUBLISHED_SETTINGS] : [settings],
      seeds: extent === 'presets' ? 9 : extent === 'layer' ? 1 : seeds,
    },
  }
}

export interface MaximisationDocument {
  readonly kind: 'activation-maximisation'
  readonly version: number
  readonly seed: number
  readonly params: ActivationMaximisationParams
}

/** The settings of a run after what was changed in iterations up to and with `step`. */
export function settingsAt(
  { settings }: Pick<ActivationMaximisationParams, 'settings'>,
  changes: readonly LiveChange[],
  step = Infinity,
): readonly AscentSettings[] {
  const due = changes.filter((change) => change.step <= step)
  return settings.map((start, index) =>
    due.reduce(
      (now, { path, value, setting = index }) => (setting === index ? withSetting(now, path, value) : now),
      start,
    ),
  )
}

/**
 * The same run up to iteration `step`, from there on with other settings.
 * @param changes all that was changed while the parent ran, with what its document says
 * @param wanted as many as the run has
 */
export function branchOf(
  document: MaximisationDocument,
  changes: readonly LiveChange[],
  wanted: readonly AscentSettings[],
  parent: { readonly run: string; readonly step: number },
): MaximisationDocument {
  const { params } = document
  const before = changes.filter(({ step }) => step < parent.step)
  const several = wanted.length > 1
  const own = settingsAt(params, before).flatMap((now, setting) =>
    changedSettings(now, wanted[setting] ?? now).map((change): LiveChange => ({
      ...{ step: parent.step, ...change },
      ...(several ? { setting } : {}),
    })),
  )
  return { ...document, params: { ...params, changes: [...before, ...own], parent: { ...parent } } }
}

/** More pictures than these never climb at once. */
const MOST_AT_ONCE = 36

/** Whether settings of the run can change while it runs: all of its pictures climb at once. */
export function takesSliders({ settings, targets: [target, ...others], seeds }: ActivationMaximisationParams): boolean {
  if (target?.units.kind !== 'list' || others.length > 0) return false
  return settings.length * target.units.channels.length * seeds <= MOST_AT_ONCE
}

/** What of the form a run was made of: the settings where it has one combination, the unit where it has one. */
export function draftOfRun({ params, seed }: MaximisationDocument): Partial<MaximisationDraft> {
  const [target] = params.targets
  const [settings, ...others] = settingsAt(params, params.changes)
  const [channel, ...channels] = target?.units.kind === 'list' ? target.units.channels : []
  return {
    ...{ network: params.network, start: params.start, seeds: params.seeds, seed },
    diversityLayer: params.diversityLayer ?? null,
    ...(target && { layer: target.layer, position: target.units.position ?? null }),
    ...(channel !== undefined && channels.length === 0 ? { channel } : {}),
    ...(settings && others.length === 0 ? { settings } : {}),
  }
}
