import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import {
  activationMaximisation,
  liveChangeAt,
  livePathOf,
  type LiveChange,
} from '../../../shared/experiments/activation-maximisation.ts'
import type { ErrorReport } from '../../../shared/errors.ts'
import { ADVANCE_PATH, TERMINAL_EVENTS, type JobEvent } from '../../../shared/jobs.ts'
import type { RunRecord } from '../../../shared/runs.ts'
import { extend, type Curve } from '../../lib/curves.ts'
import { Latest } from '../../lib/latest.ts'
import type { PictureSource } from '../../lib/paint.ts'
import { reportOf } from '../../lib/report.ts'
import { useClient } from '../../rpc/use-client.ts'
import { showError } from '../../ui/toasts.ts'
import { Adjuster } from './adjuster.ts'
import type { MaximisationDocument } from './maximisation-draft.ts'

export type Curves = Readonly<Record<string, Curve>>
export type LiveState = 'none' | 'opening' | 'waiting' | 'running' | 'paused' | 'ended'

/** Curves are drawn anew at most this often. */
const DRAW_INTERVAL_MS = 400

/** The optimisation that is in sight: followed while it runs, with its pictures, numbers and changes. */
export const useLiveRun = defineStore('live-maximisation', () => {
  const client = useClient()
  const run = shallowRef<RunRecord>()
  const state = ref<LiveState>('none')
  const error = shallowRef<ErrorReport>()
  const picture = shallowRef<PictureSource>()
  const curves = shallowRef<Curves>({})
  const iteration = ref(0)
  const changes = shallowRef<readonly LiveChange[]>([])
  /** Changes that were refused, and why. */
  const notes = shallowRef<readonly string[]>([])
  const secondsLeft = ref<number>()
  const latest = new Latest()
  let collected: Record<string, Curve> = {}
  let drawTimer: ReturnType<typeof setTimeout> | undefined
  let adjuster: Adjuster | undefined

  const document = computed<MaximisationDocument | undefined>(
    () => activationMaximisation.document.safeParse(run.value?.document).data,
  )
  const result = computed(() =>
    run.value?.state === 'done' ? activationMaximisation.result.safeParse(run.value.result).data : undefined,
  )
  const active = computed(() => ['waiting', 'running', 'paused'].includes(state.value))

  function reset(): void {
    latest.cancel()
    adjuster?.stop()
    clearTimeout(drawTimer)
    drawTimer = undefined
    collected = {}
    run.value = undefined
    error.value = undefined
    picture.value = undefined
    curves.value = {}
    iteration.value = 0
    changes.value = []
    notes.value = []
    secondsLeft.value = undefined
    state.value = 'none'
  }

  /** Shows a run, and follows it while it is not at its end. */
  async function open(id: string | undefined): Promise<void> {
    if (id !== undefined && id === run.value?.id) return
    reset()
    if (id === undefined) return
    const turn = latest.begin()
    state.value = 'opening'
    try {
      const record = await client.runs.show({ id }, { signal: turn.signal })
      if (!turn.current()) return
      show(record)
      if (!active.value) return
      adjuster = new Adjuster((path, value) => send(id, path, value))
      for await (const event of await client.jobs.watch({ id }, { signal: turn.signal })) {
        if (!turn.current()) return
        accept(event)
        if (TERMINAL_EVENTS.some((type) => type === event.type)) break
      }
      const ended = await client.runs.show({ id }, { signal: turn.signal })
      if (turn.current()) show(ended)
    } catch (thrown) {
      if (!turn.current()) return
      state.value = run.value ? state.value : 'none'
      error.value = reportOf(thrown)
    } finally {
      if (turn.current()) draw()
    }
  }

  function show(record: RunRecord): void {
    run.value = record
    changes.value = document.value?.params.changes ?? []
    const states = { queued: 'waiting', running: 'running', paused: 'paused' } as const
    state.value = record.state in states ? states[record.state as keyof typeof states] : 'ended'
    error.value = record.error
  }

  function accept(event: JobEvent): void {
    if (event.type === 'started' || event.type === 'resumed') state.value = 'running'
    if (event.type === 'paused') state.value = 'paused'
    if (event.type === 'preview') {
      const { width, height, channels, pixels } = event
      picture.value = { values: pixels, start: 0, pixelStep: channels, width, height, channels: channels === 1 ? 1 : 3 }
    }
    if (event.type === 'adjusted') {
      const change = liveChangeAt(event)
      const known = changes.value.some((other) => JSON.stringify(other) === JSON.stringify(change))
      if (!known) changes.value = [...changes.value, change]
    }
    if (event.type === 'log') notes.value = [...notes.value.slice(-4), event.message]
    if (event.type === 'step') collect(event)
  }

  function collect({ values, secondsLeft: left }: Extract<JobEvent, { type: 'step' }>): void {
    const { iteration: at, ...quantities } = values
    if (at === undefined) return
    // The next of several batches begins.
    if (at < iteration.value) collected = {}
    iteration.value = at
    secondsLeft.value = left
    for (const [name, value] of Object.entries(quantities)) {
      if (Number.isFinite(value)) collected[name] = extend(collected[name] ?? { x: [], values: [] }, at, value)
    }
    drawTimer ??= setTimeout(draw, DRAW_INTERVAL_MS)
  }

  function draw(): void {
    clearTimeout(drawTimer)
    drawTimer = undefined
    curves.value = { ...collected }
  }

  async function send(id: string, path: string, value: number): Promise<void> {
    try {
      await client.jobs.adjust({ id, path, value })
    } catch (thrown) {
      // A run that came to its end meanwhile takes no more changes.
      if (active.value) showError(reportOf(thrown))
    }
  }

  /** Changes a setting of the run, of one of its settings or of all; the newest value of several in short time goes. */
  function adjust(path: LiveChange['path'], value: number, setting?: number): void {
    if (active.value) adjuster?.set(livePathOf({ path, setting }), value)
  }

  async function act(action: 'cancel' | 'pause' | 'resume'): Promise<void> {
    const id = run.value?.id
    if (id === undefined || !active.value) return
    try {
      await client.jobs[action]({ id })
    } catch (thrown) {
      showError(reportOf(thrown))
    }
  }

  /** Lets a paused run do so many iterations and rest again. */
  async function advance(iterations: number): Promise<void> {
    const id = run.value?.id
    if (id !== undefined && state.value === 'paused') await send(id, ADVANCE_PATH, iterations)
  }

  async function rename(title: string): Promise<void> {
    const before = run.value
    if (!before) return
    try {
      await client.runs.rename({ id: before.id, title })
      if (run.value?.id === before.id) run.value = { ...run.value, title }
    } catch (thrown) {
      showError(reportOf(thrown))
    }
  }

  const togglePause = (): Promise<void> => act(state.value === 'paused' ? 'resume' : 'pause')

  return {
    ...{ run, state, error, picture, curves, iteration, changes, notes, secondsLeft, document, result, active },
    ...{ open, adjust, act, advance, rename, togglePause },
  }
})
