/** Batches of labelled pictures: order and random changes. */
import type { Preprocessing } from '../../shared/network/spec.ts'
import { RandomStream } from '../random.ts'

export interface Batch {
  /** `[batch, height, width, channels]` in network space. */
  readonly images: Float32Array
  readonly labels: Int32Array
}

/** Random changes of the pictures of a batch: they move under the window that becomes the input, and are mirrored then. */
export interface Changes {
  /** Pairs [down, right], one a picture; black moves in. */
  readonly shifts?: Int32Array | undefined
  /** 1 for a picture that is mirrored, left for right. */
  readonly flips?: Uint8Array | undefined
}

/** Reads batches of pictures of a split, brought to network space. */
export interface BatchReader {
  /**
   * The pictures at `indices`; fewer than the batch size leave zeros behind them.
   * @throws ConvScopeError 'invalid-input' for a picture that does not fit the network, and what reading it throws
   */
  read(indices: ArrayLike<number>, changes?: Changes): Promise<Batch>
}

/** What becomes of one picture. */
export interface Change {
  readonly down: number
  readonly right: number
  readonly mirrored: boolean
}

/** The change of the picture at a place of the batch. */
export function changeAt({ shifts, flips }: Changes, place: number): Change {
  return { down: shifts?.[2 * place] ?? 0, right: shifts?.[2 * place + 1] ?? 0, mirrored: flips?.[place] === 1 }
}

/** `(byte * scale - mean) / std` of every byte of every channel. */
export function conversionTable(preprocessing: Preprocessing, channels: number): Float32Array {
  const { scale, mean, std } = preprocessing
  return Float32Array.from({ length: channels * 256 }, (_, index) => {
    const channel = Math.floor(index / 256)
    return ((index % 256) * scale - (mean[channel] ?? 0)) / (std[channel] ?? 1)
  })
}

/** The order of the pictures in one epoch (counted from 1): another one every epoch. */
export function epochOrder(seed: number, epoch: number, count: number): Uint32Array {
  return new RandomStream(seed, 'order', epoch).permutation(count)
}

/** Pairs [down, right] of a batch, each uniform in -`pixels` … `pixels`. */
export function randomShifts(seed: number, step: number, batchSize: number, pixels: number): Int32Array {
  const stream = new RandomStream(seed, 'shifts', step)
  return Int32Array.from({ length: 2 * batchSize }, () => stream.below(2 * pixels + 1) - pixels)
}

/** 1 or 0 for each picture of a batch, each with probability one half. */
export function randomFlips(seed: number, step: number, batchSize: number): Uint8Array {
  const stream = new RandomStream(seed, 'flips', step)
  return Uint8Array.from({ length: batchSize }, () => stream.below(2))
}
