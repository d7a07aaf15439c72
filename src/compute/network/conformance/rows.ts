/** Rows of the conformance table: one comparison each. */

/** An array with the sizes that belong to it. */
export interface Values {
  readonly shape: readonly number[]
  readonly data: ArrayLike<number>
}

export interface Tolerance {
  /** Relative to each value. */
  readonly rtol?: number
  /** Relative to the largest value. */
  readonly atolRelativeToMax?: number
}

export interface Row {
  /** What is tested, for example "layers-conv k3s1p1". */
  readonly name: string
  /** The quantity compared. */
  readonly quantity: string
  readonly pass: boolean
  /** Largest deviation relative to the largest expected value. */
  readonly deviation: number
  /** Largest deviation in units of what the tolerance allows; up to 1 passes. */
  readonly ratio: number
  /** Why it failed where numbers do not say it. */
  readonly reason?: string
}

export function passed(name: string, quantity: string, pass: boolean, reason?: string): Row {
  return {
    name,
    quantity,
    pass,
    deviation: pass ? 0 : Infinity,
    ratio: pass ? 0 : Infinity,
    ...(pass ? {} : { reason }),
  }
}

/** |actual - expected| <= rtol * |expected| + atolRelativeToMax * max |expected|, everywhere. */
export function compare(name: string, quantity: string, actual: Values, expected: Values, tolerance: Tolerance): Row {
  if (actual.shape.join() !== expected.shape.join()) {
    return passed(name, quantity, false, `shape [${actual.shape.join()}] instead of [${expected.shape.join()}]`)
  }
  const largest = Array.from(expected.data).reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  let worst = 0
  let ratio = 0
  for (let index = 0; index < expected.data.length; index++) {
    const value = expected.data[index] ?? NaN
    const difference = Math.abs((actual.data[index] ?? NaN) - value)
    if (difference === 0) continue
    const allowed = (tolerance.rtol ?? 0) * Math.abs(value) + (tolerance.atolRelativeToMax ?? 0) * largest
    // Written so that NaN fails.
    if (!(difference / allowed <= ratio))
      ratio = Number.isFinite(difference) && allowed > 0 ? difference / allowed : Infinity
    if (!(difference <= worst)) worst = difference
  }
  return { name, quantity, pass: ratio <= 1, deviation: worst / (largest || 1), ratio }
}
