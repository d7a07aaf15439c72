/**
 * Training of the built-in network, images/s: beside PyTorch's for the same network where a Python with torch is found
 * (`CONVSCOPE_BENCH_PYTHON`, else `python3`), else beside the engine's own matmul limit. `node bench/training.ts [engine]`.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { TrainClassifierParams } from '../src/shared/experiments/train-classifier.ts'
import { measure } from '../src/compute/engines/index.ts'
import { trainClassifier } from '../src/compute/experiments/train-classifier.ts'
import { benchContext, benchEngine, engineTitle, median } from './setting.ts'

const STEPS = 60
const EPOCHS = 3
const BATCH = 128

const engine = await benchEngine()
const context = await benchContext(engine, 1)
const params = TrainClassifierParams.parse({
  architecture: 'mnist-convnet',
  dataset: 'mnist',
  epochs: EPOCHS,
  batchSize: BATCH,
  trainCount: STEPS * BATCH,
  testCount: 500,
})

async function imagesPerSecond(): Promise<number> {
  const generator = trainClassifier(params, context)
  for (;;) {
    const step = await generator.next()
    // The first epoch also warms up.
    if (step.done) return (STEPS * BATCH) / median(step.value.epochs.slice(1).map(({ seconds }) => seconds))
  }
}

/** Undefined where there is no Python with torch. */
async function pytorch(): Promise<number | undefined> {
  const python = process.env['CONVSCOPE_BENCH_PYTHON'] ?? 'python3'
  const script = join(import.meta.dirname, 'pytorch-training.py')
  try {
    const { stdout } = await promisify(execFile)(python, [script, String(STEPS), String(engine.identity.threads)])
    return Number(stdout)
  } catch (error) {
    if (process.env['CONVSCOPE_BENCH_PYTHON'] !== undefined) throw error
    return undefined
  }
}

const own = await imagesPerSecond()
const beside = await pytorch()
process.stdout.write(
  `Training of mnist-convnet, batch ${BATCH}, Adam, on ${engineTitle(engine)}: ${own.toFixed(0)} images/s\n`,
)
if (beside !== undefined) {
  process.stdout.write(
    `PyTorch: ${beside.toFixed(0)} images/s; ratio ${(own / beside).toFixed(2)} (above 1 is faster than PyTorch)\n`,
  )
} else {
  const conv1 = 24 * 24 * 25 * 32
  const conv2 = 8 * 8 * 25 * 32 * 64
  const dense = 1024 * 256 + 256 * 10
  // Forward, gradient of the weights, gradient of the inputs (not of the picture).
  const multiplications = 2 * conv1 + 3 * (conv2 + dense)
  const { matmulGflops } = await measure(engine)
  const limit = (matmulGflops * 1e9) / (2 * multiplications)
  process.stdout.write(
    `No python3 with torch here. At the engine's matmul speed of ${matmulGflops.toFixed(0)} GFLOP/s: ${limit.toFixed(0)} images/s; ratio ${(own / limit).toFixed(2)}\n`,
  )
}
process.exit(0)
