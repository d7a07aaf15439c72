/**
 * Deconvnet of one MNIST digit, all 64 channels of the second convolution, warm: against the goal of 100 ms, and against the
 * engine's own time for the multiplications in it. `node bench/deconvnet.ts [engine]`.
 */
import { DeconvnetParams } from '../src/shared/experiments/deconvnet.ts'
import { measure } from '../src/compute/engines/index.ts'
import { deconvnet } from '../src/compute/experiments/deconvnet.ts'
import { benchContext, benchEngine, engineTitle, median } from './setting.ts'

const GOAL_MS = 100
const RUNS = 30

const engine = await benchEngine()
const context = await benchContext(engine)

async function once(index: number): Promise<{ wholeMs: number; computeMs: number }> {
  const params = DeconvnetParams.parse({
    network: 'mnist-convnet',
    picture: { dataset: 'mnist', split: 'test', index },
    layer: 'conv2',
    units: { kind: 'all' },
  })
  const startedAt = performance.now()
  const generator = deconvnet(params, context)
  for (;;) {
    const step = await generator.next()
    if (step.done) return { wholeMs: performance.now() - startedAt, computeMs: step.value.computeMs }
  }
}

const first = await once(0)
const warm: { wholeMs: number; computeMs: number }[] = []
for (let index = 1; index <= RUNS; index++) warm.push(await once(index))
const wholeMs = median(warm.map((run) => run.wholeMs))
const computeMs = median(warm.map((run) => run.computeMs))

// Up once: both convolutions and both dense layers; down for each channel: the transposed convolutions.
const conv1 = 24 * 24 * 25 * 32
const conv2 = 8 * 8 * 25 * 32 * 64
const dense = 1024 * 256 + 256 * 10
const multiplications = conv1 + conv2 + dense + 64 * (conv1 + conv2)
const { convolutionGflops } = await measure(engine)
const limitMs = (2 * multiplications) / convolutionGflops / 1e6

const lines = [
  `Deconvnet of one MNIST digit, 64 channels of conv2, on ${engineTitle(engine)}`,
  `first ${first.wholeMs.toFixed(1)} ms; warm, median of ${RUNS}: ${wholeMs.toFixed(1)} ms whole, ${computeMs.toFixed(1)} ms computing`,
  `ratio to the goal of ${GOAL_MS} ms: ${(wholeMs / GOAL_MS).toFixed(2)} (below 1 is good)`,
  `ratio of computing to the engine's convolution speed of ${convolutionGflops.toFixed(0)} GFLOP/s (${limitMs.toFixed(1)} ms): ${(computeMs / limitMs).toFixed(1)}`,
]
process.stdout.write(`${lines.join('\n')}\n`)
process.exit(wholeMs < GOAL_MS ? 0 : 1)
