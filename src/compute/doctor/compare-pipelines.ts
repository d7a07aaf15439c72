/** Which way to prepare pictures fits a network, by how often it is right on pictures with labels. */
import { action } from '../../shared/actions.ts'
import type { Finding } from '../../shared/network/finding.ts'
import type { PipelineTrial } from '../../shared/network/examination.ts'
import type { Engine } from '../engines/engine.ts'
import type { Network } from '../network/network.ts'
import { normalise } from '../network/preprocess.ts'
import type { FloatPicture } from '../network/resize.ts'
import { batchesOf, compiledWalk, finite } from './accuracy.ts'
import { batchSizeOf, logProbabilities, plainWalk, ranked, type WalkTo } from './class-scores.ts'
import { plausiblePipelines, type Pipeline } from './plausible-pipelines.ts'
import { rateOf, signTest } from './rates.ts'
import { structuralVariants, variantNetwork } from './structural-variants.ts'
import { percent, plural } from './wording.ts'

/** A picture at the input's size, and the network's output that is right for it. */
export interface LabelledPicture {
  readonly picture: FloatPicture
  readonly output: number
}

export interface PipelineComparison {
  /** Best first. */
  readonly trials: readonly PipelineTrial[]
  readonly findings: readonly Finding[]
}

/** Chance would favour another way so much less often than this. */
const SIGNIFICANCE = 0.001

/** So many pictures of a class must get its usual answer. */
const EXCHANGED_SHARE = 0.8

interface Trial {
  readonly pipeline: Pipeline
  /** By picture. */
  readonly right: readonly boolean[]
  /** The class that was given, by picture; undefined where the network gave NaN. */
  readonly answers: readonly (number | undefined)[]
  readonly meanLogProbability: number
}

/** Tries every plausible pipeline, then other readings of the layers with the best one. Yields the share that is done. */
export async function* comparePipelines(
  engine: Engine,
  network: Network,
  pictures: readonly LabelledPicture[],
): AsyncGenerator<number, PipelineComparison, void> {
  const pipelines = plausiblePipelines(network.spec.preprocessing)
  const variants = structuralVariants(network)
  const total = pipelines.length + variants.length
  const walkTo = compiledWalk(engine, network)
  const trials: Trial[] = []
  for (const pipeline of pipelines) {
    trials.push(await tryPipeline(engine, network, walkTo, pipeline, pictures))
    yield trials.length / total
  }
  const sorted = [...trials].sort(byMerit)
  const [own, best] = [trials[0], sorted[0]]
  if (own === undefined || best === undefined) return { trials: [], findings: [] }
  const alike = trials.filter((trial) => trial !== best && trial !== own && !isBetter(best, trial)).length
  const findings = [
    ...exchangedClasses(own, best, pictures),
    judged({ own, best, alike }, network.spec.classes, largestShare(pictures)),
  ]
  for (const [index, variant] of variants.entries()) {
    const changed = variantNetwork(engine.tf, network, variant)
    // Where everything is at chance, which pipeline is best says nothing: the own one deserves its try.
    const tried: Trial[] = []
    for (const pipeline of new Set([own.pipeline, best.pipeline]))
      tried.push(await tryPipeline(engine, changed, plainWalk(changed), pipeline, pictures))
    const [found] = tried.sort(byMerit)
    if (found !== undefined && isBetter(found, best)) {
      findings.push({
        code: variant.code,
        severity: 'warning',
        message: `${variant.description}, ${scoreOf(found)} of the pictures are right instead of ${scoreOf(best)}, prepared as "${found.pipeline.description}".`,
        remedy: variant.remedy,
      })
    }
    yield (trials.length + index + 1) / total
  }
  return { trials: sorted.map(described), findings }
}

async function tryPipeline(
  engine: Engine,
  network: Network,
  walkTo: WalkTo,
  pipeline: Pipeline,
  pictures: readonly LabelledPicture[],
): Promise<Trial> {
  const right: boolean[] = []
  const answers: (number | undefined)[] = []
  let sum = 0
  for (const batch of batchesOf(pictures, batchSizeOf(network.graph))) {
    const inputs = batch.map(({ picture }) => normalise(picture, pipeline.preprocessing).data)
    for (const [place, logs] of (await logProbabilities(engine, network.graph, walkTo, inputs)).entries()) {
      const output = batch[place]?.output ?? 0
      const [answer] = ranked(logs)
      answers.push(answer)
      right.push(answer === output)
      sum += logs[output] ?? NaN
    }
  }
  return { pipeline, right, answers, meanLogProbability: sum / pictures.length }
}

/** Whether the network is as good as never right, and yet nearly always gives the same other answer to pictures of one class. */
function exchangedClasses({ right, answers }: Trial, best: Trial, pictures: readonly LabelledPicture[]): Finding[] {
  // Where another preparation is mostly right, colours were exchanged, not classes.
  if (countOf(best) * 2 > pictures.length) return []
  const byClass = new Map<number, Map<number, number>>()
  for (const [index, { output }] of pictures.entries()) {
    const counts = byClass.get(output) ?? new Map<number, number>()
    const answer = answers[index]
    if (answer !== undefined) counts.set(answer, (counts.get(answer) ?? 0) + 1)
    byClass.set(output, counts)
  }
  const usual = [...byClass.values()].map((counts): readonly [number, number] => {
    const [most] = [...counts].sort(([, a], [, b]) => b - a)
    return most ?? [-1, 0]
  })
  const consistent = usual.reduce((sum, [, count]) => sum + count, 0) / pictures.length
  const distinct = new Set(usual.map(([answer]) => answer)).size === byClass.size
  const wrong = right.filter((one) => !one).length / pictures.length
  if (byClass.size < 3 || !distinct || consistent < EXCHANGED_SHARE || wrong < 1 - EXCHANGED_SHARE / 2) return []
  return [
    {
      code: 'classes-exchanged',
      severity: 'warning',
      message: `The network tells the classes apart (${percent(consistent)} of the pictures get the usual answer of their class) but calls them otherwise: names and outputs are in different orders.`,
      remedy: action('name-classes'),
    },
  ]
}

interface Verdict {
  readonly own: Trial
  readonly best: Trial
  /** How many of the others are hardly worse than the best. */
  readonly alike: number
}

/** @param chance how often the most frequent class would be right */
function judged({ own, best, alike }: Verdict, classes: readonly string[], chance: number): Finding {
  const { answers, right, pipeline } = own
  const untold =
    alike === 0
      ? ''
      : ` ${plural(alike, 'other way')} ${alike === 1 ? 'is' : 'are'} nearly as good, which these pictures cannot tell apart.`
  if (isBetter(best, own)) {
    return {
      code: 'preprocessing-unlikely',
      severity: 'warning',
      message: `Pictures prepared as "${best.pipeline.description}" are right in ${scoreOf(best)} of ${right.length}; as "${pipeline.description}", as the network says, in ${scoreOf(own)}.${untold}`,
      remedy: `Unless these pictures are known to be different: ${action('take-over')}`,
    }
  }
  const [first] = answers
  if (chance < 1 && right.length >= 10 && first !== undefined && answers.every((answer) => answer === first)) {
    return {
      code: 'one-answer',
      severity: 'warning',
      message: `The network says "${classes[first] ?? String(first)}" for every one of ${right.length} pictures.`,
      remedy: 'Check the weights and the class names; compare with activations of the source program.',
    }
  }
  if (chance < 1 && rateOf(countOf(own), right.length).low <= chance) {
    return {
      code: 'accuracy-at-chance',
      severity: 'warning',
      message: `The network is right in ${scoreOf(own)} of ${right.length} pictures, which chance could do, and no usual preprocessing is better.`,
      remedy:
        'Check that the data set has the classes of the network, in its order; compare with activations of the source program.',
    }
  }
  return {
    code: 'preprocessing-fits',
    severity: 'note',
    message: `With its own preprocessing (${pipeline.description}) the network is right in ${scoreOf(own)} of ${right.length} pictures; no usual other one is better.${untold}`,
  }
}

/** Whether one way is right on so many more pictures that chance hardly explains it. */
function isBetter(one: Trial, other: Trial): boolean {
  const onlyOne = one.right.filter((right, index) => right && other.right[index] !== true).length
  const onlyOther = other.right.filter((right, index) => right && one.right[index] !== true).length
  return onlyOne > onlyOther && signTest(onlyOne, onlyOther) < SIGNIFICANCE
}

function largestShare(pictures: readonly LabelledPicture[]): number {
  const counts = new Map<number, number>()
  for (const { output } of pictures) counts.set(output, (counts.get(output) ?? 0) + 1)
  return Math.max(...counts.values()) / pictures.length
}

/**
 * By right answers, then by the probability of the right class. Where every answer is right the latter says nothing: a larger range makes
 * most networks surer, right or wrong. Then the own way comes first, and after it the more usual one.
 */
function byMerit(a: Trial, b: Trial): number {
  const difference = countOf(b) - countOf(a)
  if (difference !== 0 || countOf(a) === a.right.length) return difference
  const certain = ({ meanLogProbability }: Trial): number =>
    Number.isNaN(meanLogProbability) ? -Number.MAX_VALUE : meanLogProbability
  return certain(b) - certain(a)
}

function countOf({ right }: Trial): number {
  return right.filter(Boolean).length
}

function scoreOf(trial: Trial): string {
  return percent(countOf(trial) / trial.right.length)
}

function described(trial: Trial): PipelineTrial {
  const { preprocessing, description, own } = trial.pipeline
  return {
    description,
    preprocessing: { ...preprocessing },
    own,
    top1: rateOf(countOf(trial), trial.right.length),
    meanLogProbability: finite(trial.meanLogProbability),
  }
}
