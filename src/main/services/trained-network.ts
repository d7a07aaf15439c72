/** A finished training puts its network into the library, in the transaction that finishes the run. */
import type { ExperimentDocument } from '../../shared/experiments/index.ts'
import { TrainClassifierResult } from '../../shared/experiments/train-classifier.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import { NetworkSpec } from '../../shared/network/spec.ts'
import type { OutputRecord, RunRecord } from '../../shared/runs.ts'
import type { WhenDone } from '../jobs/running-job.ts'
import { networkHash } from '../project/networks.ts'
import type { Project } from '../project/project.ts'
import { isBuiltInNetwork } from './built-in.ts'

/** For `JobQueue`. A name that is taken by another network gets the run's id behind it; the same weights again are left as they are. */
export function enterTrainedNetworks(project: Project): WhenDone {
  return async (run, document, outcome) => {
    if (document.kind !== 'train-classifier') return () => undefined
    const result = TrainClassifierResult.parse(outcome.result)
    const weights = need(outcome.outputs, 'weights', 'weights')
    const specFile = need(outcome.outputs, 'spec', 'json')
    const bytes = await project.artifacts.read(specFile.sha256)
    const spec = NetworkSpec.parse(JSON.parse(new TextDecoder().decode(bytes)))
    return () => saveNetwork(project, run, document, spec, weights, result)
  }
}

function saveNetwork(
  project: Project,
  run: RunRecord,
  document: Extract<ExperimentDocument, { kind: 'train-classifier' }>,
  trained: NetworkSpec,
  weights: OutputRecord,
  result: TrainClassifierResult,
): void {
  const { networks } = project
  const hasName = networks.has(trained.name)
  if (hasName && networks.get(trained.name).weights === weights.sha256) return
  const name =
    hasName || isBuiltInNetwork(trained.name) ? `${trained.name.slice(0, 63 - run.id.length)}-${run.id}` : trained.name
  const spec = { ...trained, name }
  networks.save({
    name,
    title: spec.title,
    spec,
    weights: weights.sha256,
    source: 'trained',
    runId: run.id,
    testError: { percent: result.testErrorPercent, dataset: document.params.dataset, count: result.testCount },
    hash: networkHash({ spec, weights: weights.sha256 }),
    addedAt: Date.now(),
  })
}

function need(outputs: readonly OutputRecord[], name: string, kind: OutputRecord['kind']): OutputRecord {
  const output = outputs.find((candidate) => candidate.name === name && candidate.kind === kind)
  if (output) return output
  throw new ConvScopeError('internal', `The training ended without its output "${name}"`)
}
