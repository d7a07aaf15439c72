/** How often a network is right on a split of a data set. */
import { action } from '../../shared/actions.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import type { Accuracy } from '../../shared/network/examination.ts'
import type { DatasetSplitData } from '../data/dataset-split.ts'
import type { Engine } from '../engines/engine.ts'
import type { ExperimentContext, ExperimentEvent } from '../experiments/experiment.ts'
import { networkInput } from '../experiments/network-input.ts'
import type { Network } from '../network/network.ts'
import { compiledWalks } from '../network/compiled-walks.ts'
import { mapClasses } from './class-mapping.ts'
import { batchSizeOf, classCountOf, logProbabilities, ranked, type WalkTo } from './class-scores.ts'
import { rateOf } from './rates.ts'

export interface AccuracyParams {
  readonly network: string
  readonly dataset: string
  readonly split: string
  /** Pictures, evenly spread over the split; all when left out. */
  readonly count?: number
}

/**
 * Classifies pictures with labels; yields its progress and the share of right answers so far.
 * @throws ConvScopeError 'invalid-input' where the data set's classes are not the network's, or there are no labels
 */
export async function* measureAccuracy(
  params: AccuracyParams,
  context: Pick<ExperimentContext, 'engine' | 'network' | 'dataset' | 'artifact'>,
): AsyncGenerator<ExperimentEvent, Accuracy, void> {
  const { network } = await context.network(params.network)
  const data = await context.dataset(params.dataset, params.split)
  const { graph, spec } = network
  const classes = classCountOf(graph)
  const mapping = mapClasses(data.record.classes, spec, classes)
  if (mapping === undefined) throw differentClasses(spec.name, classes, data)
  const indices = labelledIndices(data, params.count, (label) => mapping.outputs[label] !== undefined)
  if (indices.length === 0) throw withoutLabels(data, params.split)

  const tally = new Tally(data.record.classes)
  const walkTo = compiledWalk(context.engine, network)
  for (const batch of batchesOf(indices, batchSizeOf(graph))) {
    const inputs = await Promise.all(
      batch.map(async (index) => {
        const reference = { dataset: params.dataset, split: params.split, index }
        return (await networkInput(reference, spec, context)).values
      }),
    )
    for (const [place, logs] of (await logProbabilities(context.engine, graph, walkTo, inputs)).entries()) {
      const label = data.labels[batch[place] ?? 0] ?? 0
      tally.add(label, mapping.outputs[label] ?? 0, logs)
    }
    yield {
      type: 'step',
      done: tally.count,
      total: indices.length,
      unit: 'pictures',
      values: { accuracy: tally.correct / tally.count },
    }
  }
  return tally.result(classes)
}

/** The network's walk as a compiled step, for what repeats it. */
export function compiledWalk(engine: Engine, network: Network): WalkTo {
  const walks = compiledWalks(engine, network)
  return (input, to) => walks.forward(input, { to, backward: false })
}

/** Pictures with a usable label, evenly spread over the split: splits are often sorted by class. */
export function labelledIndices(
  { labels }: Pick<DatasetSplitData, 'labels'>,
  count: number | undefined,
  usable: (label: number) => boolean,
): number[] {
  const all = [...labels.keys()].filter((index) => usable(labels[index] ?? -1))
  const wanted = Math.min(count ?? all.length, all.length)
  return Array.from({ length: wanted }, (_, place) => all[Math.floor((place * all.length) / wanted)] ?? 0)
}

export function* batchesOf<V>(values: readonly V[], size: number): Generator<V[], void, void> {
  for (let start = 0; start < values.length; start += size) yield values.slice(start, start + size)
}

/** JSON has no other numbers. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

class Tally {
  correct = 0
  count = 0
  #amongFive = 0
  #logProbability = 0
  readonly #classes: { label: string; count: number; correct: number }[]

  constructor(classes: readonly string[]) {
    this.#classes = classes.map((label) => ({ label, count: 0, correct: 0 }))
  }

  add(label: number, output: number, logs: Float64Array): void {
    const place = ranked(logs).indexOf(output)
    const right = place === 0
    this.count += 1
    this.correct += right ? 1 : 0
    this.#amongFive += place >= 0 && place < 5 ? 1 : 0
    this.#logProbability += logs[output] ?? NaN
    const row = this.#classes[label]
    if (row === undefined) return
    row.count += 1
    row.correct += right ? 1 : 0
  }

  result(outputs: number): Accuracy {
    return {
      top1: rateOf(this.correct, this.count),
      top5: outputs > 5 ? rateOf(this.#amongFive, this.count) : null,
      meanLogProbability: finite(this.#logProbability / this.count),
      classes: this.#classes,
    }
  }
}

function differentClasses(network: string, outputs: number, { record }: DatasetSplitData): ConvScopeError {
  return new ConvScopeError(
    'invalid-input',
    `The data set ${record.name} has ${record.classes.length} classes and the network ${network} ${outputs}, and no names agree.`,
    { remedy: `${action('name-classes')} Or choose a data set with the classes it was trained on.` },
  )
}

function withoutLabels({ record }: DatasetSplitData, split: string): ConvScopeError {
  return new ConvScopeError('invalid-input', `The data set ${record.name} (${split}) has no labelled pictures.`, {
    remedy: 'Choose a split with labels.',
  })
}
