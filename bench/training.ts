/**
 * Training of the built-in networks, images/s with loading, augmentation and dropout, by turns with PyTorch's for the same networks where a
 * Python with torch is found (`CONVSCOPE_BENCH_PYTHON`, else `python3`). `node bench/training.ts [engine]`.
 */
import { join } from 'node:path'
import { TrainClassifierParams } from '../src/shared/experiments/train-classifier.ts'
import { uniform, type UniformSplitData } from '../src/compute/data/dataset-split.ts'
import { trainClassifier } from '../src/compute/experiments/train-classifier.ts'
import type { ExperimentContext } from '../src/compute/experiments/experiment.ts'
import { RandomStream } from '../src/compute/random.ts'
import { startPeer } from './peer.ts'
import { benchContext, benchEngine, engineTitle, median, MNIST } from './setting.ts'

const STEPS = 20
const BATCH = 128
const TURNS = 4

const WORKS = [
  {
    name: 'mnist-convnet',
    dataset: 'mnist',
    shape: [28, 28, 1],
    options: { optimiser: { kind: 'adam' }, augmentation: { shiftPixels: 1 } },
  },
  {
    name: 'cifar-alexnet',
    dataset: 'cifar-10',
    shape: [32, 32, 3],
    options: {
      optimiser: { kind: 'momentum', learningRate: 0.03, nesterov: true },
      weightDecay: { lambda: 5e-4 },
      dropout: 0.1,
      augmentation: { shiftPixels: 4, flip: true },
    },
  },
] as const

/** Random bytes: how fast a training is does not depend on what is in the pictures. */
function randomSplit(shape: readonly [number, number, number], count: number): UniformSplitData {
  const random = new RandomStream(1, 'order')
  const images = Uint8Array.from({ length: count * shape[0] * shape[1] * shape[2] }, () => random.below(256))
  return uniform(
    { ...MNIST, shape: [...shape] },
    shape,
    images,
    Int32Array.from({ length: count }, (_, i) => i % 10),
  )
}

const engine = await benchEngine()
const context = await benchContext(engine, 1)
const peer = await startPeer(
  join(import.meta.dirname, 'pytorch-training.py'),
  [String(STEPS), String(engine.identity.threads)],
  'mnist-convnet',
)

/** One turn: the second of two epochs, since the first one also captures the step. */
async function imagesPerSecond(params: TrainClassifierParams, turnContext: ExperimentContext): Promise<number> {
  const generator = trainClassifier(params, turnContext)
  for (;;) {
    const step = await generator.next()
    if (step.done) return (STEPS * BATCH) / (step.value.epochs[1]?.seconds ?? NaN)
  }
}

for (const { name, dataset, shape, options } of WORKS) {
  const split = randomSplit(shape, STEPS * BATCH)
  const params = TrainClassifierParams.parse({
    start: { from: 'architecture', name },
    dataset,
    epochs: 2,
    batchSize: BATCH,
    testCount: 10,
    ...options,
  })
  const own: number[] = []
  const others: number[] = []
  for (let turn = 0; turn < TURNS; turn++) {
    own.push(await imagesPerSecond(params, { ...context, dataset: () => Promise.resolve(split) }))
    const other = await peer?.ask(name)
    if (other !== undefined) others.push(other)
  }
  const text = `Training of ${name}, batch ${BATCH}, on ${engineTitle(engine)}: ${median(own).toFixed(0)} images/s`
  const ratio = (median(own) / median(others)).toFixed(2)
  process.stdout.write(
    others.length > 0
      ? `${text}; PyTorch ${median(others).toFixed(0)}; ratio ${ratio} (above 1 is faster than PyTorch)\n`
      : `${text} (no Python with torch here to compare with)\n`,
  )
}
peer?.stop()
process.exit(0)
