import { computed, type ComputedRef } from 'vue'
import type { Preprocessing } from '../../shared/network/spec.ts'
import { useClient } from './use-client.ts'
import { useResource } from './use-resource.ts'

/**
 * How a network of the library takes its pictures: without it, arrays of a run cannot be shown in their own colours. Undefined until it
 * is known, and where the network is no longer in the library.
 */
export function usePreprocessing(network: () => string): ComputedRef<Preprocessing | undefined> {
  const client = useClient()
  const { resource } = useResource(
    network,
    async (name, signal) => (await client.networks.page({ name }, { signal })).network.spec.preprocessing,
  )
  return computed(() => resource.value.value)
}
