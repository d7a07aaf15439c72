import { computed, ref } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import type { Curve } from '../../lib/curves.ts'
import { itemText } from '../../lib/maximised-pictures.ts'
import { useClient } from '../../rpc/use-client.ts'
import { useResource } from '../../rpc/use-resource.ts'
import { itemCurves, loadMaximisedRun, type Moment } from './maximised-run.ts'
import type { TraceQuantity } from '../../../shared/experiments/activation-maximisation.ts'

const SIDES = ['a', 'b'] as const
export type Side = (typeof SIDES)[number]
/** Newest finished runs to choose from. */
const MOST_RUNS = 200

/** Two pictures beside each other: of one run by two settings, or of two runs. The address names both: `a=RUN.ITEM&b=RUN.ITEM`. */
export function useCompared() {
  const route = useRoute()
  const router = useRouter()
  const client = useClient()
  const moment = ref<Moment>('best')

  const { resource: runs, reload } = useResource(
    () => route.path,
    async (_, signal) =>
      (
        await client.runs.list(
          { kind: 'activation-maximisation', state: 'done', offset: 0, limit: MOST_RUNS },
          { signal },
        )
      ).runs,
  )
  const options = computed(() =>
    (runs.value.value ?? []).map(({ id, title }) => ({ value: id, label: title, note: id })),
  )

  function wantedOf(side: Side): { run: string | undefined; item: number | undefined } {
    const text = route.query[side]
    const match = typeof text === 'string' ? /^(.+)\.(\d{1,6})$/.exec(text) : null
    const otherwise = side === 'a' ? options.value[0]?.value : wantedOf('a').run
    return { run: match?.[1] ?? otherwise, item: match?.[2] === undefined ? undefined : Number(match[2]) }
  }
  const loadSide = (side: Side) =>
    useResource(
      () => wantedOf(side).run,
      async (id, signal) =>
        id === undefined ? undefined : loadMaximisedRun(client, await client.runs.show({ id }, { signal }), signal),
    )
  const loaded = { a: loadSide('a'), b: loadSide('b') }

  const sides = computed(() =>
    SIDES.map((side) => {
      const { value } = loaded[side].resource
      const run = value.value
      const items = run?.result.items ?? []
      const index = Math.min(wantedOf(side).item ?? (side === 'b' ? otherSetting() : 0), Math.max(0, items.length - 1))
      const item = items[index]
      return {
        ...{ side, run, index, item },
        name: side.toUpperCase(),
        error: value.state === 'failed' ? value.error : undefined,
        settings: item && run?.params.settings[item.setting],
        choices: items.map((entry, place) => ({
          value: place,
          label: `${itemText(entry, run?.classesOf(entry.layer))}: ${run?.params.settings[entry.setting]?.name ?? ''}`,
        })),
      }
    }),
  )
  /** The same unit and start by the next settings of the run. */
  function otherSetting(): number {
    const items = loaded.b.resource.value.value?.result.items ?? []
    const first = items[wantedOf('a').item ?? 0]
    const found = items.findIndex(
      (item) =>
        item.layer === first?.layer &&
        item.channel === first.channel &&
        item.start === first.start &&
        item.setting !== first.setting,
    )
    return Math.max(0, found)
  }

  /** In how far the two can be compared. */
  const relation = computed(() => {
    const [a, b] = sides.value
    if (!a?.item || !b?.item) return ''
    if (a.item.layer !== b.item.layer || a.item.channel !== b.item.channel) return 'These are two different units.'
    if (a.item.start !== b.item.start) return 'The same unit from two different starts.'
    return 'The same unit from the same start, where both runs have one seed.'
  })

  /** One curve a side, by what each iteration records. */
  function curvesOf(quantity: TraceQuantity): (Curve & { name: string })[] {
    return sides.value.flatMap(({ name, run, index }) => {
      const curve = run && itemCurves(run, index)[quantity]
      return curve ? [{ name, ...curve }] : []
    })
  }

  function choose(side: Side, run: string | undefined, item: number | undefined): void {
    if (run === undefined) return
    void router.replace({ path: route.path, query: { ...route.query, [side]: `${run}.${item ?? 0}` } })
  }

  const showMoment = (next: Moment): void => void (moment.value = next)

  return { runs, reload, options, sides, relation, moment, curvesOf, choose, showMoment }
}

export type Compared = ReturnType<typeof useCompared>
