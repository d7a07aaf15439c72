/** One batch from its start to its end, with previews, changes by the user, and snapshots to go back to. */
import { ConvScopeError, toErrorReport } from '../../shared/errors.ts'
import { TRACE_QUANTITIES, type AscentScale } from '../../shared/experiments/activation-maximisation.ts'
import { ADVANCE_PATH } from '../../shared/jobs.ts'
import { livePathOf, type AscentSettings, type LiveChange } from '../../shared/experiments/ascent-settings.ts'
import type { ExperimentContext, ExperimentEvent } from '../experiments/experiment.ts'
import type { AscentLayer } from './ascent-layer.ts'
import { Ascent, type AscentStart, type AscentValues } from './ascent.ts'
import { scaled } from './ascent-scale.ts'
import { STATUS } from './ascent-step.ts'
import { requireFitting } from './fitting-settings.ts'
import { changedSettings, changeOf } from './live-settings.ts'

/** Read back and shown at most ten times a second. */
const PREVIEW_INTERVAL_MS = 100
const TURN_INTERVAL_MS = 20
/** Every so many iterations the pictures are kept to go back to; the oldest go first. */
export const SNAPSHOT_EVERY = 25
const MOST_SNAPSHOTS = 40

export interface ClimbStart extends AscentStart {
  /** Which of the document's settings it has. */
  readonly setting: number
}

export interface ClimbOptions {
  readonly layer: AscentLayer
  readonly starts: readonly ClimbStart[]
  readonly scale: AscentScale
  /** The document's changes. More are taken from the user only where `takesChanges` says so. */
  readonly changes: readonly LiveChange[]
  readonly takesChanges: boolean
  readonly context: Pick<ExperimentContext, 'takeAdjustments' | 'onPause' | 'seed'>
  /** To go on from. */
  readonly state: AscentValues | undefined
  readonly onTrace: (step: number, rows: Float32Array) => void
  /** Pictures for the preview, and the values of the newest iteration, `[batch, 9]`. */
  readonly onLook: (step: number, pictures: Float32Array, newest: Float32Array) => ExperimentEvent[]
  /** Where a checkpoint may be made. */
  readonly onRest: (changes: readonly LiveChange[], values: () => Promise<AscentValues>) => Promise<ExperimentEvent[]>
}

export interface Climbed {
  readonly values: AscentValues
  readonly changes: readonly LiveChange[]
}

/** Iterates until every picture is done or stands still; the row after the last iteration looks at the last pictures. */
export async function* climb(options: ClimbOptions): AsyncGenerator<ExperimentEvent, Climbed, void> {
  const { layer, starts, context, onTrace, onLook, onRest } = options
  const ascent = new Ascent(layer, starts, context.seed)
  const changes = [...options.changes]
  const snapshots = new Map<number, AscentValues>()
  // Reading everything back costs time that only a way back repays.
  const mayGoBack = options.takesChanges || changes.some(({ path }) => path === 'restore')
  const rows = Math.max(...starts.map(({ settings }) => settings.iterations)) + 1
  let asked: readonly AscentSettings[] = starts.map(({ settings }) => settings)
  const numbers = starts.map(({ setting }) => setting)
  const settle = (): void => ascent.change(asked.map((settings) => scaled(settings, options.scale)))
  const apply = (change: LiveChange): void => {
    if (change.path === 'restore') return goBack(ascent, snapshots, change)
    if (change.path === 'diversityWeight') requireDiversityLayer(layer)
    const wanted = changedSettings(asked, numbers, change)
    requireFitting({ settings: wanted }, layer.network)
    asked = wanted
    settle()
  }
  let lookedAt = performance.now()
  let turnedAt = lookedAt
  let unread = 0
  let newest: Float32Array = new Float32Array(0)
  const look = async (): Promise<ExperimentEvent[]> => {
    if (unread > 0) {
      const traces = await ascent.takeTraces()
      const width = starts.length * TRACE_QUANTITIES.length
      for (let row = 0; row < unread; row++)
        onTrace(ascent.step - unread + row, traces.subarray(row * width, (row + 1) * width))
      newest = traces.subarray((unread - 1) * width)
      unread = 0
    }
    return newest.length > 0 ? onLook(ascent.step, await ascent.pictures(), newest) : []
  }
  /** The iteration before which it rests again, where it was asked for single ones. */
  let restAt: number | undefined

  try {
    if (options.state) {
      const { step } = options.state
      for (const change of changes)
        if (change.step < step && change.path !== 'restore') asked = changedSettings(asked, numbers, change)
      ascent.restore(options.state)
    }
    settle()
    context.onPause(look)
    while (ascent.step < rows) {
      if (mayGoBack && ascent.step % SNAPSHOT_EVERY === 0) await takeSnapshot(ascent, snapshots)
      for (const change of changes) if (change.step === ascent.step) apply(change)
      for (const adjustment of context.takeAdjustments()) {
        if (adjustment.path === ADVANCE_PATH) {
          restAt = Math.max(restAt ?? 0, ascent.step) + adjustment.value
          continue
        }
        try {
          const change = changeOf(adjustment, ascent.step)
          if (!options.takesChanges) throw severalBatches()
          apply(change)
          changes.push(change)
          yield { type: 'adjusted', step: change.step, path: livePathOf(change), value: change.value }
        } catch (error) {
          yield { type: 'log', message: `Not changed: ${toErrorReport(error).message}` }
        }
      }
      await ascent.iterate()
      unread++
      const now = performance.now()
      const rests = ascent.step === restAt
      if (now - lookedAt >= PREVIEW_INTERVAL_MS || ascent.step === rows || rests) {
        lookedAt = now
        yield* await look()
        yield* await onRest(changes, () => ascent.read())
        const status = await ascent.status()
        if (rests) yield { type: 'rest' }
        if (status.every((value) => value !== STATUS.running)) break
        turnedAt = now
      } else if (now - turnedAt >= TURN_INTERVAL_MS) {
        turnedAt = now
        yield { type: 'turn' }
      }
    }
    // Fewer iterations were left than it was asked for.
    if (restAt !== undefined && restAt > ascent.step) yield { type: 'rest' }
    return { values: await ascent.read(), changes }
  } finally {
    context.onPause(undefined)
    ascent.dispose()
  }
}

async function takeSnapshot(ascent: Ascent, snapshots: Map<number, AscentValues>): Promise<void> {
  snapshots.set(ascent.step, await ascent.read())
  const [oldest] = snapshots.keys()
  if (snapshots.size > MOST_SNAPSHOTS && oldest !== undefined) snapshots.delete(oldest)
}

/** Everything is as it was then, but the iterations go on counting. @throws ConvScopeError 'not-found' */
function goBack(ascent: Ascent, snapshots: ReadonlyMap<number, AscentValues>, { value }: LiveChange): void {
  const snapshot = snapshots.get(value)
  if (!snapshot) {
    throw new ConvScopeError('not-found', `There is no snapshot of iteration ${value}`, {
      remedy: `There are snapshots of: ${[...snapshots.keys()].join(', ')}.`,
    })
  }
  ascent.restore({ ...snapshot, step: ascent.step })
}

/** @throws ConvScopeError 'unsupported' */
export function requireDiversityLayer({ layer, diversityLayer }: Pick<AscentLayer, 'layer' | 'diversityLayer'>): void {
  if (diversityLayer !== undefined) return
  throw new ConvScopeError('unsupported', `No layer up to ${layer} has places whose features could differ`, {
    remedy: 'Leave diversity out.',
  })
}

function severalBatches(): ConvScopeError {
  return new ConvScopeError('conflict', 'This run has more pictures than climb at once, so they cannot change together')
}
