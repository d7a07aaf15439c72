/** Choosing channels of a layer to draw. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { DrawnChannels } from '../../shared/experiments/top-activations.ts'
import { RandomStream } from '../random.ts'

/**
 * The chosen channels; a random subset is in ascending order and the same for the same seed.
 * @throws ConvScopeError 'invalid-input' for a channel that is not there
 */
export function drawnChannels(layer: string, choice: DrawnChannels, channels: number, seed: number): number[] {
  if (choice.kind === 'all') return Array.from({ length: channels }, (_, channel) => channel)
  if (choice.kind === 'random') {
    const order = new RandomStream(seed, 'drawn-channels').permutation(channels)
    return [...order.subarray(0, choice.count)].sort((a, b) => a - b)
  }
  const beyond = choice.channels.find((channel) => channel >= channels)
  if (beyond === undefined) return choice.channels
  throw new ConvScopeError(
    'invalid-input',
    `Layer ${layer} has no channel ${beyond}: its channels are 0 to ${channels - 1}`,
    {
      remedy: 'Choose channels that are there.',
    },
  )
}
