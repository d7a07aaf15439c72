import { computed, ref, watch } from 'vue'
import { formatCount, formatSplit } from '../../lib/format.ts'
import { useClient } from '../../rpc/use-client.ts'
import { useResource } from '../../rpc/use-resource.ts'

/** The splits of the library's data sets to choose from; a test split first. */
export function useSplits() {
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
      if (!split.value) chosen.value = (all.find((each) => each.split === 'test') ?? all[0])?.value ?? ''
    },
    { immediate: true },
  )
  return { splits, chosen, split }
}
