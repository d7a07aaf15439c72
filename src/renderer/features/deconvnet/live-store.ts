import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import type { ErrorReport } from '../../../shared/errors.ts'
import type { LiveFrame } from '../../../shared/live.ts'
import { FrameRate } from '../../lib/frame-rate.ts'
import { Latest, pause } from '../../lib/latest.ts'
import { reportOf } from '../../lib/report.ts'
import { useClient } from '../../rpc/use-client.ts'
import type { LivePicture, LiveSource } from './live-sources.ts'
import { readFrame } from './look-view.ts'
import { liveViewOf, type Selection } from './selection.ts'
import { useDeconvnet } from './store.ts'

export type LiveSourceKind = 'dataset' | 'folder' | 'camera'

export type LiveState =
  | { readonly kind: 'off' | 'starting' | 'running' | 'paused' }
  | { readonly kind: 'failed'; readonly error: ErrorReport }

/** What is measured of the frames that were shown. */
export interface LiveFigures {
  readonly name: string
  readonly frames: number
  readonly perSecond: number | undefined
  readonly computeMs: number
}

export const MOST_FRAMES_PER_SECOND = 60

/**
 * Frames of a source through the network, one after another: each is asked for when the last one is on the screen. While it is paused the
 * last frame stays, and follows whatever else is chosen.
 */
export const useLive = defineStore('live', () => {
  const client = useClient()
  const deconvnet = useDeconvnet()
  const kind = ref<LiveSourceKind>('dataset')
  const state = shallowRef<LiveState>({ kind: 'off' })
  const figures = shallowRef<LiveFigures>()
  /** Files of the source that cannot be read, and why. */
  const leftOut = shallowRef<readonly string[]>([])
  /** Frames per second at most. */
  const most = ref(20)
  const invert = ref(false)
  const rate = new FrameRate()
  const turns = new Latest()
  let open: (() => Promise<LiveSource> | LiveSource) | undefined

  const active = computed(() => state.value.kind === 'running' || state.value.kind === 'paused')

  /** Shows the frames of another source from now on. */
  async function start(source: LiveSourceKind, opener: () => Promise<LiveSource> | LiveSource): Promise<void> {
    const { signal } = turns.begin()
    ;[kind.value, open, figures.value, leftOut.value] = [source, opener, undefined, []]
    state.value = { kind: 'starting' }
    rate.clear()
    try {
      const opened = await opener()
      // At once, and not when its next frame has come: a camera goes dark when Live ends.
      const close = (): void => opened.close()
      signal.addEventListener('abort', close)
      try {
        if (signal.aborted) return
        state.value = { kind: 'running' }
        await showAll(opened, signal)
      } finally {
        signal.removeEventListener('abort', close)
        close()
      }
    } catch (error) {
      if (!signal.aborted) state.value = { kind: 'failed', error: reportOf(error) }
    }
  }

  async function showAll(source: LiveSource, signal: AbortSignal): Promise<void> {
    let picture = await source.next()
    // Waited for while the one before is in the network.
    let upcoming: Promise<PromiseSettledResult<LivePicture>[]> | undefined
    while (!signal.aborted) {
      const startedAt = performance.now()
      const { selection } = deconvnet
      if (!selection) return
      upcoming ??= Promise.allSettled([source.next()])
      const answer = await answerTo(picture, selection, signal)
      if (signal.aborted) return
      if (answer) {
        deconvnet.showFrame(readFrame(answer))
        count(picture.name, answer.result.computeMs)
        await pause(Math.max(0, 1000 / most.value - (performance.now() - startedAt)), signal)
        await painted()
        await whilePaused(selection, signal)
        if (state.value.kind === 'paused') continue
      }
      const [next] = await upcoming
      upcoming = undefined
      if (next?.status === 'rejected') throw next.reason
      if (next) picture = next.value
    }
  }

  /** Undefined for a file that is none that can be read: its source leaves it out. */
  async function answerTo(
    { frame, name, leaveOut }: LivePicture,
    selection: Selection,
    signal: AbortSignal,
  ): Promise<LiveFrame | undefined> {
    try {
      return await client.live.frame({ view: liveViewOf(selection), frame }, { signal })
    } catch (error) {
      const { code, message } = reportOf(error)
      if (!leaveOut || (code !== 'damaged' && code !== 'too-large')) throw error
      leaveOut()
      const text = `${name} (${message})`
      if (!leftOut.value.includes(text)) leftOut.value = [...leftOut.value, text]
      return undefined
    }
  }

  function count(name: string, computeMs: number): void {
    const isNew = state.value.kind !== 'paused'
    if (isNew) rate.add(performance.now())
    const frames = (figures.value?.frames ?? 0) + (isNew ? 1 : 0)
    figures.value = { name, frames, perSecond: rate.perSecond, computeMs }
  }

  /** Resolves at once while frames run; otherwise when they go on, or when something else than `seen` is to be seen in the last one. */
  async function whilePaused(seen: Selection, signal: AbortSignal): Promise<void> {
    if (state.value.kind !== 'paused' || signal.aborted || deconvnet.selection !== seen) return
    rate.clear()
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stop()
        signal.removeEventListener('abort', done)
        resolve()
      }
      const stop = watch([state, () => deconvnet.selection], done)
      signal.addEventListener('abort', done)
    })
  }

  function togglePause(): void {
    if (active.value) state.value = { kind: state.value.kind === 'paused' ? 'running' : 'paused' }
  }

  /** Ends it: the source is closed, and a camera goes dark. */
  function stop(): void {
    turns.cancel()
    state.value = { kind: 'off' }
    figures.value = undefined
    leftOut.value = []
  }

  const retry = (): void => void (open && start(kind.value, open))

  return { kind, state, figures, leftOut, most, invert, active, start, togglePause, stop, retry }
})

/** When the page has shown what it has; never while nobody sees it, so that a hidden page rests. */
const painted = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => resolve()))
