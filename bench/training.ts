/**
 * Training of the built-in networks, images/s with loading, augmentation and dropout, and CaffeNet forward at batch 16, random weights; by
 * turns with PyTorch's for the same networks where a Python with torch is found (`CONVSCOPE_BENCH_PYTHON`, else `python3`).
 * `node bench/training.ts [engine] [mnist-convnet,cifar-alexnet,caffenet-forward]`.
 */
import { join } from 'node:path'
import { TrainClassifierParams } from '../src/shared/experiments/train-classifier.ts'
import { uniform, type UniformSplitData } from '../src/compute/data/dataset-split.ts'
import { trainClassifier } from '../src/compute/experiments/train-classifier.ts'
import type { ExperimentContext } from '../src/compute/experiments/experiment.ts'
import { architectureNamed } from '../src/compute/network/architectures/index.ts'
import { initialWeights } from '../src/compute/network/architectures/initial-weights.ts'
import { compiledWalks } from '../src/compute/network/compiled-walks.ts'
import { buildGraph } from '../src/compute/network/graph.ts'
import { Network } from '../src/compute/network/network.ts'
import { RandomStream } from '../src/compute/random.ts'
import { byLayer } from '../src/compute/training/classifier-logits.ts'
import { uploadTensors } from '../src/compute/training/tensor-file.ts'
import { startPeer } from './peer.ts'
import { benchContext, benchEngine, engineTitle, median, MNIST } from './setting.ts'

const STEPS = 20
const BATCH = 128
const TURNS = 4
const FORWARD_BATCH = 16
const FORWARD_CALLS = 4

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
const FORWARD = 'caffenet-forward'
const wanted = process.argv[3]?.split(',') ?? [...WORKS.map(({ name }) => name), FORWARD]

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

/** By turns with the peer; the medians and their ratio. */
async function report(title: string, piece: string, turn: () => Promise<number>): Promise<void> {
  const own: number[] = []
  const others: number[] = []
  for (let count = 0; count < TURNS; count++) {
    own.push(await turn())
    const other = await peer?.ask(piece)
    if (other !== undefined) others.push(other)
  }
  const text = `${title} on ${engineTitle(engine)}: ${median(own).toFixed(0)} images/s`
  const ratio = (median(own) / median(others)).toFixed(2)
  process.stdout.write(
    others.length > 0
      ? `${text}; PyTorch ${median(others).toFixed(0)}; ratio ${ratio} (above 1 is faster than PyTorch)\n`
      : `${text} (no Python with torch here to compare with)\n`,
  )
}

async function caffenetForward(): Promise<void> {
  const graph = buildGraph(architectureNamed('caffenet').spec())
  const weights = byLayer(uploadTensors(engine.tf, initialWeights(graph, 1)))
  const network = Network.of(engine.tf, graph, weights)
  const pictures = engine.tf.randomUniform([FORWARD_BATCH, ...graph.input.shape], -120, 130, 'float32', 1)
  const once = async (): Promise<void> => {
    const activations = await compiledWalks(engine, network).forward(pictures, { backward: false })
    await activations.get(graph.output.name).data()
    activations.dispose()
  }
  // The first call runs operation by operation, the second one captures.
  for (let count = 0; count < 3; count++) await once()
  await report(`CaffeNet forward, batch ${FORWARD_BATCH},`, FORWARD, async () => {
    const started = performance.now()
    for (let count = 0; count < FORWARD_CALLS; count++) await once()
    return (1000 * FORWARD_CALLS * FORWARD_BATCH) / (performance.now() - started)
  })
}

for (const { name, dataset, shape, options } of WORKS.filter((work) => wanted.includes(work.name))) {
  const split = randomSplit(shape, STEPS * BATCH)
  const params = TrainClassifierParams.parse({
    start: { from: 'architecture', name },
    dataset,
    epochs: 2,
    batchSize: BATCH,
    testCount: 10,
    ...options,
  })
  await report(`Training of ${name}, batch ${BATCH},`, name, () =>
    imagesPerSecond(params, { ...context, dataset: () => Promise.resolve(split) }),
  )
}
if (wanted.includes(FORWARD)) await caffenetForward()
peer?.stop()
process.exit(0)
