import { computed, type ComputedRef } from 'vue'
import { useRoute } from 'vue-router'

/** What stands in the address: of what is given twice, the first. */
export function useAddress(): ComputedRef<Readonly<Record<string, string | undefined>>> {
  const route = useRoute()
  return computed(() =>
    Object.fromEntries(
      Object.entries(route.query).map(([key, value]) => [key, (Array.isArray(value) ? value[0] : value) ?? undefined]),
    ),
  )
}
