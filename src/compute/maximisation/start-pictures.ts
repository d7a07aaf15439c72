/** The pictures that an ascent starts from, in grey levels minus the mean. */
import type { StartPicture } from '../../shared/experiments/activation-maximisation.ts'
import type { ExperimentContext } from '../experiments/experiment.ts'
import { networkInput } from '../experiments/network-input.ts'
import type { Network } from '../network/network.ts'
import { RandomStream } from '../random.ts'
import { frequencyAmplitudes, fromWaves } from './frequencies.ts'
import type { GreyLevels } from './grey-levels.ts'
import { sizeOf } from '../../shared/size-of.ts'

/**
 * Start number `index`, `[height, width, channels]`: the same for every unit and setting. Clipping to 0 … 255 is the first thing that an
 * iteration does, so noise may reach beyond.
 */
export async function startPicture(
  start: StartPicture,
  index: number,
  network: Network,
  grey: GreyLevels,
  context: Pick<ExperimentContext, 'seed' | 'dataset' | 'artifact'>,
): Promise<Float32Array> {
  const size = sizeOf(grey.shape)
  const channels = grey.shape[2]
  if (start.kind === 'mean') return new Float32Array(size)
  if (start.kind === 'picture') {
    const { values } = await networkInput(start.picture, network.spec, context)
    return values.map((value, place) => value / (grey.toNetwork[place % channels] ?? 1))
  }
  const random = new RandomStream(context.seed, 'start', index)
  if (start.kind === 'fourier-noise') {
    const [height, width] = grey.shape
    const amplitudes = frequencyAmplitudes(height, width, 1)
    const waves = Float32Array.from(
      { length: size },
      (_, place) => start.standardDeviation * (amplitudes[Math.floor(place / channels)] ?? 0) * random.normal(),
    )
    return fromWaves(waves, grey.shape)
  }
  return Float32Array.from({ length: size }, (_, place) =>
    start.kind === 'uniform'
      ? 255 * random.uniform() - (grey.mean[place] ?? 0)
      : start.standardDeviation * random.normal(),
  )
}
