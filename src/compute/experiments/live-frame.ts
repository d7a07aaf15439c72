/** The method 'live-frame': a deconvnet of one frame, whose outputs go back with the answer. */
import type { DeconvnetResult } from '../../shared/experiments/deconvnet.ts'
import type { PictureReference } from '../../shared/experiments/index.ts'
import type { EncodedFrame, LiveView } from '../../shared/live.ts'
import { lookAt } from './deconvnet.ts'
import type { ExperimentContext } from './experiment.ts'
import { frameInput, networkInput } from './network-input.ts'

/** @throws ConvScopeError as a deconvnet does */
export async function liveFrame(
  { view, frame }: { readonly view: LiveView; readonly frame: PictureReference | EncodedFrame },
  context: ExperimentContext,
): Promise<DeconvnetResult> {
  const { network } = await context.network(view.network)
  const input =
    'base64' in frame ? await frameInput(frame, network.spec) : await networkInput(frame, network.spec, context)
  return lookAt({ ...view, scale: 'per-picture' }, network, input, context)
}
