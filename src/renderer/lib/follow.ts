import { pause } from './latest.ts'

/**
 * Hands every value of a stream to `onValue` and opens the stream again whenever it ends or fails, after 0.3 s at first,
 * doubled up to 5 s. Ends when the signal is aborted.
 */
export async function follow<T>(
  open: (signal: AbortSignal) => Promise<AsyncIterable<T>>,
  onValue: (value: T) => void,
  signal: AbortSignal,
  onError: (error: unknown) => void = () => undefined,
): Promise<void> {
  let waitMs = 300
  while (!signal.aborted) {
    try {
      for await (const value of await open(signal)) {
        if (signal.aborted) return
        waitMs = 300
        onValue(value)
      }
    } catch (error) {
      if (signal.aborted) return
      onError(error)
    }
    await pause(waitMs, signal)
    waitMs = Math.min(5000, waitMs * 2)
  }
}
