/**
 * The deconvnet's study on networks of published sizes with random weights: projections inside windows, a top-9 scan, occlusion. Beside PyTorch and
 * Captum, by turns, where a Python with torch is found (`CONVSCOPE_BENCH_PYTHON`, else `python3`). `node bench/deconvnet-study.ts [engine] [conv5,conv2,occlusion,scan]`.
 */
import { join } from 'node:path'
import { TopActivationsParams } from '../src/shared/experiments/top-activations.ts'
import { GRADIENT_RULES, type BackwardRules } from '../src/shared/network/rules.ts'
import type { NetworkSpec } from '../src/shared/network/spec.ts'
import { architectureNamed } from '../src/compute/network/architectures/index.ts'
import { initialWeights } from '../src/compute/network/architectures/initial-weights.ts'
import { compiledWalks } from '../src/compute/network/compiled-walks.ts'
import { buildGraph, layerNamed } from '../src/compute/network/graph.ts'
import { Network } from '../src/compute/network/network.ts'
import { encodeSafetensors } from '../src/compute/network/safetensors.ts'
import { seedSignals } from '../src/compute/network/seeds.ts'
import { hasWindows, planWindows } from '../src/compute/network/windowed-plan.ts'
import { windowedProjections } from '../src/compute/network/windowed-projections.ts'
import { RandomStream } from '../src/compute/random.ts'
import { occlusionGrid } from '../src/compute/study/occlusion-grid.ts'
import { OcclusionWalk } from '../src/compute/study/occlusion-walk.ts'
import { PictureSource } from '../src/compute/study/picture-source.ts'
import { scan } from '../src/compute/study/scan.ts'
import { startPeer } from './peer.ts'
import { benchContext, benchEngine, engineTitle, median } from './setting.ts'

/** Of pieces that take seconds in the peer only half as many. */
const TURNS = 6
/** Of pieces of milliseconds: so many before they count that the JavaScript around them is compiled, and enough that chance plays little part. */
const SHORT_WARMUPS = 40
const SHORT_TURNS = 60
const RULES: BackwardRules = { ...GRADIENT_RULES, relu: 'deconvnet', lrn: 'identity' }

const engine = await benchEngine()
const { tf } = engine
const script = join(import.meta.dirname, 'pytorch-deconvnet-study.py')
const peer = await startPeer(script, [String(engine.identity.threads)], 'conv5-by-hand')
const write = (line: string): boolean => process.stdout.write(`${line}\n`)
const wanted = (process.argv[3] ?? 'conv5,conv2,occlusion,scan').split(',')
write(`Deconvnet study on ${engineTitle(engine)}; medians`)

function randomNetwork(spec: NetworkSpec): Network {
  return Network.load(tf, spec, encodeSafetensors(Object.fromEntries(initialWeights(buildGraph(spec), 1))))
}

const caffenet = randomNetwork(architectureNamed('caffenet').spec())
const noise = new RandomStream(1, 'order')
const picture = Float32Array.from({ length: 227 * 227 * 3 }, () => noise.below(256) - 128)
const conv2 = convolution(2)
const conv5 = convolution(5)

function convolution(number: number): string {
  return caffenet.layers.filter(({ spec }) => spec.type === 'conv2d')[number - 1]?.name ?? ''
}

function planOf(layer: string) {
  const plan = planWindows(caffenet.graph, layer, RULES.unpool)
  if (!hasWindows(plan)) throw new Error(plan.reason)
  return plan
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

/** 32 units of the fifth convolution from one picture: one walk up, all windows down in one batch. */
async function conv5Units(): Promise<void> {
  const input = tf.tensor4d(picture, [1, 227, 227, 3])
  const activations = await compiledWalks(engine, caffenet).forward(input, { to: conv5 })
  input.dispose()
  const values = await activations.get(conv5).data()
  const units = Array.from({ length: 32 }, (_, index) => {
    const unit = { picture: 0, channel: (index * 37) % 256, row: (index * 5) % 13, column: (index * 7) % 13 }
    return { ...unit, signal: values[(unit.row * 13 + unit.column) * 256 + unit.channel] ?? 0 }
  })
  const to = caffenet.graph.input.name
  await windowedProjections(engine, caffenet).fromActivations(activations, units, {
    plan: planOf(conv5),
    to,
    rules: RULES,
  })
  activations.dispose()
}

const conv2Units = Array.from({ length: 32 }, (_, index) => ({
  picture: 0,
  channel: (index * 7) % 256,
  row: 3 + (index % 20),
  column: 4 + (index % 19),
}))

/** Units of the second convolution, up and down inside their windows. */
async function conv2Windows(count: number): Promise<void> {
  const to = caffenet.graph.input.name
  const options = { plan: planOf(conv2), to, rules: RULES, seed: 'single' as const }
  await windowedProjections(engine, caffenet).fromPictures([picture], conv2Units.slice(0, count), options)
}

/** The same units with one walk up for all of them, cut to their windows on the way down. */
async function conv2Cut(count: number): Promise<void> {
  const input = tf.tensor4d(picture, [1, 227, 227, 3])
  const activations = await compiledWalks(engine, caffenet).forward(input, { to: conv2 })
  input.dispose()
  const [, width = 1, channels = 1] = layerNamed(caffenet.graph, conv2).shape
  const values = await activations.get(conv2).data()
  const units = conv2Units
    .slice(0, count)
    .map((unit) => ({ ...unit, signal: values[(unit.row * width + unit.column) * channels + unit.channel] ?? 0 }))
  const options = { plan: planOf(conv2), to: caffenet.graph.input.name, rules: RULES }
  await windowedProjections(engine, caffenet).fromActivations(activations, units, options)
  activations.dispose()
}

/** The same units by whole pictures. */
async function conv2Whole(count: number): Promise<void> {
  const input = tf.tensor4d(picture, [1, 227, 227, 3])
  const walks = compiledWalks(engine, caffenet)
  const activations = await walks.forward(input, { to: conv2 })
  input.dispose()
  const units = conv2Units
    .slice(0, count)
    .map(({ channel, row, column }) => ({ channel, place: [row, column] as const }))
  const shape = [1, ...layerNamed(caffenet.graph, conv2).shape]
  const signal = seedSignals(tf, { shape, data: await activations.get(conv2).data() }, units, 'own')
  const down = await walks.backward(activations, { from: conv2, signal, rules: RULES })
  await down.data()
  for (const tensor of [signal, down]) tensor.dispose()
  activations.dispose()
}

const occlusionSetting = occlusionGrid([227, 227], [32, 32], [16, 16], 'partial')
const occlusionWalk = new OcclusionWalk(
  engine,
  caffenet,
  { shape: [227, 227, 3], values: picture, label: null },
  { layer: conv5, fill: [0, 0, 0], batchSize: 100 },
)
async function occlusion(): Promise<void> {
  await occlusionWalk.clean()
  for await (const event of occlusionWalk.run(occlusionSetting, 0, 5, new AbortController().signal)) void event
}

/** The built-in convnet with 200 hidden units. */
const mnist = await benchContext(engine)
const builtIn = (await mnist.network('mnist-convnet')).network.spec
const digits = randomNetwork({
  ...builtIn,
  layers: builtIn.layers.map((layer) =>
    layer.name === 'dense1' && layer.type === 'dense' ? { ...layer, units: 200 } : layer,
  ),
})
const { batchSize } = TopActivationsParams.shape
const source = new PictureSource(await mnist.dataset('mnist', 'test'), digits)
async function scanDigits(): Promise<void> {
  const options = { layers: ['relu1', 'relu2', 'relu3', 'dense2'], count: 9, batchSize: batchSize.parse(undefined) }
  for await (const event of scan(digits, source, options, mnist)) void event
}

interface Comparison {
  readonly title: string
  readonly own: () => Promise<number>
  readonly peers: readonly string[]
  readonly perSecond?: boolean
  readonly turns?: number
}

async function compare({ title, own, peers, perSecond, turns = TURNS }: Comparison): Promise<void> {
  const mine: number[] = []
  const theirs = peers.map((): number[] => [])
  for (let turn = 0; turn < 3; turn++) await own()
  for (let turn = 0; turn < turns; turn++) {
    mine.push(await own())
    for (const [index, name] of peers.entries()) {
      const answer = await peer?.ask(name)
      if (answer !== undefined) theirs[index]?.push(answer)
    }
  }
  const unit = perSecond ? 'images/s' : 'ms'
  const value = median(mine)
  const beside = peers.map((name, index) => {
    const other = theirs[index] ?? []
    if (other.length === 0) return `${name}: not here`
    const ratio = perSecond ? value / median(other) : median(other) / value
    return `${name} ${median(other).toFixed(1)} ${unit}, ratio ${ratio.toFixed(2)}`
  })
  write([`${title}: ${value.toFixed(1)} ${unit}`, ...beside].join('; '))
}

if (wanted.includes('conv5')) {
  await compare({
    title: '32 conv5 units of CaffeNet from one picture',
    own: () => timed(conv5Units),
    peers: ['conv5-by-hand'],
  })
  await compare({
    title: 'the same',
    own: () => timed(conv5Units),
    peers: ['conv5-captum'],
    turns: TURNS / 2,
  })
}
for (const count of wanted.includes('conv2') ? [1, 8, 32] : []) {
  const whole: number[] = []
  const windows: number[] = []
  const cut: number[] = []
  for (let turn = 0; turn < SHORT_WARMUPS + SHORT_TURNS; turn++) {
    whole.push(await timed(() => conv2Whole(count)))
    windows.push(await timed(() => conv2Windows(count)))
    cut.push(await timed(() => conv2Cut(count)))
  }
  const [inWhole, inWindows, inCut] = [whole, windows, cut].map((times) => median(times.slice(SHORT_WARMUPS))) as [
    number,
    number,
    number,
  ]
  const parts = [
    `${count} conv2 units by whole pictures: ${inWhole.toFixed(1)} ms`,
    `up and down inside windows ${inWindows.toFixed(2)} ms, ratio ${(inWhole / inWindows).toFixed(1)}`,
    `up once and down inside windows ${inCut.toFixed(2)} ms, ratio ${(inWhole / inCut).toFixed(1)}`,
  ]
  write(parts.join('; '))
}
if (wanted.includes('occlusion')) {
  await compare({
    title: `occlusion of a 227 picture, ${occlusionSetting.rows.length * occlusionSetting.columns.length} evaluations`,
    own: () => timed(occlusion),
    peers: ['occlusion-captum'],
    turns: TURNS / 2,
  })
}
if (wanted.includes('scan')) {
  await compare({
    title: 'top-9 scan of a 32-64-200 convnet, 10000 pictures, all layers',
    own: async () => (10_000 / (await timed(scanDigits))) * 1000,
    peers: ['scan'],
    perSecond: true,
  })
}
peer?.stop()
occlusionWalk.dispose()
process.exit(0)
