/** What passes between the two threads of a worker: the protocol's messages, and counters in shared memory. */
import type { FromWorker, ToWorker } from '../../shared/wire/protocol.ts'

/** Messages that the protocol thread answers itself are not passed on. */
export type ThreadInput = ToWorker
export type ThreadOutput =
  | { kind: 'message'; message: Exclude<FromWorker, { type: 'hello' | 'heartbeat' }> }
  /** The id of what is being computed from now on. */
  | { kind: 'busy'; id: string | undefined }

export interface ThreadData {
  /** `Int32Array` with the places of `COUNTERS`. */
  readonly counters: SharedArrayBuffer
}

/** Written by one thread, read by the other while the first one computes. */
export const COUNTERS = {
  /** Live tensors, by the engine thread. */
  tensors: 0,
  /** Messages that the protocol thread has written to standard output; wraps around. */
  written: 1,
} as const
export const COUNTER_BYTES = 2 * Int32Array.BYTES_PER_ELEMENT
