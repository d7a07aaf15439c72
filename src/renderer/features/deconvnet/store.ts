import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { useRouter } from 'vue-router'
import type { DatasetRecord } from '../../../shared/datasets.ts'
import type { ErrorReport } from '../../../shared/errors.ts'
import type { DeconvnetParams } from '../../../shared/experiments/deconvnet.ts'
import type { NetworkPage, NetworkRecord } from '../../../shared/network/page.ts'
import { Latest, NewestWins } from '../../lib/latest.ts'
import { reportOf } from '../../lib/report.ts'
import { useClient } from '../../rpc/use-client.ts'
import { findUnit, readLook, type ChannelSort, type LookView } from './look-view.ts'
import {
  changeSelection,
  completeSelection,
  defaultNetwork,
  documentOf,
  missingIn,
  projectableLayers,
  toQuery,
  type Query,
  type Selection,
} from './selection.ts'

/** What is in the middle. A view that is there stays while the next is computed. */
export type Stage =
  | { readonly kind: 'opening' }
  | { readonly kind: 'empty'; readonly missing: 'networks' | 'datasets' }
  | { readonly kind: 'loading'; readonly view: LookView | undefined; readonly slow: boolean }
  | { readonly kind: 'ready'; readonly view: LookView }
  | { readonly kind: 'failed'; readonly error: ErrorReport; readonly view: LookView | undefined }

const SLOW_MS = 150
/** Choices of the same thing closer than this are one step of Back. */
const ONE_STEP_MS = 1500

export const useDeconvnet = defineStore('deconvnet', () => {
  const client = useClient()
  const router = useRouter()
  const networks = shallowRef<readonly Omit<NetworkRecord, 'spec'>[]>([])
  const datasets = shallowRef<readonly DatasetRecord[]>([])
  const page = shallowRef<NetworkPage>()
  const selection = shallowRef<Selection>()
  const stage = shallowRef<Stage>({ kind: 'opening' })
  /** The look at one unit that is not among the strongest. */
  const single = shallowRef<LookView>()
  /** The chosen unit by the second set of rules. */
  const compared = shallowRef<LookView>()
  const sort = ref<ChannelSort>('index')
  const pages = new Map<string, NetworkPage>()
  const opening = new Latest()
  const looks = new NewestWins()
  let lastQuery: Query = {}
  let lastStep = { what: '', at: 0 }
  let shown = ''
  let pending = ''
  /** Where the latest navigation leads, also while it is still loading. */
  let heading = router.currentRoute.value.path
  router.beforeEach(({ path }) => void (heading = path))

  const view = computed(() => ('view' in stage.value ? stage.value.view : undefined))
  const layer = computed(() => page.value?.layers.find(({ name }) => name === selection.value?.layer))
  const channel = computed(() => selection.value?.channel ?? view.value?.result.units[0]?.channel ?? 0)
  const position = computed(
    () => selection.value?.position ?? view.value?.result.channels[channel.value]?.position ?? null,
  )
  /** The chosen unit with its projection, from whichever look has it. */
  const unit = computed(() => {
    for (const candidate of [view.value, single.value]) {
      const index = candidate ? findUnit(candidate, channel.value, selection.value?.position ?? null) : -1
      const found = candidate?.result.units[index]
      if (candidate && found) return { view: candidate, index, result: found }
    }
    return undefined
  })

  /** Shows what an address names. */
  async function open(query: Query): Promise<void> {
    lastQuery = query
    const turn = opening.begin()
    try {
      await loadLists(query, turn.signal)
      const record = networks.value.find(({ name }) => name === query.network) ?? defaultNetwork(networks.value)
      if (!record) return show({ kind: 'empty', missing: 'networks' })
      const found =
        pages.get(record.hash) ?? (await client.networks.page({ name: record.name }, { signal: turn.signal }))
      pages.set(record.hash, found)
      if (!turn.current()) return
      page.value = found
      const next = completeSelection(query, found, datasets.value)
      if (!next) return show({ kind: 'empty', missing: 'datasets' })
      selection.value = next
      const missing = missingIn(query, networks.value, found, datasets.value)
      if (missing) {
        pending = shown = ''
        return looks.request(() => Promise.resolve(show({ kind: 'failed', error: missing, view: undefined })))
      }
      // Whoever goes elsewhere meanwhile gets there.
      const here = heading === '/deconvnet'
      if (here && !sameQuery(query, toQuery(next))) void router.replace({ path: '/deconvnet', query: toQuery(next) })
      // Views beside the projection have their own address, and need no look.
      if (heading.startsWith('/deconvnet/')) return
      // The address that was completed comes back as a navigation of its own.
      const key = JSON.stringify(next)
      if (key === pending) return
      pending = key
      looks.request(look)
    } catch (error) {
      if (turn.current()) show({ kind: 'failed', error: reportOf(error), view: view.value })
    }
  }

  /** The view of the tab that is open: a choice stays in it. */
  const viewPath = (): string => (heading.startsWith('/deconvnet/') ? heading : '/deconvnet')

  /** Fetches the library at first, and when an address names something that was not there. */
  async function loadLists(query: Query, signal: AbortSignal): Promise<void> {
    const has = (list: readonly { name: string }[], name: string | undefined): boolean =>
      list.length > 0 && (name === undefined || list.some((entry) => entry.name === name))
    if (has(networks.value, query.network) && has(datasets.value, query.dataset)) return
    await fetchLists(signal)
  }

  async function fetchLists(signal?: AbortSignal): Promise<void> {
    const lists = await Promise.all([
      client.networks.list(undefined, { signal }),
      client.datasets.list(undefined, { signal }),
    ])
    ;[networks.value, datasets.value] = lists
  }

  /** Fetches the library again: a training may have left a network, or somebody removed one. */
  async function refreshLists(): Promise<void> {
    if (networks.value.length === 0) return open(lastQuery)
    // Whoever looks at something does not care when this fails; the next look says why.
    await fetchLists().catch(() => undefined)
  }

  function show(next: Stage): void {
    stage.value = next
  }

  async function look(signal: AbortSignal): Promise<void> {
    const wanted = selection.value
    if (!wanted) return
    const slow = setTimeout(() => {
      if (!signal.aborted) show({ kind: 'loading', view: view.value, slow: true })
    }, SLOW_MS)
    try {
      const overview = await overviewOf(wanted, signal)
      if (signal.aborted) return
      const known = wanted.channel === null || findUnit(overview, wanted.channel, wanted.position) >= 0
      const own = known ? undefined : await compute(wanted, unitsOf(wanted), signal)
      if (signal.aborted) return
      single.value = own
      const other = await comparisonOf(wanted, own ?? overview, signal)
      if (signal.aborted) return
      compared.value = other
      show({ kind: 'ready', view: overview })
    } catch (error) {
      if (signal.aborted) return
      shown = ''
      show({ kind: 'failed', error: reportOf(error), view: view.value })
    } finally {
      if (!signal.aborted) pending = ''
      clearTimeout(slow)
    }
  }

  /** The unit that is shown, by the other rules. */
  async function comparisonOf(
    wanted: Selection,
    shownIn: LookView,
    signal: AbortSignal,
  ): Promise<LookView | undefined> {
    if (!wanted.compare) return undefined
    const channel = wanted.channel ?? shownIn.result.units[0]?.channel ?? 0
    const other = { ...wanted, ...wanted.compare, channel }
    return compute(other, unitsOf(other), signal)
  }

  async function overviewOf(wanted: Selection, signal: AbortSignal): Promise<LookView> {
    const units = { kind: 'strongest', count: wanted.count } as const
    const key = JSON.stringify(documentOf(wanted, units))
    if (shown === key && view.value) return view.value
    if (!view.value) show({ kind: 'loading', view: undefined, slow: false })
    const overview = await compute(wanted, units, signal)
    if (!signal.aborted) {
      shown = key
      show({ kind: 'loading', view: overview, slow: false })
    }
    return overview
  }

  async function compute(wanted: Selection, units: DeconvnetParams['units'], signal: AbortSignal): Promise<LookView> {
    const document = JSON.parse(JSON.stringify(documentOf(wanted, units)))
    return readLook(await client.jobs.look({ document }, { signal }), signal)
  }

  /** Changes what is looked at; the address follows, and Back undoes it. */
  function choose(change: Partial<Selection>): void {
    if (!selection.value) return
    const next = changeSelection(selection.value, change)
    const query = toQuery(next)
    if (sameQuery(query, toQuery(selection.value)) && stage.value.kind !== 'failed') return
    selection.value = next
    const what = Object.keys(change).sort().join()
    const now = performance.now()
    const oneStep = what === lastStep.what && now - lastStep.at < ONE_STEP_MS
    lastStep = { what, at: now }
    void router[oneStep ? 'replace' : 'push']({ path: viewPath(), query })
  }

  function chooseNetwork(name: string): void {
    const { dataset, split, index } = selection.value ?? {}
    void router.push({ path: viewPath(), query: { network: name, dataset, split, index } })
  }

  /** The next layer up (1) or down (-1). */
  function moveLayer(step: 1 | -1): void {
    const layers = projectableLayers(page.value?.layers ?? [])
    const target = layers[layers.findIndex(({ name }) => name === selection.value?.layer) + step]
    if (target) choose({ layer: target.name })
  }

  function movePicture(step: number): void {
    const current = selection.value
    const split = datasets.value
      .find(({ name }) => name === current?.dataset)
      ?.splits.find(({ name }) => name === current?.split)
    if (!current || !split) return
    choose({ index: Math.min(split.count - 1, Math.max(0, current.index + step)) })
  }

  /** A frame of the live view in place of a look. */
  function showFrame(frame: LookView): void {
    looks.cancel()
    pending = shown = ''
    single.value = compared.value = undefined
    show({ kind: 'ready', view: frame })
  }

  const retry = (): Promise<void> => open(lastQuery)

  /** Makes a lasting run of what is shown; returns its id. */
  async function keep(): Promise<string | undefined> {
    const kept = unit.value?.view ?? view.value
    return kept?.look && (await client.runs.keep({ documentHash: kept.look.documentHash })).id
  }

  return {
    ...{ networks, datasets, page, selection, stage, single, compared, sort, view, layer, channel, position, unit },
    ...{ open, refreshLists, choose, chooseNetwork, moveLayer, movePicture, showFrame, retry, keep },
  }
})

function unitsOf(wanted: Selection): DeconvnetParams['units'] {
  const position: [number, number] | undefined = wanted.position ? [...wanted.position] : undefined
  return { kind: 'list', units: [{ channel: wanted.channel ?? 0, position }] }
}

function sameQuery(a: Query, b: Query): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].every((key) => a[key] === b[key])
}
