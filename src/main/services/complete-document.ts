/** What a document leaves to the project to fill in: the weights of a training run that it names. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { ExperimentDocument } from '../../shared/experiments/index.ts'
import type { RunSnapshots } from '../../shared/experiments/feature-evolution.ts'
import { snapshotEpoch } from '../../shared/experiments/train-classifier.ts'
import { NetworkSpec } from '../../shared/network/spec.ts'
import type { Project } from '../project/project.ts'

/**
 * The document with all that it needs in it, so that it can be computed again after the training run is gone.
 * @throws ConvScopeError 'not-found' for a run that is not there, 'invalid-input' for one that has no snapshots
 */
export async function completeDocument(
  document: ExperimentDocument,
  project: Pick<Project, 'runs' | 'artifacts'>,
): Promise<ExperimentDocument> {
  if (document.kind !== 'feature-evolution' || document.params.snapshots.from !== 'run') return document
  const snapshots = await snapshotsOfRun(document.params.snapshots.run, project)
  return { ...document, params: { ...document.params, snapshots } }
}

async function snapshotsOfRun(
  id: string,
  { runs, artifacts }: Pick<Project, 'runs' | 'artifacts'>,
): Promise<RunSnapshots> {
  const run = runs.get(id)
  if (run.kind !== 'train-classifier') {
    throw new ConvScopeError('invalid-input', `The run ${id} is no training, but of kind ${run.kind}`, {
      remedy: 'Name a run of kind train-classifier in `snapshots.run`.',
    })
  }
  const weights = run.outputs.flatMap(({ name, kind, sha256 }) => {
    const epoch = kind === 'weights' ? snapshotEpoch(name) : undefined
    return epoch === undefined ? [] : [{ epoch, sha256 }]
  })
  const spec = run.outputs.find(({ name, kind }) => name === 'spec' && kind === 'json')
  if (weights.length === 0 || spec === undefined) {
    throw new ConvScopeError('invalid-input', `The training ${id} has kept no snapshots (it is ${run.state})`, {
      remedy: 'Train with a list of epochs in `snapshots`, such as [1, 2, 5, 10].',
    })
  }
  const text = new TextDecoder().decode(await artifacts.read(spec.sha256))
  return { from: 'run', run: id, spec: NetworkSpec.parse(JSON.parse(text)), weights }
}
