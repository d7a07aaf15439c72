/**
 * Iterations of regularised activation maximisation on networks of published sizes with random weights. Beside the same loop in PyTorch, by turns,
 * where a Python with torch is found (`CONVSCOPE_BENCH_PYTHON`, else `python3`), and torch-lucent's own loop where it is installed there too.
 * `node bench/maximisation.ts [engine] [fc8,conv3,vgg,soak]`.
 */
import { join } from 'node:path'
import type { Tensor2D } from '@tensorflow/tfjs'
import { AscentSettings } from '../src/shared/experiments/activation-maximisation.ts'
import { Ascent, type AscentStart } from '../src/compute/maximisation/ascent.ts'
import { AscentLayer } from '../src/compute/maximisation/ascent-layer.ts'
import { greyLevelsOf } from '../src/compute/maximisation/grey-levels.ts'
import { architectureNamed } from '../src/compute/network/architectures/index.ts'
import { initialWeights } from '../src/compute/network/architectures/initial-weights.ts'
import { buildGraph } from '../src/compute/network/graph.ts'
import { sizeOf } from '../src/shared/size-of.ts'
import { Network } from '../src/compute/network/network.ts'
import { encodeSafetensors } from '../src/compute/network/safetensors.ts'
import { RandomStream } from '../src/compute/random.ts'
import { startPeer } from './peer.ts'
import { benchEngine, engineTitle, median } from './setting.ts'

const TURNS = 5
/** One iteration in four blurs. */
const ITERATIONS = 4
const SOAK_STEPS = 10_000
const SOAK_RESTARTS = 100

/** The third and the first and fourth published combination; the policy is of no account for the time. */
const SETTINGS = {
  blur: { decay: 0.0001, blurSigma: 1, blurEvery: 4 },
  percentiles: { blurSigma: 0.5, blurEvery: 4, normPercentile: 50, contributionPercentile: 90 },
}

const engine = await benchEngine()
const peer = await startPeer(
  join(import.meta.dirname, 'pytorch-maximisation.py'),
  [String(engine.identity.threads)],
  'ready',
)
const write = (line: string): boolean => process.stdout.write(`${line}\n`)
const wanted = (process.argv[3] ?? 'fc8,conv3,vgg,soak').split(',')
write(`Activation maximisation on ${engineTitle(engine)}; iterations/s, medians of ${TURNS} turns of ${ITERATIONS}`)

function randomNetwork(name: string): Network {
  const spec = architectureNamed(name).spec()
  return Network.load(engine.tf, spec, encodeSafetensors(Object.fromEntries(initialWeights(buildGraph(spec), 1))))
}

function startsOf(layer: AscentLayer, settings: AscentSettings, count: number): AscentStart[] {
  const size = sizeOf(layer.grey.shape)
  const [rows = 1, columns = 1] = layer.network.shapes[layer.layer] ?? []
  const isMap = layer.network.shapes[layer.layer]?.length === 3
  return Array.from({ length: count }, (_, index) => {
    const noise = new RandomStream(1, 'start', index)
    return {
      unit: { channel: 100, position: isMap ? [Math.floor(rows / 2), Math.floor(columns / 2)] : null },
      settings,
      picture: Float32Array.from({ length: size }, () => 10 * noise.normal()),
    }
  })
}

/** Milliseconds of one iteration, mean of a few. */
async function turn(ascent: Ascent): Promise<number> {
  const startedAt = performance.now()
  for (let iteration = 0; iteration < ITERATIONS; iteration++) await ascent.iterate()
  await ascent.status()
  return (performance.now() - startedAt) / ITERATIONS
}

interface Piece {
  readonly network: Network
  readonly layer: string
  /** As the peer calls it. */
  readonly peerLayer: string
  readonly setting: keyof typeof SETTINGS
  readonly pictures: number
  readonly goal: number
}

/** @returns milliseconds of one iteration */
async function measure({ network, layer, peerLayer, setting, pictures, goal }: Piece): Promise<number> {
  const target = new AscentLayer(engine, network, layer, greyLevelsOf(network))
  const settings = AscentSettings.parse({ iterations: 100_000, ...SETTINGS[setting] })
  const ascent = new Ascent(target, startsOf(target, settings, pictures))
  const name = network.spec.name
  const own: number[] = []
  const other: number[] = []
  for (let warm = 0; warm < 2; warm++) await turn(ascent)
  await peer?.ask([name, peerLayer, setting, pictures, 1].join('/'))
  for (let number = 0; number < TURNS; number++) {
    own.push(await turn(ascent))
    const answer = await peer?.ask([name, peerLayer, setting, pictures, ITERATIONS].join('/'))
    if (answer !== undefined) other.push(answer)
  }
  ascent.dispose()
  target.dispose()
  const mine = median(own)
  const theirs = median(other)
  const beside =
    other.length > 0
      ? `PyTorch ${(1000 / theirs).toFixed(2)}; ratio ${(theirs / mine).toFixed(2)} (goal ${goal})`
      : 'PyTorch is not here'
  const count = pictures === 1 ? 'one picture' : `${pictures} pictures`
  write(`${name} ${peerLayer}, ${setting}, ${count}: ${(1000 / mine).toFixed(2)}; ${beside}`)
  return mine
}

async function measureLayer(piece: Omit<Piece, 'setting' | 'pictures'>, counts: readonly number[]): Promise<number> {
  let fastest = Infinity
  for (const setting of ['blur', 'percentiles'] as const) {
    const times: number[] = []
    for (const pictures of counts) times.push(await measure({ ...piece, setting, pictures }))
    const [one = NaN, nine] = times
    fastest = Math.min(fastest, one)
    if (nine !== undefined) write(`  nine pictures take ${(nine / one).toFixed(2)} times as long as one (goal 6)`)
  }
  const lucent = await peer?.ask([piece.network.spec.name, piece.peerLayer, 'lucent', 1, ITERATIONS].join('/'))
  if (lucent !== undefined) write(`  torch-lucent, without transforms: ${(1000 / lucent).toFixed(2)}`)
  return fastest
}

/** Multiplications and additions of the way up to a layer and down again, in 10⁹. */
function work({ layers, weights }: Network, layer: string): number {
  const last = layers.findIndex(({ name }) => name === layer)
  const products = layers.slice(0, last + 1).reduce((sum, { name, shape }) => {
    const [rows = 1, columns = 1] = shape.length === 3 ? shape : []
    return sum + (weights[name]?.['kernel']?.size ?? 0) * rows * columns
  }, 0)
  return (4 * products) / 1e9
}

/** What a product of square matrices reaches, in 10⁹ a second. */
async function productRate(size = 2048): Promise<number> {
  const { tf } = engine
  const step = engine.compile(({ a }: { a: Tensor2D }) => tf.matMul(a, a), { name: 'product' })
  const a = tf.fill([size, size], 1 / size) as Tensor2D
  const times: number[] = []
  for (let number = 0; number < TURNS + 2; number++) {
    const startedAt = performance.now()
    const product = await step.run({ a })
    await product.data()
    times.push(performance.now() - startedAt)
    product.dispose()
  }
  a.dispose()
  step.dispose()
  return (2 * size ** 3) / 1e6 / median(times.slice(2))
}

/** Many iterations and restarts leave no tensor behind. @throws where they do */
async function soak(): Promise<void> {
  const network = randomNetwork('mnist-convnet')
  const layer = new AscentLayer(engine, network, network.graph.output.name, greyLevelsOf(network))
  const settings = AscentSettings.parse({ iterations: 100_000, ...SETTINGS.percentiles })
  const restart = async (steps: number): Promise<void> => {
    const ascent = new Ascent(layer, startsOf(layer, settings, 1))
    for (let step = 0; step < steps; step++) {
      await ascent.iterate()
      if (step % 50 === 0) await ascent.takeTraces()
    }
    ascent.dispose()
  }
  await restart(8)
  const before = engine.memory().tensors
  const residentBefore = process.memoryUsage.rss()
  const grown: string[] = []
  const startedAt = performance.now()
  for (let number = 1; number <= SOAK_RESTARTS; number++) {
    await restart(SOAK_STEPS / SOAK_RESTARTS)
    if (number % (SOAK_RESTARTS / 4) === 0)
      grown.push(((process.memoryUsage.rss() - residentBefore) / 2 ** 20).toFixed(0))
  }
  const seconds = (performance.now() - startedAt) / 1000
  const after = engine.memory().tensors
  write(
    `${SOAK_STEPS} iterations in ${SOAK_RESTARTS} restarts: ${before} tensors before, ${after} after; ` +
      `resident memory ${grown.join(', ')} MB more after each quarter; ${(SOAK_STEPS / seconds).toFixed(0)} iterations/s`,
  )
  if (after !== before) process.exitCode = 1
  layer.dispose()
  network.dispose()
}

if (wanted.includes('fc8') || wanted.includes('conv3')) {
  const network = randomNetwork('caffenet')
  const convolutions = network.layers.filter(({ spec }) => spec.type === 'conv2d')
  const dense = network.layers.filter(({ spec }) => spec.type === 'dense')
  if (wanted.includes('fc8'))
    await measureLayer({ network, layer: dense.at(-1)?.name ?? '', peerLayer: 'fc8', goal: 1.1 }, [1, 9])
  if (wanted.includes('conv3'))
    await measureLayer({ network, layer: convolutions[2]?.name ?? '', peerLayer: 'conv3', goal: 4 }, [1, 9])
  network.dispose()
}
if (wanted.includes('vgg')) {
  const network = randomNetwork('vgg-16')
  const dense = network.layers.filter(({ spec }) => spec.type === 'dense')
  const layer = dense.at(-1)?.name ?? ''
  const stepMs = await measureLayer({ network, layer, peerLayer: 'fc8', goal: 1.1 }, [1])
  const [reached, product] = [work(network, layer) / (stepMs / 1000), await productRate()]
  const share = ((100 * reached) / product).toFixed(0)
  write(
    `  ${reached.toFixed(0)} GFLOP/s, ${share} % of a product of matrices (${product.toFixed(0)} GFLOP/s; goal 80 %)`,
  )
  network.dispose()
}
if (wanted.includes('soak')) await soak()
peer?.stop()
process.exit()
