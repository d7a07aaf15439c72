import { DeconvnetResult } from '../../../shared/experiments/deconvnet.ts'
import { ConvScopeError } from '../../../shared/errors.ts'
import type { LiveFrame } from '../../../shared/live.ts'
import { decodeNpy, type NumberArray } from '../../../shared/npy.ts'
import type { Look } from '../../../shared/runs.ts'
import { fetchArray } from '../../lib/artifacts.ts'
import { asPictures } from '../../lib/projection-display.ts'

/** A look, or a frame of a live view, with its arrays. */
export interface LookView {
  /** A frame has none. */
  readonly look: Look | undefined
  readonly result: DeconvnetResult
  /** `[units, height, width, channels]` with 1 or 3 channels; of other numbers of channels, their norm. */
  readonly projections: NumberArray
  /** `[height, width, channels]`; a layer without places as `[1, 1, units]`. */
  readonly activations: NumberArray
  /** `[height, width, channels]` in network space. */
  readonly input: NumberArray
}

export type FetchArray = typeof fetchArray

/** @throws ConvScopeError 'damaged' where the look lacks an array, and whatever `fetchArray` throws */
export async function readLook(look: Look, signal: AbortSignal, fetch: FetchArray = fetchArray): Promise<LookView> {
  const result = DeconvnetResult.parse(look.result)
  const array = (name: string): Promise<NumberArray> => {
    const output = look.outputs.find((candidate) => candidate.kind === 'array' && candidate.name === name)
    if (output) return fetch(output.sha256, output.bytes, signal)
    throw new ConvScopeError('damaged', `The projection has no array "${name}"`, { remedy: 'Compute it again.' })
  }
  const [projections, activations, input] = await Promise.all([
    array('projections'),
    array('activations'),
    array('input'),
  ])
  return viewOf(look, result, { projections, activations, input })
}

/** @throws ConvScopeError 'damaged' where an array cannot be read */
export function readFrame({ result, ...arrays }: LiveFrame): LookView {
  return viewOf(undefined, result, {
    projections: decodeNpy(arrays.projections),
    activations: decodeNpy(arrays.activations),
    input: decodeNpy(arrays.input),
  })
}

function viewOf(
  look: Look | undefined,
  result: DeconvnetResult,
  { projections, activations, input }: Pick<LookView, 'projections' | 'activations' | 'input'>,
): LookView {
  const placeless = activations.shape.length === 1
  return {
    look,
    result,
    projections: asPictures(projections),
    activations: placeless ? { ...activations, shape: [1, 1, activations.shape[0] ?? 0] } : activations,
    input,
  }
}

/** Where a unit stands among the projections of a look, or -1. A null position means the channel's strongest place. */
export function findUnit(view: LookView, channel: number, position: readonly [number, number] | null): number {
  return view.result.units.findIndex(
    (unit) =>
      unit.channel === channel &&
      (position === null || (unit.position?.[0] === position[0] && unit.position[1] === position[1])),
  )
}

export type ChannelSort = 'index' | 'strength' | 'sparsity'

/** Channels in the order they are shown in; the sparsest is active in the smallest part of its places. */
export function channelOrder(
  { result, activations }: Pick<LookView, 'result' | 'activations'>,
  sort: ChannelSort,
): readonly number[] {
  const order = result.channels.map((_, channel) => channel)
  if (sort === 'index') return order
  const active = sort === 'sparsity' ? activeShares(activations) : []
  const maximum = (channel: number): number => result.channels[channel]?.maximum ?? 0
  // Channels that are active nowhere say nothing, and come last.
  const rank = (channel: number): number =>
    sort === 'strength' ? -maximum(channel) : active[channel] || Number.MAX_SAFE_INTEGER
  return order.sort((a, b) => rank(a) - rank(b) || a - b)
}

/** Of every channel the share of places with an activation above 0. */
export function activeShares({ values, shape }: NumberArray): number[] {
  const channels = shape.at(-1) ?? 1
  const places = values.length / channels
  const counts = new Array<number>(channels).fill(0)
  for (let index = 0; index < values.length; index++) {
    if ((values[index] ?? 0) > 0) counts[index % channels] = (counts[index % channels] ?? 0) + 1
  }
  return counts.map((count) => count / places)
}
