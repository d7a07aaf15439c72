/** Projections and patches of the pictures that a scan found, as arrays and as the paper's figure 2. */
import type { TopActivationsParams } from '../../shared/experiments/top-activations.ts'
import { topOutput } from '../../shared/experiments/top-activations.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import type { ExperimentContext, ExperimentEvent } from '../experiments/experiment.ts'
import { inputPicture } from '../experiments/network-input.ts'
import { largestMagnitude, signedPicture, type Picture } from '../experiments/pictures.ts'
import type { Network } from '../network/network.ts'
import type { PlacedUnit } from '../network/windowed-batch.ts'
import { startOf, type WindowRange } from '../network/windowed-plan.ts'
import { cutPicture, factorTo, figureTwo, magnified, nothing } from './figures.ts'
import type { LocatedUnit } from './locate.ts'
import { fieldRange } from './patches.ts'
import type { PictureSource } from './picture-source.ts'
import { projectUnits } from './unit-projections.ts'

export interface TopDrawing {
  readonly layer: string
  /** Channels in the order of the figure. */
  readonly drawn: readonly number[]
  readonly dead: readonly number[]
  /** By channel. */
  readonly located: readonly (readonly LocatedUnit[])[]
  readonly params: TopActivationsParams
}

/** Bytes of the array of projections of one layer. */
const LARGEST_ARRAY_BYTES = 1024 * 1024 * 1024
/** Side of a tile in the figure. */
const TILE_SIDE = 40
/** Tiles of one figure; a larger one could not be looked at. */
const MOST_TILES = 12_000
const UNITS_A_TURN = 128

/** Writes the arrays and, in lasting runs, the figure. @throws ConvScopeError 'too-large' where the arrays would be */
export async function* drawTop(
  network: Network,
  source: PictureSource,
  { layer, drawn, dead, located, params }: TopDrawing,
  context: ExperimentContext,
): AsyncGenerator<ExperimentEvent, void, void> {
  const range = fieldRange(network, layer)
  const channels = source.shape[2]
  const size = range.rows.size * range.columns.size * channels
  const { count } = params
  requireSize(layer, drawn.length * count * size * 4)
  const projections = new Float32Array(drawn.length * count * size)
  const patches = new Uint8Array(drawn.length * count * size)
  const units = drawn.flatMap((channel, index) =>
    dead.includes(channel)
      ? []
      : (located[channel] ?? []).map((unit, rank) => ({ ...unit, place: index * count + rank })),
  )
  for (let start = 0; start < units.length; start += UNITS_A_TURN) {
    context.signal.throwIfAborted()
    const some = units.slice(start, start + UNITS_A_TURN)
    const pictures = await distinctPictures(source, some)
    const placed = some.map((unit): PlacedUnit => ({ ...unit, picture: pictures.placeOf(unit.picture) }))
    const found = await projectUnits(context.engine, network, pictures.values, placed, { layer, ...params })
    for (const [index, unit] of some.entries()) {
      projections.set(found.projections.subarray(index * size, (index + 1) * size), unit.place * size)
      const values = pictures.values[placed[index]?.picture ?? 0] ?? new Float32Array(0)
      patches.set(patchOf(network, source, values, range, unit).pixels, unit.place * size)
    }
    yield { type: 'turn' }
  }
  const shape = [drawn.length, count, range.rows.size, range.columns.size, channels]
  await context.outputArray(topOutput('projections', layer), shape, projections)
  await context.outputArray(topOutput('patches', layer), shape, patches)
  if (!context.pictures) return
  if (drawn.length * count > MOST_TILES) {
    yield { type: 'log', message: `No figure of ${layer}: ${drawn.length * count} tiles are too many for one` }
    return
  }
  const figure = figureOf(network, { layer, drawn, dead, located, params }, range, projections, patches, channels)
  await context.outputPicture(topOutput('figure', layer), figure.width, figure.height, 3, figure.pixels)
}

function figureOf(
  network: Network,
  { drawn, dead, located, params: { count } }: TopDrawing,
  range: WindowRange,
  projections: Float32Array,
  patches: Uint8Array,
  channels: number,
): Picture {
  const height = range.rows.size
  const width = range.columns.size
  const size = height * width * channels
  const factor = factorTo(TILE_SIDE, width, height)
  const { channelOrder } = network.spec.preprocessing
  const empty = nothing(width * factor, height * factor)
  return figureTwo(
    drawn.map((channel, index) => {
      const entries = dead.includes(channel) ? 0 : (located[channel]?.length ?? 0)
      const tiles = (draw: (place: number) => Picture): Picture[] =>
        Array.from({ length: count }, (_, rank) =>
          rank < entries ? magnified(draw(index * count + rank), factor) : empty,
        )
      return {
        projections: tiles((place) => {
          const values = projections.subarray(place * size, (place + 1) * size)
          return signedPicture({ values, height, width, channels, channelOrder }, largestMagnitude(values))
        }),
        patches: tiles((place) => ({
          width,
          height,
          channels: channels === 3 ? 3 : 1,
          pixels: patches.subarray(place * size, (place + 1) * size),
        })),
      }
    }),
  )
}

/** The receptive field's part of the picture as bytes. */
function patchOf(
  network: Network,
  source: PictureSource,
  values: Float32Array,
  range: WindowRange,
  { row, column }: LocatedUnit,
): Picture {
  const picture = inputPicture({ shape: source.shape, values, label: null }, network.spec)
  const [top, left] = startOf(range, row, column)
  return cutPicture(picture, top, left, range.rows.size, range.columns.size)
}

async function distinctPictures(
  source: PictureSource,
  units: readonly LocatedUnit[],
): Promise<{ values: Float32Array[]; placeOf: (picture: number) => number }> {
  const indices = [...new Set(units.map(({ picture }) => picture))]
  const values = await Promise.all(indices.map((index) => source.picture(index)))
  return { values, placeOf: (picture) => indices.indexOf(picture) }
}

function requireSize(layer: string, bytes: number): void {
  if (bytes <= LARGEST_ARRAY_BYTES) return
  throw new ConvScopeError('too-large', `The projections of ${layer} would fill ${Math.round(bytes / 2 ** 20)} MB`, {
    remedy: 'Draw fewer channels, or keep fewer pictures a channel.',
  })
}
