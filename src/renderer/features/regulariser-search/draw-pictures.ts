import type { RegulariserSearchResult } from '../../../shared/experiments/regulariser-search.ts'
import type { RunRecord } from '../../../shared/runs.ts'
import { fetchArray } from '../../lib/artifacts.ts'
import { GREY_LIMITS, greyLevels, meanLevels } from '../../lib/maximised-pictures.ts'
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
