/** Settings that a network's pictures cannot have. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { ActivationMaximisationParams } from '../../shared/experiments/activation-maximisation.ts'
import type { Network } from '../network/network.ts'

/** @throws ConvScopeError 'invalid-input' that names the settings, the reason and what to do */
export function requireFitting({ settings }: Pick<ActivationMaximisationParams, 'settings'>, network: Network): void {
  const [height = 1, width = 1, channels = 1] = network.graph.input.shape
  const coloured = settings.find(({ decorrelatedColour }) => decorrelatedColour)
  if (coloured && channels !== 3) {
    throw new ConvScopeError(
      'invalid-input',
      `"${coloured.name}" asks for decorrelated colours, but pictures of ${network.spec.name} have ${channels} ${channels === 1 ? 'channel' : 'channels'}`,
      { remedy: 'Turn decorrelated colours off.' },
    )
  }
  const far = settings.find(({ jitterPixels }) => jitterPixels >= Math.min(height, width))
  if (far) {
    throw new ConvScopeError(
      'invalid-input',
      `The jitter of ${far.jitterPixels} pixels in "${far.name}" moves the picture of ${height} × ${width} out of sight`,
      { remedy: 'Choose fewer pixels.' },
    )
  }
  const wide = settings.find(({ blurSigma }) => blurSigma >= Math.min(height, width))
  if (!wide) return
  throw new ConvScopeError(
    'invalid-input',
    `The blur of ${wide.blurSigma} pixels in "${wide.name}" is wider than the picture of ${height} × ${width}`,
    { remedy: 'Choose a smaller standard deviation.' },
  )
}
