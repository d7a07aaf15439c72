/** Live view: every frame is one short question to the worker. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { EncodedFile, EncodedFrame, LiveFrameRequest } from '../../shared/live.ts'
import type { PictureReference } from '../../shared/experiments/index.ts'
import type { Project } from '../project/project.ts'
import type { Supervisor } from '../sessions/supervisor.ts'
import type { LiveService } from './services.ts'

export function createLive(project: Project, supervisor: Supervisor): LiveService {
  return {
    frame: async ({ view, frame }) => {
      const network = project.networks.get(view.network)
      const data = 'dataset' in frame ? project.datasets.get(frame.dataset) : undefined
      const library = { networks: { [network.name]: network }, datasets: data ? { [data.name]: data } : {} }
      const { result, outputs } = await supervisor.call(
        'live-frame',
        { view: { ...view, network: network.name }, frame: encoded(frame, data?.name) },
        library,
      )
      const output = (name: string): Uint8Array => {
        const found = outputs.find(({ record }) => record.name === name)
        if (found) return found.bytes
        throw new ConvScopeError('damaged', `The compute worker answered a live frame without its ${name}`)
      }
      return {
        result,
        projections: output('projections'),
        activations: output('activations'),
        input: output('input'),
      }
    },
  }
}

function encoded(
  frame: LiveFrameRequest['frame'],
  dataset: string | undefined,
): PictureReference | EncodedFrame | EncodedFile {
  if ('pixels' in frame) {
    const { pixels, ...size } = frame
    return { ...size, base64: base64Of(pixels) }
  }
  if ('file' in frame) return { fileBase64: base64Of(frame.file), invert: frame.invert }
  // Letter case of names does not matter to who asks.
  return 'dataset' in frame && dataset !== undefined ? { ...frame, dataset } : frame
}

function base64Of({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
}
