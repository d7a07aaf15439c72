import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { ErrorReport } from '../../../shared/errors.ts'
import type { AscentSettings } from '../../../shared/experiments/activation-maximisation.ts'
import { regulariserSearch } from '../../../shared/experiments/regulariser-search.ts'
import { TERMINAL_EVENTS, type JobEvent } from '../../../shared/jobs.ts'
import type { RunMarks } from '../../../shared/presets.ts'
import type { RunRecord } from '../../../shared/runs.ts'
import { Latest } from '../../lib/latest.ts'
import type { PictureSource } from '../../lib/paint.ts'
import { reportOf } from '../../lib/report.ts'
import { useClient } from '../../rpc/use-client.ts'
import { useResource } from '../../rpc/use-resource.ts'
import { showError, showMessage } from '../../ui/toasts.ts'
import type { DrawMark } from './draw-marks.ts'
import { climbingDraws, loadDrawPictures } from './draw-pictures.ts'

/** The search that is in sight: its draws as they climb and at the end, and their marks. */
export const useSearchRun = defineStore('regulariser-search', () => {
  const client = useClient()
  const run = shallowRef<RunRecord>()
  const error = shallowRef<ErrorReport>()
  const preview = shallowRef<PictureSource>()
  const progress = shallowRef<Extract<JobEvent, { type: 'step' }>>()
  const marks = shallowRef<RunMarks>({})
  const paused = ref(false)
  const latest = new Latest()
  const active = computed(() => run.value !== undefined && ['queued', 'running', 'paused'].includes(run.value.state))
  const result = computed(() =>
    run.value?.state === 'done' ? regulariserSearch.result.safeParse(run.value.result).data : undefined,
  )

  const { resource: pictures, reload: reloadPictures } = useResource(
    () => run.value,
    async (record, signal) =>
      record && result.value ? loadDrawPictures(client, record, result.value, signal) : undefined,
  )
  /** How many draws the search has. */
  const total = computed(() => regulariserSearch.document.safeParse(run.value?.document).data?.params.draws ?? 0)
  /** Draws with a picture, the first ones: they can be marked. */
  const begun = computed(() => {
    if (result.value) return result.value.draws.length
    const { finishedDraws = 0, climbingDraws: now = 0 } = progress.value?.values ?? {}
    return preview.value ? finishedDraws + now : 0
  })
  const climbing = computed(() => preview.value && climbingDraws(preview.value, total.value))
  const shown = computed(() => (result.value ? pictures.value.value : climbing.value))
  /** Failed, or stopped by the program's end: it goes on behind the draws that are done. */
  const canGoOn = computed(() => run.value?.state === 'failed')

  /** Shows a search, and follows it while it is not at its end. */
  async function open(id: string | undefined): Promise<void> {
    if (id !== undefined && id === run.value?.id && !error.value) return
    await follow(id)
  }

  async function follow(id: string | undefined): Promise<void> {
    const turn = latest.begin()
    run.value = undefined
    error.value = undefined
    preview.value = undefined
    progress.value = undefined
    paused.value = false
    marks.value = {}
    if (id === undefined) return
    try {
      const [record, found] = await Promise.all([
        client.runs.show({ id }, { signal: turn.signal }),
        client.runs.marks({ id }, { signal: turn.signal }),
      ])
      if (!turn.current()) return
      run.value = record
      marks.value = found
      if (!active.value) return
      for await (const event of await client.jobs.watch({ id }, { signal: turn.signal })) {
        if (!turn.current()) return
        accept(event)
        if (TERMINAL_EVENTS.some((type) => type === event.type)) break
      }
      const ended = await client.runs.show({ id }, { signal: turn.signal })
      if (turn.current()) run.value = ended
    } catch (thrown) {
      if (turn.current()) error.value = reportOf(thrown)
    }
  }

  function accept(event: JobEvent): void {
    if (event.type === 'step') progress.value = event
    if (event.type === 'paused' || event.type === 'resumed') paused.value = event.type === 'paused'
    if (event.type === 'preview' && event.name === 'sheet') {
      const { width, height, channels, pixels: values } = event
      preview.value = { values, start: 0, pixelStep: channels, width, height, channels: channels === 1 ? 1 : 3 }
    }
  }

  async function act(action: 'cancel' | 'pause' | 'resume'): Promise<void> {
    if (!run.value || !active.value) return
    try {
      await client.jobs[action]({ id: run.value.id })
    } catch (thrown) {
      showError(reportOf(thrown))
    }
  }

  /** Lets a search that failed go on. */
  async function goOn(): Promise<void> {
    const id = run.value?.id
    if (id === undefined || !canGoOn.value) return
    try {
      await client.jobs.resume({ id })
      await follow(id)
    } catch (thrown) {
      showError(reportOf(thrown))
    }
  }

  /** Marks a draw, or takes the same mark away; what could not be kept is taken back. */
  async function toggleMark(draw: number, mark: DrawMark): Promise<void> {
    const id = run.value?.id
    if (id === undefined || draw >= begun.value) return
    const before = marks.value
    const { [String(draw)]: old, ...others } = before
    const next = old === mark ? others : { ...others, [String(draw)]: mark }
    marks.value = next
    try {
      await client.runs.mark({ id, marks: next })
    } catch (thrown) {
      if (run.value?.id === id) marks.value = before
      showError(reportOf(thrown))
    }
  }

  /** The settings of draws as presets of activation maximisation. */
  async function keepAsPresets(chosen: readonly { name: string; settings: AscentSettings }[]): Promise<void> {
    try {
      for (const { name, settings } of chosen) {
        const preset = JSON.parse(JSON.stringify({ ...settings, name }))
        await client.presets.save({ kind: 'activation-maximisation', name, settings: preset })
      }
      showMessage(`Saved ${chosen.length === 1 ? `the preset “${chosen[0]?.name ?? ''}”` : `${chosen.length} presets`}`)
    } catch (thrown) {
      showError(reportOf(thrown))
    }
  }

  return {
    ...{ run, error, climbing, shown, begun, total, progress, marks, paused, active, result, pictures, canGoOn },
    ...{ open, act, goOn, reloadPictures, toggleMark, keepAsPresets },
  }
})
