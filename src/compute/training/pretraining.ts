/** Learning the first layer as the encoder of a sparse autoencoder, before the training of the rest. */
import type { Scalar } from '@tensorflow/tfjs'
import type { Pretraining, TrainClassifierParams } from '../../shared/experiments/train-classifier.ts'
import type { DatasetSplitData } from '../data/dataset-split.ts'
import { disposeTensors } from '../engines/tensor-tree.ts'
import type { ExperimentContext, ExperimentEvent } from '../experiments/experiment.ts'
import { inputShape } from '../experiments/network-input.ts'
import { encodeSafetensors } from '../network/safetensors.ts'
import { RandomStream } from '../random.ts'
import { openReader } from './open-reader.ts'
import {
  keptState,
  restoredState,
  stepScalars,
  type BatchOptimiser,
  type OptimiserState,
  type Tensors,
} from './optimiser.ts'
import { autoencoderStep, encoderOf, initialAutoencoder } from './sparse-autoencoder.ts'
import { downloadTensors, uploadTensors } from './tensor-file.ts'
import type { TrainingProgress } from './training-progress.ts'

type Sums = { lossSum: Scalar; activitySum: Scalar }

/**
 * Learns the first layer and hands it to `progress`. The pictures are taken as they are, in another order every epoch; those that fill no
 * batch are left out of it. Goes on from a checkpoint with the numbers of an uninterrupted one. Output `autoencoder`: all its weights.
 */
export async function* pretrain(
  pretraining: Pretraining,
  { trainCount }: TrainClassifierParams,
  context: ExperimentContext,
  progress: TrainingProgress,
  data: DatasetSplitData,
): AsyncGenerator<ExperimentEvent, void, void> {
  const { engine, seed, signal } = context
  const { tf } = engine
  const { graph, spec } = progress
  const encoder = encoderOf(graph)
  const count = Math.min(trainCount ?? data.count, data.count)
  const batchSize = Math.min(pretraining.batchSize, count)
  const batches = Math.floor(count / batchSize)
  const total = pretraining.epochs * batches * batchSize
  const optimiser: BatchOptimiser = {
    kind: 'adam',
    learningRate: pretraining.learningRate,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
  }
  const begun = progress.start.pretraining
  const reader = openReader(data, spec, batchSize)
  const step = engine.compile(autoencoderStep(tf, graph, optimiser, pretraining), { name: 'sparse autoencoder' })
  let weights = uploadTensors(tf, Object.entries(begun?.weights ?? initialAutoencoder(encoder, seed)))
  let state = restoredState(tf, optimiser, weights, begun?.optimiser ?? {})
  let sums: Sums = { lossSum: tf.scalar(0), activitySum: tf.scalar(0) }

  const trainOn = async (indices: Uint32Array, place: number): Promise<void> => {
    const { images } = await reader.read(indices)
    const numbers = stepScalars(optimiser, rateAt(pretraining, place, pretraining.epochs * batches), place)
    const scalars = {
      learningRate: tf.scalar(numbers.learningRate),
      firstCorrection: tf.scalar(numbers.firstCorrection),
      secondCorrection: tf.scalar(numbers.secondCorrection),
    }
    const own = { scalars, images: tf.tensor4d(images, [batchSize, ...inputShape(spec)]) }
    const running = step.run({ weights, state, ...own, ...sums })
    disposeTensors(own)
    const next: { weights: Tensors; state: OptimiserState } & Sums = await running
    disposeTensors([weights, state, sums])
    ;({ weights, state } = next)
    sums = { lossSum: next.lossSum, activitySum: next.activitySum }
  }

  try {
    for (let epoch = (begun?.epochs ?? 0) + 1; epoch <= pretraining.epochs; epoch++) {
      const order = new RandomStream(seed, 'pretraining', epoch).permutation(count)
      const startedAt = performance.now()
      for (let batch = 0; batch < batches; batch++) {
        signal.throwIfAborted()
        await trainOn(order.subarray(batch * batchSize, (batch + 1) * batchSize), (epoch - 1) * batches + batch + 1)
        yield { type: 'turn' }
      }
      const [pretrainingLoss = NaN, activity = NaN] = (
        await Promise.all([sums.lossSum.data(), sums.activitySum.data()])
      ).map(([sum = NaN]) => sum / batches)
      disposeTensors(sums)
      sums = { lossSum: tf.scalar(0), activitySum: tf.scalar(0) }
      const done = epoch * batches * batchSize
      const secondsLeft = ((pretraining.epochs - epoch) * (performance.now() - startedAt)) / 1000
      const values = { pretrainingEpoch: epoch, pretrainingLoss, activity }
      yield { type: 'step', done, total, unit: 'images of the pretraining', values, secondsLeft }
      yield { type: 'log', message: epochText(epoch, pretraining, pretrainingLoss, activity) }
      const kept = { epochs: epoch, weights: await downloadTensors(weights), optimiser: await keptState(state) }
      yield progress.keepPretraining(kept, done)
    }
    const learned = await downloadTensors(weights)
    await context.outputWeights('autoencoder', encodeSafetensors(learned))
    const { kernel, bias } = learned
    if (kernel && bias) progress.endPretraining({ [`${encoder.name}/kernel`]: kernel, [`${encoder.name}/bias`]: bias })
  } finally {
    step.dispose()
    disposeTensors([weights, state, sums])
  }
}

/** Of step `step` (from 1) of `steps`: constant for the first half, then along a line to a fiftieth. */
export function rateAt({ learningRate }: Pretraining, step: number, steps: number): number {
  const beyond = Math.max(step / steps - 0.5, 0) / 0.5
  return learningRate * (1 - beyond * (1 - 1 / 50))
}

function epochText(epoch: number, { epochs }: Pretraining, loss: number, activity: number): string {
  return `Pretraining, epoch ${epoch} of ${epochs}: loss ${loss.toFixed(4)}, mean activation ${activity.toFixed(3)}`
}
