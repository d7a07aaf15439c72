import { contactSheetPlace, contactSheetTile } from '../../../shared/contact-sheet.ts'
import type { RegulariserSearchResult } from '../../../shared/experiments/regulariser-search.ts'
import type { RunRecord } from '../../../shared/runs.ts'
import { fetchArray } from '../../lib/artifacts.ts'
import { everyNthPixel, GREY_LIMITS, greyLevels, meanLevels } from '../../lib/maximised-pictures.ts'
import { pictureOf, type PictureSource } from '../../lib/paint.ts'
import { makeSheet, type Sheet } from '../../lib/picture-canvas.ts'
import type { useClient } from '../../rpc/use-client.ts'

/** The best pictures of all draws, in grey levels. */
export interface DrawPictures {
  readonly sheet: Sheet | undefined
  readonly picture: (draw: number) => PictureSource
}

/** @returns undefined for a run without pictures @throws ConvScopeError where the pictures or the network cannot be fetched */
export async function loadDrawPictures(
  client: ReturnType<typeof useClient>,
  { outputs }: RunRecord,
  { network: name, draws }: RegulariserSearchResult,
  signal: AbortSignal,
): Promise<DrawPictures | undefined> {
  const output = outputs.find((candidate) => candidate.name === 'best' && candidate.kind === 'array')
  if (!output) return undefined
  const { network } = await client.networks.page({ name }, { signal })
  const { preprocessing } = network.spec
  const mean = await meanLevels(outputs, preprocessing, signal)
  const { values, shape } = greyLevels(await fetchArray(output.sha256, output.bytes, signal), mean)
  const picture = (draw: number): PictureSource => pictureOf(values, shape, draw, preprocessing.channelOrder === 'bgr')
  return { picture, sheet: makeSheet(draws.length, picture, () => GREY_LIMITS, 'grey') }
}

/** Tiles of a search that runs are drawn no larger than about this, because all of them are drawn again and again. */
const LARGEST_TILE = { width: 128, height: 128 }

/**
 * The draws of a search that runs, as its contact sheet shows them.
 * @param total how many pictures the sheet has room for
 */
export function climbingDraws(sheet: PictureSource, total: number): DrawPictures {
  const picture = (draw: number): PictureSource => tileOf(sheet, total, draw)
  const small = (draw: number): PictureSource => everyNthPixel(picture(draw), LARGEST_TILE)
  return { picture, sheet: makeSheet(total, small, () => GREY_LIMITS, 'grey') }
}

/** One picture of a contact sheet with room for `total`. */
export function tileOf(sheet: PictureSource, total: number, index: number): PictureSource {
  const size = contactSheetTile(total, sheet)
  const { left, top } = contactSheetPlace(index, total, size)
  const rowLength = size.width * sheet.pixelStep
  const values = new Uint8Array(size.height * rowLength)
  for (let row = 0; row < size.height; row++) {
    const start = sheet.start + ((top + row) * sheet.width + left) * sheet.pixelStep
    for (let at = 0; at < rowLength; at++) values[row * rowLength + at] = sheet.values[start + at] ?? 0
  }
  return { ...sheet, values, start: 0, ...size }
}
