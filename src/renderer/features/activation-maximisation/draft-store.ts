import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { useRouter } from 'vue-router'
import type { AscentSettings, StepPolicy } from '../../../shared/experiments/activation-maximisation.ts'
import { parseDocument } from '../../../shared/experiments/index.ts'
import type { ErrorReport } from '../../../shared/errors.ts'
import type { NetworkPage, NetworkSummary } from '../../../shared/network/page.ts'
import { Latest } from '../../lib/latest.ts'
import { reportOf } from '../../lib/report.ts'
import { POLICY_DEFAULTS } from '../../lib/step-policies.ts'
import { useClient } from '../../rpc/use-client.ts'
import { showError } from '../../ui/toasts.ts'
import { draftProblems } from './draft-problems.ts'
import { useLiveRun } from './live-run.ts'
import {
  branchOf,
  documentOf,
  draftFor,
  draftOfRun,
  maximisableLayers,
  queryOf,
  settingsAt,
  takesSliders,
  type DocumentExtent,
  type MaximisationDraft,
  type Query,
} from './maximisation-draft.ts'
import { usePresets } from './presets.ts'
import type { LivePath } from './setting-fields.ts'
import { withSetting } from './setting-values.ts'

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
  /** Of the run in sight, with everything that was moved since. */
  const liveSettings = shallowRef<readonly AscentSettings[]>([])
  /** Which of several settings of the run the sliders move; undefined for all. */
  const liveSetting = ref<number>()
  let adopted: string | undefined
  let launched: string | undefined

  /** Sliders move the run. */
  const isLive = computed(() => live.active && live.document !== undefined && takesSliders(live.document.params))
  const isSeveral = computed(() => isLive.value && liveSettings.value.length > 1)
  /** What the sliders stand at: the form's settings, or those of the run where it has several. */
  const settings = computed(() =>
    isSeveral.value ? liveSettings.value[liveSetting.value ?? 0] : draft.value?.settings,
  )
  /** What the present settings began as: what differs from it is marked. */
  const base = computed(() => presets.all.find(({ name }) => name === settings.value?.name) ?? presets.all[2])
  const problems = computed(() => {
    if (!draft.value || !settings.value) return new Map<string, string>()
    const seeds = isSeveral.value ? (live.document?.params.seeds ?? 1) : draft.value.seeds
    return draftProblems({ ...draft.value, seeds, settings: settings.value }, page.value)
  })
  /** Why Start is off: what a field says, or else the document's own schema. */
  const problem = computed<ErrorReport | undefined>(() => {
    if (!draft.value) return undefined
    const [first] = problems.value.values()
    if (first !== undefined) return cannotStart(first)
    try {
      parseDocument(JSON.parse(JSON.stringify(documentOf(draft.value))))
    } catch (thrown) {
      return reportOf(thrown)
    }
    return undefined
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
      if (page.value && chosen) {
        draft.value = draftFor(error.value ? {} : query, page.value, draft.value)
        error.value ??= missingLayer(query, page.value)
      }
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
    liveSettings.value = settingsAt(document.params, document.params.changes)
    liveSetting.value = undefined
    if (run.id === launched) return
    const found = draftOfRun(document)
    if (draft.value && found.network === page.value?.network.name) draft.value = { ...draft.value, ...found }
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

  function setSettings(next: AscentSettings): void {
    if (draft.value) draft.value = { ...draft.value, settings: next }
  }

  /** Moves a slider: of the form, and of the run where one is under way, unless the value is one that it would refuse. */
  function set(path: LivePath, value: number): void {
    if (!draft.value) return
    if (!isSeveral.value) setSettings(withSetting(draft.value.settings, path, value))
    liveSettings.value = liveSettings.value.map((now, index) =>
      index === (liveSetting.value ?? index) ? withSetting(now, path, value) : now,
    )
    if (isLive.value && !problems.value.has(path)) {
      live.adjust(path, value, isSeveral.value ? liveSetting.value : undefined)
    }
  }

  function setPolicy(kind: StepPolicy['kind']): void {
    if (draft.value && draft.value.settings.policy.kind !== kind)
      setSettings({ ...draft.value.settings, policy: POLICY_DEFAULTS[kind] })
  }

  /** @param document as JSON @param reuse a finished run of the same document is opened instead @returns whether the run is in the queue; why not has been said */
  async function launch(document: unknown, reuse = false): Promise<boolean> {
    starting.value = true
    try {
      const { id } = await client.jobs.start({ document: JSON.parse(JSON.stringify(document)), reuse })
      launched = id
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
    // All channels of a layer take long, and are the same pictures again.
    return launch(documentOf(draft.value, extent), extent === 'layer')
  }

  /** A new run that goes another way from an iteration on: the present sliders. */
  async function branch(step: number): Promise<boolean> {
    const { document, run, changes } = live
    if (!document || !run || !draft.value || starting.value) return false
    const wanted = document.params.settings.length > 1 ? liveSettings.value : [draft.value.settings]
    if (live.state === 'running' || live.state === 'paused') await live.act('cancel')
    return launch(branchOf(document, changes, wanted, { run: run.id, step }))
  }

  return {
    ...{ networks, page, draft, error, loaded, starting, settings, base, problems, problem },
    ...{ isLive, isSeveral, liveSettings, liveSetting },
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

function missingLayer({ layer }: Query, { network, layers }: NetworkPage): ErrorReport | undefined {
  if (layer === undefined || maximisableLayers(layers).some(({ name }) => name === layer)) return undefined
  return {
    code: 'not-found',
    message: `${network.title} has no layer “${layer}” to maximise`,
    remedy: 'Choose another one at the left.',
  }
}

function cannotStart(message: string): ErrorReport {
  return { code: 'invalid-input', message, remedy: 'The field at the left says so too: change it there.' }
}
