import { onScopeDispose, shallowRef, watch } from 'vue'
import type { ShallowRef } from 'vue'
import type { ErrorReport } from '../../shared/errors.ts'
import { Latest } from '../lib/latest.ts'
import { reportOf } from '../lib/report.ts'

export type Resource<T> =
  | { readonly state: 'loading'; readonly value: T | undefined }
  | { readonly state: 'ready'; readonly value: T }
  | { readonly state: 'failed'; readonly value: T | undefined; readonly error: ErrorReport }

/**
 * What `load` answers for the present key, loaded again when the key changes or `reload` is called. An answer for a key that is
 * no longer wanted is dropped; the last value stays in sight meanwhile.
 */
export function useResource<K, T>(
  key: () => K,
  load: (key: K, signal: AbortSignal) => Promise<T>,
): { resource: Readonly<ShallowRef<Resource<T>>>; reload: () => Promise<void> } {
  const resource: ShallowRef<Resource<T>> = shallowRef({ state: 'loading', value: undefined })
  const latest = new Latest()

  async function reload(): Promise<void> {
    const turn = latest.begin()
    resource.value = { state: 'loading', value: resource.value.value }
    try {
      const value = await load(key(), turn.signal)
      if (turn.current()) resource.value = { state: 'ready', value }
    } catch (error) {
      if (turn.current()) resource.value = { state: 'failed', value: resource.value.value, error: reportOf(error) }
    }
  }

  watch(key, () => void reload(), { immediate: true })
  onScopeDispose(() => latest.cancel())
  return { resource, reload }
}
