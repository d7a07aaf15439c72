/** Live view: every frame is one short question to the worker. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { EncodedFrame, LiveFrameRequest } from '../../shared/live.ts'
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

function encoded(frame: LiveFrameRequest['frame'], dataset: string | undefined): PictureReference | EncodedFrame {
  if ('pixels' in frame) {
    const { pixels, ...size } = frame
    return { ...size, base64: Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength).toString('base64') }
  }
  // Letter case of names does not matter to who asks.
  return 'dataset' in frame && dataset !== undefined ? { ...frame, dataset } : frame
}
