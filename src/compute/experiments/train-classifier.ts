/** Training of a classifier. */
import type { TrainClassifierParams, TrainClassifierResult } from '../../shared/experiments/train-classifier.ts'
import { ClassifierTraining } from '../training/classifier-training.ts'
import { FullBatchTraining } from '../training/full-batch-training.ts'
import { pretrain } from '../training/pretraining.ts'
import { trainingData, trainingNetwork } from '../training/training-network.ts'
import { TrainingProgress } from '../training/training-progress.ts'
import type { Experiment } from './experiment.ts'

/**
 * Trains on the first `trainCount` pictures of the training split, drawn in another order every epoch; those that do not fill a last
 * batch are left out of that epoch. The test error is measured after every epoch. A run that goes on from a checkpoint gives the same
 * weights, bit for bit, as one that was not interrupted.
 */
export const trainClassifier: Experiment<TrainClassifierParams, TrainClassifierResult> = async function* (
  params,
  context,
) {
  const data = await trainingData(params, context)
  const network = await trainingNetwork(params, context, data.train)
  const progress = await TrainingProgress.open(params, context, network)
  if (params.pretraining && progress.epoch === 0)
    yield* pretrain(params.pretraining, params, context, progress, data.train)
  const { optimiser } = params
  const training =
    optimiser.kind === 'l-bfgs'
      ? new FullBatchTraining(params, optimiser, context, progress, data)
      : new ClassifierTraining(params, optimiser, context, progress, data)
  try {
    await progress.begin()
    while (!progress.ended) yield* training.runEpoch()
    return yield* training.result()
  } finally {
    training.dispose()
  }
}
