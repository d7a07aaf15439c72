/** What is projected down: the signals that start at the output of a layer (methods of Zeiler & Fergus 2013 and of later tools). */
import type { Tensor, TensorFlow } from './layer.ts'

/**
 * - `own`: the single activation with its own value (Zeiler & Fergus);
 * - `one-hot`: 1 at its place;
 * - `map`: the whole map of the channel;
 * - `map-maximum`: only the first maximum (row-major) of the map, with its value.
 */
export type Seed = 'own' | 'one-hot' | 'map' | 'map-maximum'

export interface SeedUnit {
  readonly channel: number
  /** Row and column; for `own` and `one-hot` of a layer with places. */
  readonly place?: readonly [number, number]
}

/**
 * One signal a unit.
 * @param activation `[1, height, width, channels]` or `[1, units]`, and its values as read back from the engine
 * @returns `[units, height, width, channels]` or `[units, units of the layer]`; the caller disposes it
 * @throws RangeError for a unit that does not exist
 */
export function seedSignals(
  tf: TensorFlow,
  activation: { readonly shape: readonly number[]; readonly data: ArrayLike<number> },
  units: readonly SeedUnit[],
  seed: Seed,
): Tensor {
  const shape = activation.shape.slice(1)
  const channels = shape.at(-1) ?? 1
  const places = shape.slice(0, -1).reduce((product, size) => product * size, 1)
  const width = shape.length === 3 ? (shape[1] ?? 1) : 1
  const size = places * channels
  const values = new Float32Array(units.length * size)
  for (const [index, unit] of units.entries()) {
    const { channel } = unit
    if (!(channel >= 0 && channel < channels)) throw new RangeError(`there is no channel ${channel} among ${channels}`)
    const chosen = seed === 'map' ? Array.from({ length: places }, (_, place) => place) : [chosenPlace(unit, seed)]
    for (const place of chosen) {
      const at = place * channels + channel
      values[index * size + at] = seed === 'one-hot' ? 1 : (activation.data[at] ?? 0)
    }
  }
  return tf.tensor(values, [units.length, ...shape])

  function chosenPlace({ channel, place }: SeedUnit, kind: 'own' | 'one-hot' | 'map-maximum'): number {
    if (kind === 'map-maximum') return firstMaximum(activation.data, channel, channels, places)
    const [row, column] = place ?? [0, 0]
    const at = row * width + column
    if (!(row >= 0 && column >= 0 && column < width && at < places))
      throw new RangeError(`there is no unit at row ${row}, column ${column}`)
    return at
  }
}

/** Place (row-major) of the first maximum of a channel. */
export function firstMaximum(data: ArrayLike<number>, channel: number, channels: number, places: number): number {
  let best = 0
  for (let place = 1; place < places; place++) {
    if ((data[place * channels + channel] ?? NaN) > (data[best * channels + channel] ?? NaN)) best = place
  }
  return best
}
