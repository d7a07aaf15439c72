import { computed, ref, watch } from 'vue'
import type { NetworkRecord } from '../../../shared/network/page.ts'
import { formatCount, formatSplit } from '../../lib/format.ts'
import { useClient } from '../../rpc/use-client.ts'
import { useResource } from '../../rpc/use-resource.ts'

/** The splits of the library's data sets to choose from; at first what the network was tested on, or has as many classes. */
export function useSplits(network: () => NetworkRecord) {
  const client = useClient()
  const { resource } = useResource(
    () => 'datasets',
    (_, signal) => client.datasets.list(undefined, { signal }),
  )
  const chosen = ref('')
  const splits = computed(() =>
    (resource.value.value ?? []).flatMap((dataset) =>
      dataset.splits.map((split) => ({
        ...{ dataset: dataset.name, split: split.name, count: split.count, classes: dataset.classes.length },
        value: `${dataset.name}/${split.name}`,
        label: `${dataset.title}, ${formatSplit(split.name)}`,
        note: `${formatCount(split.count)}`,
      })),
    ),
  )
  const split = computed(() => splits.value.find(({ value }) => value === chosen.value))
  watch(
    splits,
    (all) => {
      if (chosen.value !== '') return
      const { testError, spec } = network()
      const fits = (each: (typeof all)[number]): number =>
        (each.dataset === testError?.dataset ? 4 : 0) +
        (each.classes === spec.classes.length ? 2 : 0) +
        (each.split === 'test' ? 1 : 0)
      chosen.value = all.toSorted((a, b) => fits(b) - fits(a))[0]?.value ?? ''
    },
    { immediate: true },
  )
  return { splits, chosen, split }
}
