/** The method 'live-frame': a deconvnet of one frame, whose outputs go back with the answer. */
import type { DeconvnetResult } from '../../shared/experiments/deconvnet.ts'
import type { PictureReference } from '../../shared/experiments/index.ts'
import type { EncodedFile, EncodedFrame, LiveView } from '../../shared/live.ts'
import { lookAt } from './deconvnet.ts'
import type { NetworkSpec } from '../../shared/network/spec.ts'
import type { ExperimentContext } from './experiment.ts'
import { fileInput, frameInput, networkInput, type NetworkInput } from './network-input.ts'

/** @throws ConvScopeError as a deconvnet does */
export async function liveFrame(
  { view, frame }: { readonly view: LiveView; readonly frame: PictureReference | EncodedFrame | EncodedFile },
  context: ExperimentContext,
): Promise<DeconvnetResult> {
  const { network } = await context.network(view.network)
  const input = await inputOf(frame, network.spec, context)
  return lookAt({ ...view, scale: 'per-picture' }, network, input, context)
}

function inputOf(
  frame: PictureReference | EncodedFrame | EncodedFile,
  spec: NetworkSpec,
  context: ExperimentContext,
): Promise<NetworkInput> {
  if ('base64' in frame) return frameInput(frame, spec)
  return 'fileBase64' in frame ? fileInput(frame, spec) : networkInput(frame, spec, context)
}
