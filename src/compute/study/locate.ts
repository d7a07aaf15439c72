/** Where in their pictures the recorded activations lie: the pictures go through the network again. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { Engine } from '../engines/engine.ts'
import { firstMaximum } from '../network/seeds.ts'
import { layerNamed } from '../network/graph.ts'
import type { Network } from '../network/network.ts'
import { walkUp } from '../network/walk.ts'
import type { Tensor } from '../network/layer.ts'
import type { PictureSource } from './picture-source.ts'
import type { TopTable } from './top-table.ts'
import { sizeOf } from '../../shared/size-of.ts'

export interface LocatedUnit {
  readonly channel: number
  readonly picture: number
  readonly value: number
  /** First maximum in row-major order; 0, 0 in a layer without places. */
  readonly row: number
  readonly column: number
  /** The recorded value minus the one found again. */
  readonly deviation: number
}

/** Relative to the value; different sizes of batches differ in the last digits only. */
const ALLOWED_DEVIATION = 1e-3
/** Values of the layer that are read back at once (64 MB). */
const READ_FLOATS = 16 * 1024 * 1024

/**
 * The table's entries with their places, by channel.
 * @param forget called before a conflict is reported
 * @throws ConvScopeError 'conflict' where a picture no longer gives the recorded value, because the data set has changed
 */
export async function* locate(
  engine: Engine,
  network: Network,
  source: PictureSource,
  layer: string,
  table: TopTable,
  forget: () => Promise<void> = () => Promise.resolve(),
): AsyncGenerator<{ type: 'turn' }, LocatedUnit[][], void> {
  const { shape } = layerNamed(network.graph, layer)
  const size = sizeOf(shape)
  const channels = shape.at(-1) ?? 1
  const width = shape.length === 3 ? (shape[1] ?? 1) : 1
  const byPicture = new Map<number, { channel: number; rank: number; value: number }[]>()
  const located: LocatedUnit[][] = Array.from({ length: channels }, () => [])
  for (let channel = 0; channel < channels; channel++) {
    for (const [rank, { picture, value }] of table.top(channel).entries()) {
      byPicture.set(picture, [...(byPicture.get(picture) ?? []), { channel, rank, value }])
    }
  }
  const pictures = [...byPicture.keys()].sort((a, b) => a - b)
  const batchSize = Math.max(1, Math.min(64, Math.floor(READ_FLOATS / size)))
  const images = new Float32Array(batchSize * source.size)
  const step = engine.compile<{ input: Tensor }, Tensor>(
    ({ input }) =>
      walkUp(engine.tf, network.graph, network.weights, input, {
        to: layer,
        mode: { training: false, saving: false },
      }).outputs[layer] ?? input,
    { name: `walk up to ${layer}`, captureAfter: 1 },
  )
  try {
    for (let start = 0; start < pictures.length; start += batchSize) {
      const some = pictures.slice(start, start + batchSize)
      await source.read(some, images)
      const input = engine.tf.tensor4d(images, [batchSize, ...source.shape])
      const running = step.run({ input })
      input.dispose()
      const output = await running
      const values = await output.data()
      output.dispose()
      for (const [place, picture] of some.entries()) {
        const own = values.subarray(place * size, (place + 1) * size)
        for (const { channel, rank, value } of byPicture.get(picture) ?? []) {
          const best = firstMaximum(own, channel, channels, size / channels)
          const deviation = value - (own[best * channels + channel] ?? NaN)
          if (!(Math.abs(deviation) <= ALLOWED_DEVIATION * Math.max(1, Math.abs(value)))) {
            await forget()
            throw changed(layer, channel, picture, value, value - deviation)
          }
          const unit = { channel, picture, value, row: Math.floor(best / width), column: best % width, deviation }
          const list = located[channel]
          if (list) list[rank] = unit
        }
      }
      yield { type: 'turn' }
    }
  } finally {
    step.dispose()
  }
  return located
}

function changed(layer: string, channel: number, picture: number, then: number, now: number): ConvScopeError {
  return new ConvScopeError(
    'conflict',
    `Picture ${picture} no longer gives what the scan found: channel ${channel} of ${layer} was ${then} and is ${now}`,
    { remedy: 'The data set has changed in the meantime. Start the scan again.' },
  )
}
