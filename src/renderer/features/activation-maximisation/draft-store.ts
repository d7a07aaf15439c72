import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { useRouter } from 'vue-router'
import type { AscentSettings, StepPolicy } from '../../../shared/experiments/activation-maximisation.ts'
import { parseDocument } from '../../../shared/experiments/index.ts'
import type { ErrorReport } from '../../../shared/errors.ts'
import type { NetworkPage, NetworkSummary } from '../../../shared/network/page.ts'
import { Latest } from '../../lib/latest.ts'
import { reportOf } from '../../lib/report.ts'
import { useClient } from '../../rpc/use-client.ts'
import { showError } from '../../ui/toasts.ts'
import { useLiveRun } from './live-run.ts'
import {
  branchOf,
  documentOf,
  draftFor,
  draftOfRun,
  queryOf,
  takesSliders,
  type DocumentExtent,
  type MaximisationDraft,
  type Query,
} from './maximisation-draft.ts'
import { usePresets } from './presets.ts'
import { POLICY_DEFAULTS, withSetting } from './setting-fields.ts'

/** What the form of the Regularisers tab says; while a run is followed, its sliders move that run. */
export const useMaximisationDraft = defineStore('maximisation-draft', () => {
  const client = useClient()
  const router = useRouter()
  const live = useLiveRun()
  const presets = usePresets()
  const networks = shallowRef<readonly NetworkSummary[]>([])
  const page = shallowRef<NetworkPage>()
  const draft = shallowRef<MaximisationDraft>()
  const error = shallowRef<ErrorReport>()
  const loaded = ref(false)
  const starting = ref(false)
  const latest = new Latest()
  let adopted: string | undefined

  /** What the present settings began as: what differs from it is marked. */
  const base = computed(() => presets.all.find(({ name }) => name === draft.value?.settings.name) ?? presets.all[2])
  /** Sliders move the run. */
  const isLive = computed(() => live.active && live.document !== undefined && takesSliders(live.document.params))
  /** Why Start is off: said by the document's own schema, and by the size of the picture. */
  const problem = computed<ErrorReport | undefined>(() => {
    if (!draft.value) return undefined
    try {
      parseDocument(JSON.parse(JSON.stringify(documentOf(draft.value))))
    } catch (thrown) {
      return reportOf(thrown)
    }
    return wideBlur(draft.value.settings, page.value)
  })

  /** Shows the unit that an address names, and the run, where it names one. */
  async function open(query: Query): Promise<void> {
    const turn = latest.begin()
    error.value = undefined
    try {
      networks.value = await client.networks.list(undefined, { signal: turn.signal })
      const wanted = networks.value.find(({ name }) => name === query.network)
      if (query.network !== undefined && !wanted) error.value = missing(query.network)
      const chosen = wanted ?? networks.value.find(({ source }) => source === 'built-in') ?? networks.value[0]
      if (chosen && page.value?.network.hash !== chosen.hash) {
        page.value = await client.networks.page({ name: chosen.name }, { signal: turn.signal })
      }
      if (!turn.current()) return
      if (page.value && chosen) draft.value = draftFor(query, page.value, draft.value)
      loaded.value = true
      void live.open(query.run)
    } catch (thrown) {
      if (turn.current()) error.value = reportOf(thrown)
    }
  }

  /** The form shows what the run that was opened is made of, once. */
  function adopt(): void {
    const { run, document } = live
    if (!run || !document || adopted === run.id) return
    adopted = run.id
    const found = draftOfRun(document)
    if (!found) return
    if (found.network === page.value?.network.name) draft.value = found
    else void choose(found)
  }

  /** Changes what is maximised; the address follows. */
  async function choose(change: Partial<MaximisationDraft>): Promise<void> {
    if (!draft.value) return
    const moved = change.layer !== undefined && change.layer !== draft.value.layer
    const next = { ...draft.value, ...(moved ? { channel: 0, position: null } : {}), ...change }
    draft.value = next
    const { path, query } = router.currentRoute.value
    const run = typeof query['run'] === 'string' ? { run: query['run'] } : {}
    await router.replace({ path, query: { ...queryOf(next), ...run } })
  }

  function setSettings(settings: AscentSettings): void {
    if (draft.value) draft.value = { ...draft.value, settings }
  }

  /** Moves a slider: of the form, and of the run where one is under way. */
  function set(path: string, value: number): void {
    if (!draft.value) return
    setSettings(withSetting(draft.value.settings, path, value))
    if (isLive.value) live.adjust(path, value)
  }

  function setPolicy(kind: StepPolicy['kind']): void {
    if (draft.value && draft.value.settings.policy.kind !== kind)
      setSettings({ ...draft.value.settings, policy: POLICY_DEFAULTS[kind] })
  }

  /** @param document as JSON @returns whether the run is in the queue; why not has been said */
  async function launch(document: unknown): Promise<boolean> {
    starting.value = true
    try {
      const { id } = await client.jobs.start({ document: JSON.parse(JSON.stringify(document)) })
      adopted = id
      const unit = draft.value ? queryOf(draft.value) : {}
      await router.push({ path: '/regularisers', query: { ...unit, run: id } })
      return true
    } catch (thrown) {
      showError(reportOf(thrown))
      return false
    } finally {
      starting.value = false
    }
  }

  async function start(extent: DocumentExtent = 'unit'): Promise<boolean> {
    if (!draft.value || problem.value || starting.value) return false
    return launch(documentOf(draft.value, extent))
  }

  /** A new run that goes another way from an iteration on: the present sliders. */
  async function branch(step: number): Promise<boolean> {
    const { document, run, changes } = live
    if (!document || !run || !draft.value) return false
    if (live.state === 'running' || live.state === 'paused') await live.act('cancel')
    return launch(branchOf(document, changes, draft.value.settings, { run: run.id, step }))
  }

  return {
    ...{ networks, page, draft, error, loaded, starting, base, isLive, problem },
    ...{ open, adopt, choose, setSettings, set, setPolicy, start, branch },
  }
})

function missing(name: string): ErrorReport {
  return {
    code: 'not-found',
    message: `There is no network “${name}” in this project`,
    remedy: 'Choose another one at the left.',
  }
}

function wideBlur({ blurSigma }: AscentSettings, page: NetworkPage | undefined): ErrorReport | undefined {
  const [height = Infinity, width = Infinity] = page?.layers[0]?.shape ?? []
  if (blurSigma < Math.min(height, width)) return undefined
  return {
    code: 'invalid-input',
    message: `A blur of ${blurSigma} pixels is wider than the picture of ${height} × ${width}`,
    remedy: 'Choose a smaller standard deviation.',
  }
}
