/** Regularised activation maximisation (Yosinski et al. 2015, section 3): units × settings × starts, batch by batch. */
import { ConvScopeError } from '../../shared/errors.ts'
import {
  TRACE_QUANTITIES,
  type ActivationMaximisationParams,
  type ActivationMaximisationResult,
  type AscentItem,
  type AscentScale,
  type LiveChange,
} from '../../shared/experiments/activation-maximisation.ts'
import type { AscentStart, AscentValues } from '../maximisation/ascent.ts'
import { AscentLayer } from '../maximisation/ascent-layer.ts'
import { ascentScale } from '../maximisation/ascent-scale.ts'
import { diversityLayer } from '../maximisation/ascent-diversity.ts'
import { climb, requireDiversityLayer, type ClimbStart } from '../maximisation/climb.ts'
import { Gathered, type Progress } from '../maximisation/gathered.ts'
import { requireFitting } from '../maximisation/fitting-settings.ts'
import { greyLevelsOf, type GreyLevels } from '../maximisation/grey-levels.ts'
import { itemOf } from '../maximisation/outcomes.ts'
import { batchesOf, planItems, type PlannedItem } from '../maximisation/plan.ts'
import { climbingSheet, curveItems, greyPicture, sheetOf } from '../maximisation/sheets.ts'
import { startPicture } from '../maximisation/start-pictures.ts'
import type { Network } from '../network/network.ts'
import type { ExperimentContext, ExperimentEvent } from './experiment.ts'
import { enlarged } from './pictures.ts'
import { sizeOf } from '../../shared/size-of.ts'

export interface MaximisationOptions {
  /** How often the state is kept to go on from after a kill. */
  readonly checkpointIntervalMs?: number
}

const CHECKPOINT_INTERVAL_MS = 15_000
/** The starts that the scale of a layer is measured on. */
const SCALE_STARTS = 9
/** One picture a unit is written up to here; beyond it only the sheets. */
const MOST_SINGLE_PICTURES = 400

/**
 * @throws ConvScopeError 'not-found' or 'invalid-input' for a unit that is not there, a blur or jitter wider than the picture, colours of a grey
 * network, or changes of pictures that do not climb together
 */
export async function* activationMaximisation(
  params: ActivationMaximisationParams,
  context: ExperimentContext,
  { checkpointIntervalMs = CHECKPOINT_INTERVAL_MS }: MaximisationOptions = {},
): AsyncGenerator<ExperimentEvent, ActivationMaximisationResult, void> {
  const { network } = await context.network(params.network)
  const items = planItems(params, network)
  requireFitting(params, network)
  const differ = params.settings.some(({ diversityWeight }) => diversityWeight > 0)
  const batches = batchesOf(items, network, differ ? params.seeds : 1)
  if (params.changes.length > 0 && batches.length > 1) {
    throw new ConvScopeError(
      'invalid-input',
      `${items.length} pictures do not climb together, so changes cannot apply to all of them`,
      {
        remedy: 'Leave the changes out, or ask for fewer pictures.',
      },
    )
  }
  const run = new MaximisationRun(params, context, network, items, checkpointIntervalMs)
  for (const [index, batch] of batches.entries()) if (index >= run.batch) yield* run.climbBatch(batch, index, batches)
  return run.result()
}

/** What the batches of a run share. */
class MaximisationRun {
  batch = 0
  readonly #params: ActivationMaximisationParams
  readonly #context: ExperimentContext
  readonly #network: Network
  readonly #items: readonly PlannedItem[]
  readonly #grey: GreyLevels
  readonly #gathered: Gathered
  readonly #checkpointIntervalMs: number
  readonly #scales: AscentScale[] = []
  #changes: readonly LiveChange[]
  #state: AscentValues | undefined
  #iterations = 0
  #seconds = 0

  constructor(
    params: ActivationMaximisationParams,
    context: ExperimentContext,
    network: Network,
    items: readonly PlannedItem[],
    checkpointIntervalMs: number,
  ) {
    this.#checkpointIntervalMs = checkpointIntervalMs
    this.#params = params
    this.#context = context
    this.#network = network
    this.#items = items
    this.#grey = greyLevelsOf(network)
    this.#changes = params.changes
    const longest = Math.max(...params.settings.map(({ iterations }) => iterations))
    this.#gathered = new Gathered(items.length, sizeOf(this.#grey.shape), longest)
    if (context.checkpoint) this.#goOn(context.checkpoint)
  }

  async *climbBatch(
    batch: readonly PlannedItem[],
    index: number,
    batches: readonly PlannedItem[][],
  ): AsyncGenerator<ExperimentEvent, void, void> {
    const offset = batches.slice(0, index).reduce((sum, { length }) => sum + length, 0)
    const layer = this.#layerOf(batch[0]?.layer ?? '')
    const startedAt = performance.now()
    const secondsBefore = this.#seconds
    const seconds = (): number => secondsBefore + (performance.now() - startedAt) / 1000
    let savedAt = startedAt
    try {
      const starts = await this.#starts(batch)
      const scale = await this.#scaleOf(layer)
      const firstStep = this.#state?.step ?? 0
      const climbed = yield* climb({
        layer,
        starts,
        scale,
        changes: this.#changes,
        takesChanges: batches.length === 1,
        context: this.#context,
        state: this.#state,
        onTrace: (step, rows) => this.#gathered.record(offset, step, rows),
        onLook: (step, pictures, newest) => this.#look(batch, offset, step, pictures, newest, seconds()),
        onRest: async (changes, values) => {
          if (performance.now() - savedAt < this.#checkpointIntervalMs) return []
          savedAt = performance.now()
          const state = await values()
          const progress: Progress = { batch: index, step: state.step, seconds: seconds(), changes: [...changes] }
          return [{ type: 'checkpoint', step: state.step, bytes: this.#gathered.checkpoint(progress, state) }]
        },
      })
      this.#state = undefined
      this.#changes = climbed.changes
      this.#gathered.keep(offset, climbed.values)
      this.#iterations += (climbed.values.step - firstStep) * batch.length
      this.#seconds = seconds()
      if (index + 1 < batches.length) {
        const progress: Progress = { batch: index + 1, step: 0, seconds: this.#seconds, changes: [] }
        yield { type: 'checkpoint', step: index + 1, bytes: this.#gathered.checkpoint(progress, undefined) }
      }
    } finally {
      layer.dispose()
    }
  }

  async result(): Promise<ActivationMaximisationResult> {
    const { best, last, majority, traces, rows, traceEvery } = this.#gathered
    const count = this.#items.length
    const items = this.#items.map((item, index) => itemOf(item, index, this.#gathered, this.#params, this.#grey))
    await this.#context.outputArray('best', [count, ...this.#grey.shape], best)
    await this.#context.outputArray('last', [count, ...this.#grey.shape], last)
    await this.#context.outputArray('majority', [count, ...this.#grey.shape], majority)
    await this.#context.outputArray('mean', this.#grey.shape, this.#grey.mean)
    await this.#context.outputArray('traces', [count, rows, TRACE_QUANTITIES.length], traces)
    if (this.#context.pictures) await this.#writePictures(items)
    return {
      network: this.#params.network,
      items,
      scales: this.#scales,
      traceEvery,
      changes: [...this.#changes],
      iterationsPerSecond: this.#seconds > 0 ? this.#iterations / this.#seconds : 0,
    }
  }

  async #starts(batch: readonly PlannedItem[]): Promise<ClimbStart[]> {
    const pictures = new Map<number, Float32Array>()
    const starts: ClimbStart[] = []
    for (const { unit, setting, start } of batch) {
      const settings = this.#params.settings[setting]
      if (!settings) throw new RangeError(`there are no settings ${setting}`)
      const picture = pictures.get(start) ?? (await this.#startPicture(start))
      pictures.set(start, picture)
      starts.push({ unit, settings, picture, setting, start, group: JSON.stringify([unit, setting]) })
    }
    return starts
  }

  #layerOf(name: string): AscentLayer {
    const { settings, diversityLayer: named } = this.#params
    const { graph } = this.#network
    const options = { diversityLayer: diversityLayer(graph, name, named) }
    if (settings.some(({ diversityWeight }) => diversityWeight > 0)) requireDiversityLayer({ layer: name, ...options })
    return new AscentLayer(this.#context.engine, this.#network, name, this.#grey, options)
  }

  #startPicture(number: number): Promise<Float32Array> {
    return startPicture(this.#params.start, number, this.#network, this.#grey, this.#context)
  }

  /** Measured once a layer, on the first unit of it and the first starts, so that it does not depend on batches. */
  async #scaleOf(layer: AscentLayer): Promise<AscentScale> {
    const known = this.#scales.find((scale) => scale.layer === layer.layer)
    if (known) return known
    const first = this.#items.find((item) => item.layer === layer.layer)
    const [settings] = this.#params.settings
    if (!first || !settings) throw new RangeError(`nothing of ${layer.layer} is asked for`)
    const starts: AscentStart[] = []
    for (let number = 0; number < Math.min(SCALE_STARTS, this.#params.seeds); number++) {
      starts.push({ unit: first.unit, settings, picture: await this.#startPicture(number) })
    }
    const scale = await ascentScale(layer, starts, this.#context.seed)
    this.#scales.push(scale)
    return scale
  }

  #look(
    batch: readonly PlannedItem[],
    offset: number,
    step: number,
    pictures: Float32Array,
    newest: Float32Array,
    seconds: number,
  ): ExperimentEvent[] {
    const { size } = this.#gathered
    const shown = batch.map((_, index) =>
      enlarged(greyPicture(pictures.subarray(index * size, (index + 1) * size), this.#grey, this.#network.spec)),
    )
    const { width, height, channels, pixels } = climbingSheet(batch, shown)
    const rowsOf = (items: readonly PlannedItem[]): number =>
      Math.max(...items.map(({ setting }) => this.#params.settings[setting]?.iterations ?? 0)) + 1
    const rows = rowsOf(batch)
    const total = this.#items.length
    const done = offset + (batch.length * Math.min(step, rows)) / rows
    const values: Record<string, number> = { iteration: step }
    for (const [place, quantity] of TRACE_QUANTITIES.entries()) values[quantity] = newest[place] ?? NaN
    for (const [line, item] of curveItems(batch).entries()) {
      const number = line > 0 ? line + 1 : ''
      if (line > 0) values[`objective${number}`] = newest[item * TRACE_QUANTITIES.length] ?? NaN
      if (this.#params.settings.length > 1) values[`setting${number}`] = batch[item]?.setting ?? 0
    }
    const secondsLeft = done > 0 ? (seconds * (total - done)) / done : undefined
    return [
      { type: 'preview', name: 'pictures', width, height, channels, pixels },
      { type: 'step', done, total, unit: 'pictures', values, secondsLeft },
    ]
  }

  async #writePictures(items: readonly AscentItem[]): Promise<void> {
    const { best, size } = this.#gathered
    const pictures = items.map((_, index) =>
      enlarged(greyPicture(best.subarray(index * size, (index + 1) * size), this.#grey, this.#network.spec)),
    )
    for (const layer of new Set(items.map((item) => item.layer))) {
      const sheet = sheetOf(items, pictures, layer)
      await this.#context.outputPicture(
        `layer-${outputName(layer)}`,
        sheet.width,
        sheet.height,
        sheet.channels,
        sheet.pixels,
      )
    }
    if (items.length > MOST_SINGLE_PICTURES) return
    for (const [index, { layer, channel, setting, start }] of items.entries()) {
      const picture = pictures[index]
      if (!picture) continue
      const name = `unit-${outputName(layer)}-${channel}-setting-${setting + 1}-start-${start + 1}`
      await this.#context.outputPicture(name, picture.width, picture.height, picture.channels, picture.pixels)
    }
  }

  #goOn(checkpoint: Uint8Array): void {
    const { progress, state } = this.#gathered.restore(checkpoint)
    // Snapshots are not in the checkpoint: what still goes back behind it is repeated from the start.
    const goesBack = this.#params.changes.some(
      ({ path, step, value }) => path === 'restore' && step >= progress.step && value < progress.step,
    )
    if (goesBack) return
    this.batch = progress.batch
    this.#state = state
    this.#seconds = progress.seconds
    // The document holds what was changed after the checkpoint too.
    this.#changes = this.#params.changes.length >= progress.changes.length ? this.#params.changes : progress.changes
  }
}

/** Output names are lower case. */
function outputName(layer: string): string {
  return layer.toLowerCase()
}
