/** Training of a classifier from nothing. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { TrainClassifierParams, TrainClassifierResult } from '../../shared/experiments/train-classifier.ts'
import type { NetworkSpec } from '../../shared/network/spec.ts'
import type { DatasetSplitData } from '../data/dataset-split.ts'
import { mnistConvnet } from '../network/architectures/mnist-convnet.ts'
import { ClassifierTraining } from '../training/classifier-training.ts'
import type { Experiment } from './experiment.ts'

/**
 * Trains the architecture on the first `trainCount` pictures of the training split, drawn in another order every epoch; those that
 * do not fill a last batch are left out of that epoch. The test error is measured after every epoch. A run that goes on from a
 * checkpoint gives the same weights, bit for bit, as one that was not interrupted.
 */
export const trainClassifier: Experiment<TrainClassifierParams, TrainClassifierResult> = async function* (
  params,
  context,
) {
  const train = await context.dataset(params.dataset, 'train')
  const test = await context.dataset(params.dataset, 'test')
  const training = new ClassifierTraining(architecture(params, train), params, context, { train, test })
  try {
    while (training.epoch < params.epochs) yield* training.runEpoch()
    return await training.result()
  } finally {
    training.dispose()
  }
}

/** The network to train. @throws ConvScopeError 'invalid-input' where the data set's pictures do not fit */
function architecture(params: TrainClassifierParams, data: DatasetSplitData): NetworkSpec {
  const spec = mnistConvnet(params.name ?? params.architecture, data.record.classes)
  const [input] = spec.layers
  const expected = input?.type === 'input' ? input.shape : []
  if (expected.join() !== data.shape.join()) {
    throw new ConvScopeError(
      'invalid-input',
      `${params.architecture} takes pictures of ${expected.join(' × ')}; those of ${params.dataset} are ${data.shape.join(' × ')}`,
      { remedy: 'Choose another data set.' },
    )
  }
  return spec
}
