/** The layers of a stored case `files-*`, for files that hold only weights. */
import * as z from 'zod'
import type { NetworkSpec } from '../../../shared/network/spec.ts'
import type { CaseFile } from '../../network/conformance/case-file.ts'
import { parseNetworkSpec } from '../../network/graph.ts'

const size = z.number().int()
const Layer = z.looseObject({ name: z.string(), type: z.string() })
const Chain = z.object({ input: z.tuple([size, size, size]), layers: z.array(Layer) })

/** A chain of layers under the names of the case. */
export function storedSpec(file: CaseFile, name = 'stored'): NetworkSpec {
  const { input, layers } = Chain.parse(file.json.network)
  return parseNetworkSpec({
    format: 'convscope-network',
    version: 1,
    name,
    title: name,
    preprocessing: { channelOrder: input[2] === 1 ? 'grey' : 'bgr', scale: 1 },
    layers: [{ name: 'input', type: 'input', shape: input }, ...layers.map(layerOf)],
  })
}

function layerOf(layer: z.infer<typeof Layer>): unknown {
  const { name, type, filters, groups, rounding, units, alpha, beta, k, convention } = layer
  const window = { kernel: layer['kernel'] ?? layer['size'], stride: layer['stride'], padding: layer['pad'] }
  switch (type) {
    case 'conv':
      return { name, type: 'conv2d', filters, groups, ...window }
    case 'maxPool':
      return { name, type: 'max-pool', rounding, ...window }
    case 'lrn':
      return { name, type, size: layer['size'], alpha, beta, k, convention }
    case 'dense':
      return { name, type, units }
    default:
      return { name, type }
  }
}
