/** Do features change alike? Signs of changes, and how many differ (Zeiler & Fergus 2013, section 4.3). */

/** Sign of the change of every feature: -1, 0 or 1. */
export function signs(before: Float32Array, after: Float32Array): Int8Array {
  return Int8Array.from(before, (value, index) => Math.sign(value - (after[index] ?? NaN)))
}

/** The Hamming distance of every pair through the number of features, pairs in the order (0, 1), (0, 2), …, (1, 2), … */
export function signDifferences(changes: readonly Int8Array[]): number[] {
  return changes.flatMap((one, index) =>
    changes.slice(index + 1).map((other) => {
      let different = 0
      for (const [place, sign] of one.entries()) if (sign !== other[place]) different += 1
      return different / one.length
    }),
  )
}

/** Mean and standard error of the mean (sample deviation through the root of the number). */
export function meanAndError(values: readonly number[]): { mean: number; standardError: number; pairs: number } {
  const pairs = values.length
  const mean = values.reduce((sum, value) => sum + value, 0) / pairs
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, pairs - 1)
  return { mean, standardError: Math.sqrt(variance / pairs), pairs }
}
