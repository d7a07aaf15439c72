/**
 * The program's only source of randomness: the counter-based generator Philox4x32-10 of Salmon et al., "Parallel random
 * numbers: as easy as 1, 2, 3" (SC 2011). Number i of a stream is a function of seed, stream and i alone, so that nothing
 * has to be stored to go on, and a value does not depend on how many others were drawn elsewhere.
 */

const MULTIPLIER_0 = 0xd2511f53
const MULTIPLIER_1 = 0xcd9e8d57
const WEYL_0 = 0x9e3779b9
const WEYL_1 = 0xbb67ae85
const ROUNDS = 10
const TO_UNIT = 2 ** -32

/** Upper 32 bits of the 64-bit product of two unsigned 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const carry = aLow * bHigh + (middle % 0x10000)
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0
}

/** One block: 128 bits of counter under 64 bits of key become 128 random bits, written to `block`. */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
  block: Uint32Array,
): void {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0)
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0
    const high1 = multiplyHigh(MULTIPLIER_1, c2)
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0
    c0 = (high1 ^ c1 ^ k0) >>> 0
    c1 = low1
    c2 = (high0 ^ c3 ^ k1) >>> 0
    c3 = low0
    k0 = (k0 + WEYL_0) >>> 0
    k1 = (k1 + WEYL_1) >>> 0
  }
  block[0] = c0
  block[1] = c1
  block[2] = c2
  block[3] = c3
}

/** What a stream is used for; streams of different purposes never overlap. Values are part of the results: never change one. */
export const RANDOM_PURPOSES = {
  weights: 1,
  order: 2,
  dropout: 3,
  shifts: 4,
  flips: 5,
  pretraining: 6,
  halves: 32,
  'drawn-channels': 48,
  'random-boxes': 49,
  start: 64,
  search: 65,
  transforms: 66,
} as const
export type RandomPurpose = keyof typeof RANDOM_PURPOSES

/** Random numbers of one seed, purpose and pair of indices (such as step and layer), in order. */
export class RandomStream {
  readonly #key: readonly [number, number]
  readonly #indices: readonly [number, number]
  readonly #block = new Uint32Array(4)
  #next = 0

  constructor(seed: number, purpose: RandomPurpose, first = 0, second = 0) {
    this.#key = [seed >>> 0, RANDOM_PURPOSES[purpose]]
    this.#indices = [first >>> 0, second >>> 0]
  }

  /** The next 32 random bits. */
  uint32(): number {
    const place = this.#next % 4
    if (place === 0) {
      philox4x32([Math.floor(this.#next / 4) >>> 0, this.#indices[0], this.#indices[1], 0], this.#key, this.#block)
    }
    this.#next++
    return this.#block[place] ?? 0
  }

  /** Uniform in the open interval (0, 1). */
  uniform(): number {
    return (this.uint32() + 0.5) * TO_UNIT
  }

  /** Uniform among 0 … `bound - 1`, without bias (rejection). `bound` is at most 2^32. */
  below(bound: number): number {
    const limit = 2 ** 32 - (2 ** 32 % bound)
    let value = this.uint32()
    while (value >= limit) value = this.uint32()
    return value % bound
  }

  /** Standard normal (Box and Muller 1958). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform())
  }

  /** A random order of 0 … `count - 1` (Fisher and Yates, Durstenfeld's form). */
  permutation(count: number): Uint32Array {
    const order = Uint32Array.from({ length: count }, (_, index) => index)
    for (let last = count - 1; last > 0; last--) {
      const other = this.below(last + 1)
      const kept = order[last] ?? 0
      order[last] = order[other] ?? 0
      order[other] = kept
    }
    return order
  }

  /**
   * An inverted dropout mask: each value is 0 with probability `rate`, otherwise `1 / (1 - rate)`, so that the expectation
   * of what it multiplies stays (Srivastava et al. 2014, section 10).
   */
  dropoutMask(count: number, rate: number): Float32Array {
    const mask = new Float32Array(count)
    const threshold = rate * 2 ** 32
    const kept = 1 / (1 - rate)
    for (let index = 0; index < count; index++) if (this.uint32() >= threshold) mask[index] = kept
    return mask
  }
}
