import { onScopeDispose, shallowRef, type ShallowRef } from 'vue'
import type { Progress, ProgressOr } from '../../shared/contract/progress.ts'
import type { ErrorReport } from '../../shared/errors.ts'
import { Latest } from '../lib/latest.ts'
import { reportOf } from '../lib/report.ts'

export type ProgressState<T> =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly progress: Progress | undefined }
  | { readonly kind: 'done'; readonly result: T }
  | { readonly kind: 'failed'; readonly error: ErrorReport }

/** Something that takes a while, followed to its end. Starting it again, or leaving the page, cancels what is under way. */
export function useProgress<T>(open: (signal: AbortSignal) => Promise<AsyncIterable<ProgressOr<T>>>): {
  state: Readonly<ShallowRef<ProgressState<T>>>
  start: () => Promise<void>
  cancel: () => void
} {
  const state: ShallowRef<ProgressState<T>> = shallowRef({ kind: 'idle' })
  const latest = new Latest()

  async function start(): Promise<void> {
    const turn = latest.begin()
    state.value = { kind: 'running', progress: undefined }
    try {
      for await (const event of await open(turn.signal)) {
        if (!turn.current()) return
        state.value =
          event.type === 'progress' ? { kind: 'running', progress: event } : { kind: 'done', result: event.result }
      }
    } catch (error) {
      if (turn.current()) state.value = { kind: 'failed', error: reportOf(error) }
    }
  }

  function cancel(): void {
    latest.cancel()
    state.value = { kind: 'idle' }
  }

  onScopeDispose(() => latest.cancel())
  return { state, start, cancel }
}
