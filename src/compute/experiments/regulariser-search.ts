/** Random search over regularisers (Yosinski et al. 2015, section 3.1). Draws climb together, batch by batch. */
import type { AscentSettings } from '../../shared/experiments/activation-maximisation.ts'
import type { RegulariserSearchParams, RegulariserSearchResult } from '../../shared/experiments/regulariser-search.ts'
import { AscentLayer } from '../maximisation/ascent-layer.ts'
import { ascentScale } from '../maximisation/ascent-scale.ts'
import { groupsOfAlike } from '../maximisation/alike.ts'
import { climb, type ClimbStart } from '../maximisation/climb.ts'
import { drawSettings } from '../maximisation/draw-settings.ts'
import { FillingSheet } from '../maximisation/filling-sheet.ts'
import { Gathered } from '../maximisation/gathered.ts'
import { greyLevelsOf, type GreyLevels } from '../maximisation/grey-levels.ts'
import { meanHistogram, orientationHistogram, overlap } from '../maximisation/naturalness.ts'
import { itemOf } from '../maximisation/outcomes.ts'
import { batchesOf, planItems, type PlannedItem } from '../maximisation/plan.ts'
import { greyPicture } from '../maximisation/sheets.ts'
import { startPicture } from '../maximisation/start-pictures.ts'
import type { Network } from '../network/network.ts'
import { preprocess } from '../network/preprocess.ts'
import type { Experiment, ExperimentContext } from './experiment.ts'
import { contactSheet, enlarged, type Picture } from './pictures.ts'
import { sizeOf } from '../../shared/size-of.ts'

export const regulariserSearch: Experiment<RegulariserSearchParams, RegulariserSearchResult> = async function* (
  params,
  context,
) {
  const { network } = await context.network(params.network)
  const grey = greyLevelsOf(network)
  const settings = Array.from({ length: params.draws }, (_, index) => drawSettings(params, context.seed, index))
  const items = plan(params, settings, network)
  const batches = batchesOf(items, network)
  const gathered = new Gathered(items.length, sizeOf(grey.shape), params.iterations)
  const progress = context.checkpoint ? gathered.restore(context.checkpoint).progress : undefined
  const picture = await startPicture(params.start, 0, network, grey, context)
  const layer = new AscentLayer(context.engine, network, params.layer, grey)
  let seconds = progress?.seconds ?? 0
  const first = progress?.batch ?? 0
  const startedAt = performance.now()
  let done = batches.slice(0, first).reduce((sum, { length }) => sum + length, 0)
  const doneBefore = done
  const sheet = new FillingSheet(items.length, grey, network.spec)
  sheet.add(gathered.best.subarray(0, done * gathered.size))
  try {
    const starts = items.map(({ unit, setting }): ClimbStart => ({
      unit,
      settings: need(settings[setting]),
      picture,
      setting,
    }))
    const scale = await ascentScale(layer, starts.slice(0, 1), context.seed)
    for (const [index, batch] of batches.entries()) {
      if (index < first) continue
      const offset = done
      const { values } = yield* climb({
        layer,
        starts: starts.slice(offset, offset + batch.length),
        scale,
        changes: [],
        takesChanges: false,
        context,
        state: undefined,
        onTrace: (step, rows) => gathered.record(offset, step, rows),
        onLook: (step, climbing) => {
          const count = offset + (batch.length * step) / (params.iterations + 1)
          const elapsed = (performance.now() - startedAt) / 1000
          const secondsLeft = (elapsed * (items.length - count)) / Math.max(count - doneBefore, 1e-3)
          return [
            {
              ...{ type: 'step', done: count, total: items.length, unit: 'draws', secondsLeft },
              values: { finishedDraws: offset, climbingDraws: batch.length },
            },
            ...sheet.climbing(climbing),
          ]
        },
        onRest: () => Promise.resolve([]),
      })
      gathered.keep(offset, values)
      done += batch.length
      seconds = (progress?.seconds ?? 0) + (performance.now() - startedAt) / 1000
      sheet.add(values.best)
      yield sheet.event()
      const state = { batch: index + 1, step: 0, seconds, changes: [] }
      yield { type: 'checkpoint', step: index + 1, bytes: gathered.checkpoint(state, undefined) }
    }
    const natural = await naturalHistogram(params, network, context)
    const found = items.map((item, index) => itemOf(item, index, gathered, { settings }, grey))
    const groups = groupsOfAlike(
      gathered.best,
      found.map(({ objective }) => objective.best),
    )
    const draws = found.map((item, index) => ({
      settings: need(settings[index]),
      item,
      naturalness: natural && overlap(natural, orientationHistogram(shown(gathered, index), grey.shape)),
      group: groups[index] ?? 0,
    }))
    await context.outputArray('best', [items.length, ...grey.shape], gathered.best)
    await context.outputArray('mean', grey.shape, grey.mean)
    await context.outputJson('draws', draws)
    if (context.pictures) {
      const { width, height, channels, pixels } = contactSheet(pictures(gathered, items.length, grey, network))
      await context.outputPicture('sheet', width, height, channels, pixels)
    }
    return {
      network: params.network,
      draws,
      scale,
      groups: Math.max(...groups) + 1,
      iterationsPerSecond: seconds > 0 ? found.reduce((sum, { iterations }) => sum + iterations, 0) / seconds : 0,
    }
  } finally {
    layer.dispose()
  }
}

/** One item a draw: its number is also the number of its settings. */
function plan(params: RegulariserSearchParams, settings: readonly AscentSettings[], network: Network): PlannedItem[] {
  const { layer, channel, position } = params
  const [target] = planItems(
    {
      targets: [{ layer, units: { kind: 'list', channels: [channel], position } }],
      settings: settings.slice(0, 1),
      seeds: 1,
    },
    network,
  )
  return settings.map((_, setting) => ({ ...need(target), setting }))
}

async function naturalHistogram(
  { naturalPictures }: RegulariserSearchParams,
  network: Network,
  context: ExperimentContext,
): Promise<Float64Array | null> {
  if (!naturalPictures) return null
  const data = await context.dataset(naturalPictures.dataset, naturalPictures.split)
  const { preprocessing } = network.spec
  const histograms: Float64Array[] = []
  for (let index = 0; index < Math.min(naturalPictures.count, data.count); index++) {
    const { data: values, shape } = preprocess(await data.picture(index), preprocessing, network.graph.input.shape)
    histograms.push(orientationHistogram(values, shape))
  }
  return meanHistogram(histograms)
}

function pictures(gathered: Gathered, count: number, grey: GreyLevels, network: Network): Picture[] {
  return Array.from({ length: count }, (_, index) => enlarged(greyPicture(shown(gathered, index), grey, network.spec)))
}

function shown({ best, size }: Gathered, index: number): Float32Array {
  return best.subarray(index * size, (index + 1) * size)
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError('a draw is missing')
  return value
}
