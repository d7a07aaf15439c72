/** Which pictures an activation maximisation makes, and which of them climb together. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { ActivationMaximisationParams, TargetUnits } from '../../shared/experiments/activation-maximisation.ts'
import type { Network } from '../network/network.ts'
import type { AscentUnit } from './ascent-layer.ts'
import { sizeOf } from '../../shared/size-of.ts'

export interface PlannedItem {
  readonly layer: string
  readonly unit: AscentUnit
  /** Index into the settings. */
  readonly setting: number
  /** Number of the start picture. */
  readonly start: number
}

/** Pictures of a batch hold at most so many floats at the widest layer (256 MB). */
const WIDEST_BATCH_FLOATS = 64 * 1024 * 1024
const LARGEST_BATCH = 36

/**
 * Items in the order of the results: targets, their channels, settings, starts.
 * @throws ConvScopeError 'not-found' or 'invalid-input' that names the layer, what is asked for and what there is
 */
export function planItems(
  params: Pick<ActivationMaximisationParams, 'targets' | 'settings' | 'seeds'>,
  network: Network,
): PlannedItem[] {
  return params.targets.flatMap(({ layer, units }) =>
    unitsOf(layer, units, network).flatMap((unit) =>
      params.settings.flatMap((_, setting) =>
        Array.from({ length: params.seeds }, (_start, start): PlannedItem => ({ layer, unit, setting, start })),
      ),
    ),
  )
}

/**
 * Consecutive items of one layer, as many as fit together.
 * @param together so many consecutive items stay in one batch: the starts of a unit that are to differ from one another
 * @throws ConvScopeError 'invalid-input' where they do not fit together
 */
export function batchesOf(items: readonly PlannedItem[], network: Network, together = 1): PlannedItem[][] {
  const widest = Math.max(...network.layers.map(({ shape }) => sizeOf(shape)))
  const most = Math.min(LARGEST_BATCH, Math.max(1, Math.floor(WIDEST_BATCH_FLOATS / widest)))
  if (together > most) {
    throw new ConvScopeError('invalid-input', `${together} pictures of ${network.spec.name} do not climb together`, {
      remedy: `Ask for at most ${most} starts that differ from one another.`,
    })
  }
  const batches: PlannedItem[][] = []
  for (let first = 0; first < items.length; first += together) {
    const group = items.slice(first, first + together)
    const last = batches.at(-1)
    if (last && last.length + together <= most && last[0]?.layer === group[0]?.layer) last.push(...group)
    else batches.push(group)
  }
  return batches
}

function unitsOf(layer: string, choice: TargetUnits, network: Network): AscentUnit[] {
  const shape = network.shapes[layer]
  if (shape === undefined || layer === network.graph.input.name) {
    throw new ConvScopeError('not-found', `The network ${network.spec.name} has no layer ${layer} to maximise`, {
      remedy: `Choose one of: ${network.layers
        .slice(1)
        .map(({ name }) => name)
        .join(', ')}.`,
    })
  }
  const count = shape.at(-1) ?? 1
  const position = positionOf(layer, choice.position, shape)
  const channels =
    choice.kind === 'list'
      ? choice.channels
      : Array.from({ length: choice.kind === 'all' ? count : Math.min(choice.count, count) }, (_, channel) => channel)
  const missing = channels.find((channel) => channel >= count)
  if (missing !== undefined) {
    throw new ConvScopeError(
      'invalid-input',
      `Layer ${layer} has no channel ${missing}: its channels are 0 to ${count - 1}`,
      {
        remedy: 'Choose one that is there.',
      },
    )
  }
  return channels.map((channel) => ({ channel, position }))
}

/** The unit in the middle where none is named. */
function positionOf(
  layer: string,
  wanted: readonly [number, number] | undefined,
  shape: readonly number[],
): readonly [number, number] | null {
  if (shape.length !== 3) {
    if (wanted === undefined) return null
    throw new ConvScopeError(
      'invalid-input',
      `Layer ${layer} has no places, so there is no position ${wanted.join(', ')} in it`,
      {
        remedy: 'Leave the position out.',
      },
    )
  }
  const [height = 1, width = 1] = shape
  const [row, column] = wanted ?? [Math.floor(height / 2), Math.floor(width / 2)]
  if (row < height && column < width) return [row, column]
  throw new ConvScopeError(
    'invalid-input',
    `Layer ${layer} has no position ${row}, ${column}: its rows are 0 to ${height - 1}, its columns 0 to ${width - 1}`,
    { remedy: 'Choose one that is there.' },
  )
}
